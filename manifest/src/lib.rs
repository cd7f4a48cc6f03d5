//! `kernels.json`, the signed manifest of a kernel pack, and what it promises about the modules it names.
//!
//! The crate owns the manifest's [schema](Manifest), [digests](Digest), [keys](PublicKey) and
//! [signatures](KernelPackVerifier), the [compatibility gates](CompatibilityChecker), and the [check](module::check)
//! that a module is what its entry says. It does no I/O: it judges bytes that it is given.
//!
//! The invariant is carried by types: a [`SignedManifest`] comes only out of [`KernelPackVerifier::verify`], which
//! checks the signature over the raw bytes before it parses one of them, and a [`VerifiedModule`] comes only out of
//! [`SignedManifest::verify_module`]. Whoever asks for a `VerifiedModule` cannot be handed anything unverified.
//!
//! # Example: from bytes to a verified manifest
//! ```
//! use kernelpack_manifest::{KernelPackVerifier, Rejected, SecretKey, VerifyError};
//!
//! let key = SecretKey::from_seed([7; 32]);
//! let verifier = KernelPackVerifier::new([key.public()]);
//! let manifest = b"{}";
//!
//! // The signature is judged first, the content only when somebody trusted vouches for it.
//! let forged = verifier.verify(manifest, &[0; 64]).unwrap_err();
//! assert!(matches!(forged, Rejected::Unverified(VerifyError::NoTrustedKey)));
//! let signed_but_empty = verifier.verify(manifest, &key.sign(manifest)).unwrap_err();
//! assert!(matches!(signed_but_empty, Rejected::Malformed { .. }));
//! ```
#![forbid(unsafe_code)]

mod code;
mod compat;
mod convert;
mod difference;
mod digest;
mod extent;
mod features;
mod kernel;
mod kernel_fault;
mod keys;
mod length;
mod limits;
mod manifest;
pub mod module;
mod module_fault;
mod names;
mod pack_size;
mod param;
mod rejected;
mod strict;
mod tensor;
mod timestamp;
mod validate;
mod verify;

#[cfg(test)]
mod samples;

pub use code::{MAX_CODE_BYTES, MAX_FUNCTION_BYTES, MAX_FUNCTIONS, MAX_TANGLE};
pub use compat::{CompatibilityChecker, CompatibilityResult};
pub use difference::first_difference;
pub use digest::{Digest, DigestError};
pub use extent::{Extent, ExtentError};
pub use features::{FEATURES, required_features};
pub use kernel::{Backward, Benchmark, Kernel, Platform};
pub use kernel_fault::KernelFault;
pub use keys::{KeyError, PublicKey, SecretKey};
pub use length::{Length, LengthError, Step};
pub use manifest::{
    Author, MANIFEST_FILE, MAX_KERNELS, MAX_MANIFEST_BYTES, MAX_MODULE_BYTES, Manifest, SCHEMA, SCHEMA_VERSION,
    SIGNATURE_FILE,
};
pub use module::ModuleFacts;
pub use module_fault::ModuleFault;
pub use names::{MAX_NAME_BYTES, check_path, is_identifier};
pub use pack_size::{MAX_PACK_BYTES, MAX_PACK_CODE_BYTES, PackSize};
pub use param::Param;
pub use rejected::Rejected;
pub use tensor::{Scratch, Tensor};
pub use verify::{KernelPackVerifier, SIGNATURE_BYTES, SignedManifest, VerifiedModule, VerifyError};

/// The manifest's schema for other tools, as JSON Schema draft 2020-12.
///
/// It says less than [`Manifest::parse`] checks: what relates one field to another is beyond it.
pub const JSON_SCHEMA: &str = include_str!("../schema/kernel-pack-v1.json");

#[cfg(test)]
mod schema_tests;
