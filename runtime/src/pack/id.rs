//! The identity of a pack.

use std::fmt;

use kernelpack_manifest::Digest;
use semver::Version;
use serde::{Deserialize, Serialize};

/// The identity of a pack: its name, version, content and signer.
///
/// The manifest determines every byte of a pack except its signature. Signing writes the signer's key into the
/// manifest, so packs that different keys signed have different `digest`s. Their `content` is the same, and two packs
/// with the same name and version are expected to have the same `content`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackId {
    /// The pack's name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// A digest that does not depend on the signer: [`Manifest::content`](kernelpack_manifest::Manifest::content).
    pub content: Digest,
    /// The SHA-256 of its manifest, which includes the signer's key.
    pub digest: Digest,
    /// The trusted key that signed it, as [`PublicKey::id`](crate::PublicKey::id) writes it.
    pub signed_by: String,
}

impl fmt::Display for PackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, version, digest, .. } = self;
        // Twelve digits distinguish packs with the same name and version, even if only their signers differ.
        write!(f, "{name:?} {version} ({:.19})", digest.to_string())
    }
}
