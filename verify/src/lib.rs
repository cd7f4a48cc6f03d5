//! Verifies kernel packs on devices without an operating system or an allocator, since a device must not run code that
//! it cannot verify.
//!
//! The crate defines the primitives of all verification, which `kernelpack-manifest` uses too: [digests](Digest),
//! [keys and signatures](PublicKey) and [names](is_path). It also reads a signed manifest in place. Only
//! [`Verifier::verify`], which checks the signature over the raw bytes before it reads any of them, returns a
//! [`SignedManifest`]; only [`Kernel::verify_module`] returns a [`VerifiedModule`], and only [`Kernel::verify_code`]
//! returns [`VerifiedCode`].
//!
//! The crate reads less of a manifest than `kernelpack-manifest`: tensors, parameters, benchmarks and health vectors
//! are only checked to be JSON. It accepts nothing that `kernelpack-manifest` refuses because of the signature, because
//! of JSON that could be read in two ways, or because of a field that both read. It also refuses deeply nested
//! manifests and unnecessary escapes, which `kernelpack-manifest` accepts.
//!
//! # Example: from bytes to a module
//! ```
//! use kernelpack_verify::{Engine, Refused, SignedManifest, TrustedKey, VerifiedModule, Verifier, Version};
//!
//! // The keys are in read-only memory; the second one may also sign native code.
//! static KEYS: [TrustedKey; 2] = [TrustedKey::new([0; 32]).revoked(), TrustedKey::new([1; 32]).with_native()];
//!
//! fn load<'b>(manifest: &[u8], signature: &[u8], module: &'b [u8]) -> Result<VerifiedModule<'b>, Refused> {
//!     let manifest = Verifier::new(&KEYS).verify(manifest, signature, None)?;
//!     manifest.check_runtime(&Version::parse("1.0.0").unwrap())?;
//!     let engine = Engine { name: "wamr", version: Version::parse("2.4.3").unwrap(), features: &[] };
//!     manifest.kernel("rmsnorm_f32", &engine)?.verify_module(module)
//! }
//!
//! assert!(matches!(load(b"{}", &[0; 64], b""), Err(Refused::BadKey { index: 0, .. })));
//! ```
#![no_std]
#![forbid(unsafe_code)]

mod digest;
mod engine;
mod entry;
mod file;
mod kernel;
mod key;
mod manifest;
mod names;
mod platform;
mod refused;
mod scan;
mod schema;
mod text;
mod value;
mod verifier;
mod version;

pub use digest::Digest;
pub use engine::Engine;
pub use file::File;
pub use kernel::{Kernel, VerifiedCode, VerifiedModule};
pub use key::{BadKey, KEY_BYTES, PublicKey, SIGNATURE_BYTES};
pub use manifest::SignedManifest;
pub use names::{MAX_NAME_BYTES, MAX_PATH_BYTES, family_of, is_identifier, is_path, is_printable, is_word, variant_of};
pub use refused::{JsonFault, Refused};
pub use schema::{MAX_KERNELS, MAX_MANIFEST_BYTES, SCHEMA};
pub use text::Text;
pub use verifier::{TrustedKey, Verifier};
pub use version::Version;
