//! The reasons why a pack is refused.

use kernelpack_verify::{MAX_KERNELS, SCHEMA};

use crate::{
    AotFault, AotTarget, CompatibilityResult, Digest, KernelFault, MAX_PACK_HEALTH_BYTES, ModuleFault, SIGNATURE_FILE,
    VectorFault, VerifyError,
};

/// The reason why a pack, its manifest or one of its modules is refused.
///
/// Faults inside one kernel's entry or module are described by [`KernelFault`] and [`ModuleFault`].
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// The signature is not valid, or its key is not trusted.
    #[error(transparent)]
    Unverified(#[from] VerifyError),
    /// The bytes of a module are not those that were signed.
    #[error(
        "the module of kernel {kernel:?} ({path:?}) has the digest {actual}, but the manifest says {expected}; \
         fetch the pack again"
    )]
    HashMismatch {
        /// The kernel's id.
        kernel: String,
        /// The path of the module inside the pack.
        path: String,
        /// The digest in the manifest.
        expected: Digest,
        /// The digest of the bytes.
        actual: Digest,
    },

    /// The bytes of a health vector are not those that were signed.
    #[error(
        "the health vector {path:?} of kernel {kernel:?} has the digest {actual}, but the manifest says {expected}; \
         fetch the pack again"
    )]
    VectorMismatch {
        /// The kernel's id.
        kernel: String,
        /// The path of the vector inside the pack.
        path: String,
        /// The digest in the manifest.
        expected: Digest,
        /// The digest of the bytes.
        actual: Digest,
    },

    /// The manifest has too many bytes.
    #[error("the manifest has {size} bytes, more than the limit of {limit}; split the pack")]
    ManifestTooLarge {
        /// Bytes given.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The manifest is not UTF-8.
    #[error("the manifest is not UTF-8 at byte {at}; write it as UTF-8 without a byte order mark")]
    NotUtf8 {
        /// Offset of the first invalid byte.
        at: usize,
    },
    /// An object of the manifest has a key twice.
    #[error("the manifest has the key {key:?} twice in one object (line {line} column {column}); keep one")]
    DuplicateKey {
        /// The key.
        key: String,
        /// The line of the second occurrence.
        line: usize,
        /// The column of the second occurrence.
        column: usize,
    },
    /// The manifest is not JSON, or a field is missing, unknown or of the wrong type.
    #[error("the manifest cannot be read: {}{message}", describe_place(path, kernel))]
    Malformed {
        /// The place, such as `kernels[0].inputs[1].dtype`; empty for the whole manifest.
        path: String,
        /// The id of the kernel whose entry is at fault, if there is one.
        kernel: Option<String>,
        /// A description of the fault, with its line and column.
        message: String,
    },
    /// `$schema` is not that of a kernel pack.
    #[error("the manifest's \"$schema\" is {found:?}, which is not that of a kernel pack; this build reads {SCHEMA:?}")]
    UnknownSchema {
        /// The value found.
        found: String,
    },

    /// The pack has no name.
    #[error("the pack has no name; give it one")]
    NoName,
    /// A text contains control characters or marks that change the writing direction, which could deceive people who
    /// read it on a terminal.
    #[error("the pack's {field} contains control characters: {text:?}; remove them")]
    ControlCharacters {
        /// The field.
        field: &'static str,
        /// The text.
        text: String,
    },
    /// The lowest supported runtime version is above the highest.
    #[error("min_runtime_version {min} is above max_runtime_version {max}; no runtime could load the pack")]
    VersionsCrossed {
        /// The lower bound.
        min: semver::Version,
        /// The upper bound.
        max: semver::Version,
    },
    /// `created_at` is not a timestamp.
    #[error("created_at is {value:?}; write a time in UTC, such as \"2026-01-18T00:00:00Z\"")]
    BadTime {
        /// The value.
        value: String,
    },
    /// The author's signing key is not a public key.
    #[error("author.signing_key cannot be used: {0}")]
    BadSigningKey(crate::KeyError),
    /// There are no kernels.
    #[error("the pack has no kernels; add one")]
    NoKernels,
    /// There are too many kernels.
    #[error("the pack has {count} kernels, more than the limit of {MAX_KERNELS}; split the pack")]
    TooManyKernels {
        /// How many kernels the pack has.
        count: usize,
    },
    /// Two kernels have the same id.
    #[error("two kernels have the id {id:?}; rename one")]
    DuplicateKernel {
        /// The id.
        id: String,
    },
    /// Two kernels claim the same file, at least on systems that ignore case.
    #[error("kernels {first:?} and {second:?} both claim the file {path:?}; file names must differ in more than case")]
    DuplicatePath {
        /// The path, as the second kernel spells it.
        path: String,
        /// One kernel.
        first: String,
        /// The other.
        second: String,
    },
    /// A path could lead out of the pack, or mean different files on different systems.
    #[error(
        "the path {path:?} is unsafe; use relative names of at most 255 ASCII letters, digits, '_', '.', '-', \
         separated by '/', without \".\" and \"..\""
    )]
    UnsafePath {
        /// The path.
        path: String,
    },
    /// `fallbacks` names a kernel that is not in the pack.
    #[error("fallbacks names the kernel {kernel:?}, which the pack does not have; remove it")]
    UnknownFallback {
        /// The name.
        kernel: String,
    },
    /// A kernel's entry contradicts itself or the ABI.
    #[error("kernel {kernel:?}: {fault}")]
    Kernel {
        /// The kernel's id.
        kernel: String,
        /// The fault.
        fault: KernelFault,
    },
    /// A module does not match its kernel's entry.
    #[error("the module of kernel {kernel:?}: {fault}")]
    Module {
        /// The kernel's id.
        kernel: String,
        /// The fault.
        fault: ModuleFault,
    },
    /// A module for one engine does not match its kernel's entry.
    #[error("the module {path:?} of kernel {kernel:?}: {fault}")]
    Variant {
        /// The kernel's id.
        kernel: String,
        /// The path of the module inside the pack.
        path: String,
        /// The fault.
        fault: ModuleFault,
    },
    /// A compiled file does not match its entry, or a host cannot load it.
    #[error("the compiled file {path:?} of kernel {kernel:?}: {fault}")]
    Aot {
        /// The kernel's id.
        kernel: String,
        /// The path of the file inside the pack.
        path: String,
        /// The fault.
        fault: Box<AotFault>,
    },
    /// The pack has native code, but its signer is trusted for modules only.
    #[error(
        "{path:?} of kernel {kernel:?} is native code, but the key {key}, which signed the pack, is trusted for modules \
         only; trust it for native code, or load the module instead"
    )]
    NativeNotTrusted {
        /// The kernel's id.
        kernel: String,
        /// The path of the file inside the pack.
        path: String,
        /// The key that signed.
        key: String,
    },
    /// The pack has no compiled file for this machine.
    #[error("kernel {kernel:?} has no compiled file for {target}; make one with `kernelpack aot`")]
    NoAot {
        /// The kernel's id.
        kernel: String,
        /// The machine.
        target: AotTarget,
    },
    /// A health vector does not fit its kernel.
    #[error("the health vector {path:?} of kernel {kernel:?}: {fault}")]
    Vector {
        /// The kernel's id.
        kernel: String,
        /// The path of the vector inside the pack.
        path: String,
        /// The fault.
        fault: VectorFault,
    },
    /// The health vectors of a pack have too many bytes in total.
    #[error("the health vectors have more than {MAX_PACK_HEALTH_BYTES} bytes in total; use fewer or smaller ones")]
    VectorsTooLarge,
    /// The pack has no kernel with this id.
    #[error("the pack has no kernel {kernel:?}")]
    UnknownKernel {
        /// The requested id.
        kernel: String,
    },
    /// The pack is not compatible with this build, runtime or engine. The result is never
    /// [`CompatibilityResult::Compatible`].
    #[error("{0}")]
    Incompatible(CompatibilityResult),

    /// A file of the pack is missing.
    #[error("{}", describe_missing(path))]
    MissingFile {
        /// The path inside the pack.
        path: String,
    },
    /// The pack has a file that its manifest does not name, so no signature covers it.
    #[error("the pack has the file {path:?}, which its manifest does not name; remove it")]
    UnexpectedFile {
        /// The path inside the pack.
        path: String,
    },
    /// The manifest names no health vector with this path for the kernel.
    #[error("the manifest names no health vector {path:?} for kernel {kernel:?}")]
    NoVector {
        /// The kernel's id.
        kernel: String,
        /// The path inside the pack.
        path: String,
    },
    /// Something else has a file's name: a link, a folder or a device.
    #[error("{path:?} in the pack is not a regular file; put the file itself there")]
    NotAFile {
        /// The path inside the pack.
        path: String,
    },
    /// The modules have more bytes in total than a host reads or compiles for one pack.
    #[error("kernel {kernel:?} brings the pack to more than {limit} bytes of {what}; split the pack")]
    PackTooLarge {
        /// The kernel that exceeded the limit.
        kernel: String,
        /// What is limited: `modules` or `code`.
        what: &'static str,
        /// Bytes allowed.
        limit: usize,
    },
    /// A file has too many bytes.
    #[error("the file {path:?} in the pack is larger than the limit of {limit} bytes")]
    FileTooLarge {
        /// The path inside the pack.
        path: String,
        /// Bytes allowed.
        limit: u64,
    },
}

impl CompatibilityResult {
    /// Converts the result to a `Result`.
    ///
    /// # Errors
    /// [`Rejected::Incompatible`], unless the result is [`Compatible`](Self::Compatible).
    pub fn into_result(self) -> Result<(), Rejected> {
        if self.is_compatible() { Ok(()) } else { Err(Rejected::Incompatible(self)) }
    }
}

fn describe_place(path: &str, kernel: &Option<String>) -> String {
    match (path, kernel) {
        ("", _) => String::new(),
        (path, None) => format!("{path}: "),
        (path, Some(kernel)) => format!("{path} (kernel {kernel:?}): "),
    }
}

fn describe_missing(path: &str) -> String {
    if path == SIGNATURE_FILE {
        format!(
            "the pack is not signed: it has no {SIGNATURE_FILE}; sign it with `kernelpack sign`, or fetch a signed one"
        )
    } else {
        format!("the pack has no file {path:?}; fetch the pack again")
    }
}
