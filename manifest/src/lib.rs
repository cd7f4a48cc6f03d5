//! `kernels.json`, the signed manifest of a kernel pack, and the checks of the files that it names.
//!
//! This crate defines the manifest's [schema](Manifest), [digests](Digest), [keys](PublicKey) and
//! [signatures](KernelPackVerifier), [trust stores](TrustStore), the [compatibility gates](CompatibilityChecker), the
//! [check](module::check) that a module matches its entry, and the [health vectors](HealthVector) that show whether a
//! kernel works. It does no I/O: callers pass in the bytes to judge and the time to judge them at.
//!
//! The types enforce the order of checks: only [`KernelPackVerifier::verify`], which checks the signature over the raw
//! bytes before it parses any of them, returns a [`SignedManifest`], and only [`SignedManifest::verify_module`] returns
//! a [`VerifiedModule`]. Code that takes a `VerifiedModule` cannot be given an unverified one.
//!
//! # Example: from bytes to a verified manifest
//! ```
//! use std::time::SystemTime;
//!
//! use kernelpack_manifest::{KernelPackVerifier, Rejected, SecretKey, VerifyError};
//!
//! let key = SecretKey::from_seed([7; 32]);
//! let verifier = KernelPackVerifier::new([key.public()]);
//! let (manifest, now) = (b"{}", SystemTime::now());
//!
//! // The signature is checked first; the content is read only if a trusted key signed it.
//! let forged = verifier.verify(manifest, &[0; 64], now).unwrap_err();
//! assert!(matches!(forged, Rejected::Unverified(VerifyError::NoTrustedKey)));
//! let signed_but_empty = verifier.verify(manifest, &key.sign(manifest), now).unwrap_err();
//! assert!(matches!(signed_but_empty, Rejected::Malformed { .. }));
//! ```
#![forbid(unsafe_code)]

mod aot;
mod manifest;
pub mod module;
mod pack;
mod schema;
mod text;
mod trust;
mod vector;

#[cfg(test)]
mod samples;

pub use kernelpack_verify::SIGNATURE_BYTES;

pub use aot::facts::{AOT_FORMAT, AOT_RECORD, AotFacts, AotRecord};
pub use aot::fault::AotFault;
pub use aot::target::{AotTarget, AotTargetError};
pub use aot::{AOT_CHECKS, AotFile, MAX_AOT_BYTES};
pub use manifest::difference::first_difference;
pub use manifest::extent::{Extent, ExtentError};
pub use manifest::fault::KernelFault;
pub use manifest::kernel::{Backward, Benchmark, Kernel, ModuleFile, ModuleRef, Platform};
pub use manifest::length::{Length, LengthError, Step};
pub use manifest::param::Param;
pub use manifest::part::{Part, PartKind};
pub use manifest::tensor::{Scratch, Tensor};
pub use manifest::{Author, MAX_KERNELS, MAX_MANIFEST_BYTES, MAX_MODULE_BYTES, Manifest, SCHEMA, SCHEMA_VERSION};
pub use module::ModuleFacts;
pub use module::code::{
    MAX_BLOCK_VALUES, MAX_BRANCH_TARGETS, MAX_CALL_VALUES, MAX_CODE_BYTES, MAX_DEFINITIONS, MAX_ELEMENTS,
    MAX_FUNCTION_BYTES, MAX_FUNCTION_VALUES, MAX_FUNCTIONS, MAX_LIVE_VALUES, MAX_SEGMENTS, MAX_TYPE_VALUES, MAX_TYPES,
};
pub use module::fault::ModuleFault;
pub use module::features::{FEATURES, required_features};
pub use pack::bytes::{FileBytes, Memory};
pub use pack::compat::CompatibilityChecker;
pub use pack::compat::result::CompatibilityResult;
pub use pack::files::{MANIFEST_FILE, MAX_SIGNATURE_FILE_BYTES, SIGNATURE_FILE};
pub use pack::path::check_path;
pub use pack::rejected::Rejected;
pub use pack::size::{MAX_PACK_BYTES, MAX_PACK_CODE_BYTES, PackSize};
pub use schema::{JSON_SCHEMA, TRUST_STORE_JSON_SCHEMA};
pub use text::digest::{Digest, DigestError};
pub use text::json::{JsonFault, check_distinct_keys};
pub use text::names::{MAX_NAME_BYTES, is_identifier};
pub use text::timestamp::{Timestamp, TimestampError};
pub use trust::error::VerifyError;
pub use trust::keys::{KeyError, PublicKey, SecretKey};
pub use trust::signed::SignedManifest;
pub use trust::signer::Signer;
pub use trust::store::fault::TrustStoreError;
pub use trust::store::{
    KeyStatus, MAX_TRUST_STORE_BYTES, MAX_TRUSTED_KEYS, Revocation, TRUST_STORE_VERSION, TrustStore, TrustedKey,
};
pub use trust::verified::{VerifiedAot, VerifiedInterface, VerifiedModule, VerifiedVector};
pub use trust::verifier::KernelPackVerifier;
pub use vector::entry::{HealthEntry, HealthParam, check_tolerance};
pub use vector::fault::VectorFault;
pub use vector::limits::{HEALTH_FOLDER, MAX_HEALTH_BYTES, MAX_PACK_HEALTH_BYTES, MAX_VECTORS, VECTOR_SUFFIX};
pub use vector::mismatch::{Mismatch, Value, compare};
pub use vector::stored;
pub use vector::{HealthVector, NamedTensor};
