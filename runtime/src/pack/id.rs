//! Which pack: what tells one from all others.

use std::fmt;

use kernelpack_manifest::Digest;
use semver::Version;
use serde::{Deserialize, Serialize};

/// Which pack, and who vouched for it.
///
/// Every byte of a pack but its signature hangs on its manifest. Signing writes the signer's key into the manifest, so
/// that a pack signed by another key has another `digest`; its `content` stays the same, and is what versions are held to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackId {
    /// The pack's name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// What it is, whoever signed it: [`Manifest::content`](kernelpack_manifest::Manifest::content).
    pub content: Digest,
    /// The SHA-256 of its manifest, which names the signer.
    pub digest: Digest,
    /// The trusted key that signed it, as [`PublicKey::id`](crate::PublicKey::id) writes it.
    pub signed_by: String,
}

impl fmt::Display for PackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, version, digest, .. } = self;
        // Twelve digits tell packs of one name and version apart, also those that differ in their signer alone.
        write!(f, "{name:?} {version} ({:.19})", digest.to_string())
    }
}
