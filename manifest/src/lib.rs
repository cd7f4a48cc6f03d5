//! `kernels.json`, the signed manifest of a kernel pack, and what it promises about the modules it names.
//!
//! The crate owns the manifest's [schema](Manifest), [digests](Digest), [keys](PublicKey) and
//! [signatures](KernelPackVerifier), [trust stores](TrustStore), the [compatibility gates](CompatibilityChecker), the
//! [check](module::check) that a module is what its entry says, and the [health vectors](HealthVector) that tell whether
//! a kernel works. It does no I/O: it judges bytes that it is given, at a time that it is given.
//!
//! The invariant is carried by types: a [`SignedManifest`] comes only out of [`KernelPackVerifier::verify`], which
//! checks the signature over the raw bytes before it parses one of them, and a [`VerifiedModule`] comes only out of
//! [`SignedManifest::verify_module`]. Whoever asks for a `VerifiedModule` cannot be handed anything unverified.
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
//! // The signature is judged first, the content only when somebody trusted vouches for it.
//! let forged = verifier.verify(manifest, &[0; 64], now).unwrap_err();
//! assert!(matches!(forged, Rejected::Unverified(VerifyError::NoTrustedKey)));
//! let signed_but_empty = verifier.verify(manifest, &key.sign(manifest), now).unwrap_err();
//! assert!(matches!(signed_but_empty, Rejected::Malformed { .. }));
//! ```
#![forbid(unsafe_code)]

mod aot;
mod aot_facts;
mod aot_fault;
mod code;
mod compat;
mod content;
mod convert;
mod difference;
mod digest;
mod extent;
mod features;
mod file_bytes;
mod health;
mod json;
mod kernel;
mod kernel_fault;
mod keys;
mod length;
mod limits;
mod manifest;
mod mismatch;
pub mod module;
mod module_fault;
mod names;
mod pack_size;
mod param;
mod pem;
mod rejected;
pub mod stored;
mod strict;
mod tensor;
mod timestamp;
mod trust;
mod trust_fault;
mod validate;
mod vector;
mod vector_fault;
mod verify;

#[cfg(test)]
mod samples;

pub use aot::{AOT_CHECKS, AotFile, AotTarget, AotTargetError, MAX_AOT_BYTES};
pub use aot_facts::{AOT_FORMAT, AOT_RECORD, AotFacts, AotRecord};
pub use aot_fault::AotFault;
pub use code::{
    MAX_BLOCK_VALUES, MAX_BRANCH_TARGETS, MAX_CALL_VALUES, MAX_CODE_BYTES, MAX_DEFINITIONS, MAX_ELEMENTS,
    MAX_FUNCTION_BYTES, MAX_FUNCTION_VALUES, MAX_FUNCTIONS, MAX_SEGMENTS, MAX_TANGLE, MAX_TYPE_VALUES, MAX_TYPES,
};
pub use compat::{CompatibilityChecker, CompatibilityResult};
pub use difference::first_difference;
pub use digest::{Digest, DigestError};
pub use extent::{Extent, ExtentError};
pub use features::{FEATURES, required_features};
pub use file_bytes::{FileBytes, Memory};
pub use health::{
    HEALTH_FOLDER, HealthEntry, HealthParam, MAX_HEALTH_BYTES, MAX_PACK_HEALTH_BYTES, MAX_VECTORS, VECTOR_SUFFIX,
    check_tolerance,
};
pub use json::{JsonFault, check_distinct_keys};
pub use kernel::{Backward, Benchmark, Kernel, ModuleFile, ModuleRef, Platform};
pub use kernel_fault::KernelFault;
pub use keys::{KeyError, PublicKey, SecretKey};
pub use length::{Length, LengthError, Step};
pub use manifest::{
    Author, MANIFEST_FILE, MAX_KERNELS, MAX_MANIFEST_BYTES, MAX_MODULE_BYTES, Manifest, SCHEMA, SCHEMA_VERSION,
    SIGNATURE_FILE,
};
pub use mismatch::{Mismatch, Value, compare};
pub use module::ModuleFacts;
pub use module_fault::ModuleFault;
pub use names::{MAX_NAME_BYTES, check_path, is_identifier};
pub use pack_size::{MAX_PACK_BYTES, MAX_PACK_CODE_BYTES, PackSize};
pub use param::Param;
pub use rejected::Rejected;
pub use tensor::{Scratch, Tensor};
pub use timestamp::{Timestamp, TimestampError};
pub use trust::{
    KeyStatus, MAX_TRUST_STORE_BYTES, MAX_TRUSTED_KEYS, Revocation, TRUST_STORE_VERSION, TrustStore, TrustedKey,
};
pub use trust_fault::TrustStoreError;
pub use vector::{HealthVector, NamedTensor};
pub use vector_fault::VectorFault;
pub use verify::{
    KernelPackVerifier, SIGNATURE_BYTES, SignedManifest, Signer, VerifiedAot, VerifiedModule, VerifiedVector,
    VerifyError,
};

/// The manifest's schema for other tools, as JSON Schema draft 2020-12.
///
/// It says less than [`Manifest::parse`] checks: what relates one field to another is beyond it.
pub const JSON_SCHEMA: &str = include_str!("../schema/kernel-pack-v1.json");

/// The schema of [trust stores](TrustStore) for other tools, as JSON Schema draft 2020-12.
///
/// It says less than [`TrustStore::parse`] checks, such as that no key stands twice.
pub const TRUST_STORE_JSON_SCHEMA: &str = include_str!("../schema/trust-store-v1.json");

#[cfg(test)]
mod schema_tests;
