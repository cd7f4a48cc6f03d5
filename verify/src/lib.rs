//! Verifies kernel packs where there is neither an operating system nor an allocator: a device must not run what it
//! cannot verify.
//!
//! The crate owns the primitives that all verification rests on, [digests](Digest), [keys and signatures](PublicKey) and
//! [names](is_path), which `kernelpack-manifest` takes from here; and a reader of the signed manifest that works in place.
//! A [`SignedManifest`] comes only out of [`Verifier::verify`], which checks the signature over the raw bytes before it
//! reads one of them; a [`VerifiedModule`] comes only out of [`Kernel::verify_module`], and [`VerifiedCode`] only out of
//! [`Kernel::verify_code`].
//!
//! It accepts nothing that `kernelpack-manifest` refuses because of the signature, of JSON that could be read in two
//! ways, or of a field that it reads. It reads less: tensors, parameters, benchmarks and health vectors are held to be
//! JSON only, and what it refuses that the other accepts are deeply nested manifests and escapes where none are needed.
//!
//! # Example: from bytes to a module
//! ```
//! use kernelpack_verify::{Engine, Refused, SignedManifest, TrustedKey, VerifiedModule, Verifier, Version};
//!
//! // In read-only memory; the second key may sign native code too.
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
mod entry;
mod kernel;
mod key;
mod manifest;
mod names;
mod platform;
mod refused;
mod scan;
mod text;
mod verifier;
mod version;

pub use digest::Digest;
pub use kernel::{Engine, Kernel, VerifiedCode, VerifiedModule};
pub use key::{BadKey, KEY_BYTES, PublicKey, SIGNATURE_BYTES};
pub use manifest::{MAX_KERNELS, MAX_MANIFEST_BYTES, SCHEMA, SignedManifest};
pub use names::{MAX_NAME_BYTES, MAX_PATH_BYTES, family_of, is_identifier, is_path, is_printable, is_word, variant_of};
pub use platform::File;
pub use refused::{JsonFault, Refused};
pub use text::Text;
pub use verifier::{TrustedKey, Verifier};
pub use version::Version;
