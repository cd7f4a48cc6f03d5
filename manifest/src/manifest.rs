//! The manifest as a whole: reading and writing `kernels.json`.
//!
//! [`Manifest::parse`] yields only manifests that [`Manifest::validate`] accepts.

pub(crate) mod content;
pub(crate) mod convert;
pub(crate) mod difference;
pub(crate) mod extent;
pub(crate) mod fault;
pub(crate) mod kernel;
pub(crate) mod length;
pub(crate) mod limits;
pub(crate) mod param;
pub(crate) mod part;
pub(crate) mod strict;
pub(crate) mod tensor;
pub(crate) mod validate;

use std::collections::BTreeMap;

pub use kernelpack_verify::{MAX_KERNELS, MAX_MANIFEST_BYTES, SCHEMA};
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::{Kernel, Rejected};

/// The schema version that this build reads and writes.
pub const SCHEMA_VERSION: u32 = 1;
/// The most bytes that one module may have.
pub const MAX_MODULE_BYTES: usize = 64 << 20;

/// The content of `kernels.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`SCHEMA`].
    #[serde(rename = "$schema")]
    pub schema: String,
    /// The [ABI](kernelpack_abi::ABI_VERSION) that the modules were built for.
    pub abi_version: u32,
    /// The pack's name.
    pub name: String,
    /// The pack's version.
    pub version: Version,
    /// The pack's purpose.
    pub description: String,
    /// The oldest runtime that may load the pack.
    pub min_runtime_version: Version,
    /// The newest runtime that may load the pack.
    pub max_runtime_version: Version,
    /// When the pack was made, in RFC 3339 format, in UTC and whole seconds: `2026-01-18T00:00:00Z`.
    pub created_at: String,
    /// The author of the pack.
    pub author: Author,
    /// The kernels.
    pub kernels: Vec<Kernel>,
    /// The reference implementation that a host may fall back to, by kernel id.
    #[serde(default)]
    pub fallbacks: BTreeMap<String, String>,
}

/// The author of a pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Author {
    /// The author's display name.
    pub name: String,
    /// The author's e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "strict::present")]
    pub email: Option<String>,
    /// The author's public key, as [`PublicKey::id`](crate::PublicKey::id) writes it.
    ///
    /// This is only a claim. [`SignedManifest::signed_by`](crate::SignedManifest::signed_by) is the key that really
    /// signed; the two differ if somebody else vouches for an author's pack.
    pub signing_key: String,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// The bytes must be UTF-8 JSON of at most [`MAX_MANIFEST_BYTES`] with nothing after it; unknown fields and
    /// repeated keys are refused everywhere. This does not check who wrote the bytes; hosts use
    /// [`KernelPackVerifier::verify`](crate::KernelPackVerifier::verify).
    ///
    /// # Errors
    /// The first fault, where an unknown schema version comes before everything else, followed by another ABI version.
    pub fn parse(bytes: &[u8]) -> Result<Self, Rejected> {
        if bytes.len() > MAX_MANIFEST_BYTES {
            return Err(Rejected::ManifestTooLarge { size: bytes.len(), limit: MAX_MANIFEST_BYTES });
        }
        let manifest: Self = strict::parse(bytes)?;
        manifest.validate()?;
        Ok(manifest)
    }

    /// Returns the manifest as JSON; equal manifests give equal bytes.
    ///
    /// [`parse`](Self::parse) reads the bytes back only if [`validate`](Self::validate) accepts the manifest.
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec_pretty(self).expect("keys are strings and no value's serialization fails");
        json.push(b'\n');
        json
    }

    /// Returns every file of the pack except the manifest and its signature: all modules, compiled files and health
    /// vectors.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.kernels.iter().flat_map(Kernel::parts).map(|part| part.path())
    }

    /// Returns the kernel with this id.
    pub fn kernel(&self, id: &str) -> Option<&Kernel> {
        self.kernels.iter().find(|kernel| kernel.id == id)
    }
}
