//! The reasons why a device refuses a pack or a file of it.

use core::fmt;

use crate::{BadKey, Digest, MAX_KERNELS, MAX_MANIFEST_BYTES, SIGNATURE_BYTES};

/// The reason why a device refuses a pack or a file of it. Places in the manifest are byte offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// The manifest has too many bytes.
    TooLarge {
        /// How many bytes it has.
        size: usize,
    },
    /// The device trusts no keys at all.
    NoKeys,
    /// One of the device's keys is not a valid key, so no signature can be judged.
    BadKey {
        /// The key's index among the device's keys.
        index: usize,
        /// The fault in it.
        fault: BadKey,
    },
    /// The signature has the wrong size.
    MalformedSignature {
        /// Bytes given.
        len: usize,
    },
    /// None of the device's keys made this signature over these bytes.
    NoTrustedKey,
    /// The key that signed is revoked.
    KeyRevoked {
        /// The key's index among the device's keys.
        index: usize,
    },
    /// The key that signed has expired.
    KeyExpired {
        /// The key's index among the device's keys.
        index: usize,
        /// The last second in which the key was trusted, as Unix time.
        not_after: u64,
    },
    /// The key that signed can expire, but the device gave no time.
    NoClock {
        /// The key's index among the device's keys.
        index: usize,
    },
    /// The key that signed is not trusted for native code.
    NotForNative,
    /// The manifest is not UTF-8.
    NotUtf8 {
        /// The first invalid byte.
        at: usize,
    },
    /// The manifest is not the expected JSON.
    Json {
        /// The place of the fault.
        at: usize,
        /// The fault at that place.
        fault: JsonFault,
    },
    /// An object lacks a field.
    Missing {
        /// Where the object begins.
        at: usize,
        /// The field.
        field: &'static str,
    },
    /// A field has a value that it cannot have.
    Bad {
        /// Where the value ends.
        at: usize,
        /// The field.
        field: &'static str,
    },
    /// The manifest follows another schema.
    Schema,
    /// The modules were built for another ABI.
    Abi {
        /// The version found.
        found: u32,
    },
    /// There are too many kernels, or none.
    KernelCount {
        /// How many there are.
        count: usize,
    },
    /// The pack has no such kernel.
    UnknownKernel,
    /// The pack has the kernel twice.
    DuplicateKernel {
        /// Where the second entry ends.
        at: usize,
    },
    /// The kernel shares a file with another one, at least on systems that ignore case.
    DuplicateFile {
        /// Where the other kernel's entry ends.
        at: usize,
    },
    /// The pack needs a newer runtime.
    RuntimeTooOld,
    /// The pack does not support a runtime this new.
    RuntimeTooNew,
    /// The kernel lists other engines, but not this one.
    UnsupportedEngine,
    /// The kernel needs a newer engine.
    EngineTooOld,
    /// The kernel's module needs a WebAssembly feature that the engine does not have.
    MissingFeature,
    /// The pack has no code for this target.
    NoCode,
    /// The code for this target was compiled by another version of the engine.
    CodeVersion,
    /// The bytes are not those that were signed.
    HashMismatch {
        /// The digest in the manifest.
        expected: Digest,
        /// The digest of the bytes.
        actual: Digest,
    },
}

/// A fault at a place in the JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonFault {
    /// The JSON is malformed or ends too early, or a value has the wrong type.
    Syntax,
    /// An object has the key twice.
    RepeatedKey,
    /// The object has no field with this key.
    UnknownField,
    /// A string that a device reads contains escapes, which it never needs.
    Escaped,
    /// Arrays and objects are nested too deeply.
    TooDeep,
    /// The value is not a whole number below 2³².
    NotU32,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { size } => {
                write!(f, "the manifest has {size} bytes, more than the limit of {MAX_MANIFEST_BYTES}")
            }
            Self::NoKeys => {
                f.write_str("no trusted keys are configured; give the device the public key that signs its packs")
            }
            Self::BadKey { index, fault } => write!(f, "key {index} of the device: {fault}"),
            Self::MalformedSignature { len } => {
                write!(
                    f,
                    "the signature has {len} bytes, but an Ed25519 signature has {SIGNATURE_BYTES}; fetch it again"
                )
            }
            Self::NoTrustedKey => f.write_str("no trusted key signed this manifest, or it was changed after signing"),
            Self::KeyRevoked { index } => write!(f, "key {index}, which signed this manifest, is revoked"),
            Self::KeyExpired { index, not_after } => {
                write!(f, "key {index}, which signed this manifest, was trusted until Unix time {not_after}")
            }
            Self::NoClock { index } => {
                write!(
                    f,
                    "key {index}, which signed this manifest, expires, but this device has no time; set its clock"
                )
            }
            Self::NotForNative => {
                f.write_str("the key that signed this manifest is not trusted for native code; interpret the module")
            }
            Self::NotUtf8 { at } => write!(f, "the manifest is not UTF-8 at byte {at}"),
            Self::Json { at, fault } => write!(f, "the manifest cannot be read at byte {at}: {fault}"),
            Self::Missing { at, field } => write!(f, "the object at byte {at} of the manifest lacks {field:?}"),
            Self::Bad { at, field } => {
                write!(f, "{field:?} has an invalid value, which ends at byte {at} of the manifest")
            }
            Self::Schema => f.write_str("the manifest follows another schema; use another version of kernelpack"),
            Self::Abi { found } => {
                let supported = kernelpack_abi::ABI_VERSION;
                write!(f, "the pack was built for ABI version {found}, but this build runs {supported}")
            }
            Self::KernelCount { count } => write!(f, "the pack has {count} kernels; 1 to {MAX_KERNELS} are allowed"),
            Self::UnknownKernel => f.write_str("the pack has no such kernel"),
            Self::DuplicateKernel { at } => {
                write!(f, "the pack has the kernel twice; the second entry ends at byte {at}")
            }
            Self::DuplicateFile { at } => {
                write!(f, "the entry that ends at byte {at} also claims a file of the kernel")
            }
            Self::RuntimeTooOld => f.write_str("the pack needs a newer runtime"),
            Self::RuntimeTooNew => f.write_str("the pack does not support a runtime this new"),
            Self::UnsupportedEngine => f.write_str("the kernel does not support this engine"),
            Self::EngineTooOld => f.write_str("the kernel needs a newer version of the engine"),
            Self::MissingFeature => f.write_str("the kernel's module needs a feature that the engine does not have"),
            Self::NoCode => f.write_str("the pack has no code for this target; interpret the module"),
            Self::CodeVersion => {
                f.write_str("the code was compiled by another version of the engine; interpret the module")
            }
            Self::HashMismatch { expected, actual } => {
                write!(f, "the file's digest is {actual}, but the manifest says {expected}; fetch the pack again")
            }
        }
    }
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "the JSON is malformed, or a value has the wrong type",
            Self::RepeatedKey => "the object has this key twice",
            Self::UnknownField => "the field is unknown",
            Self::Escaped => "escapes are not allowed here",
            Self::TooDeep => "it is nested too deeply",
            Self::NotU32 => "expected a whole number below 4294967296",
        })
    }
}

impl core::error::Error for Refused {}
