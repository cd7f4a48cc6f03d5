//! Why a pack is refused.

use crate::{
    AotFault, AotTarget, CompatibilityResult, Digest, KernelFault, ModuleFault, VectorFault, VerifyError,
    manifest::{MAX_KERNELS, SCHEMA, SIGNATURE_FILE},
    vector::entry::MAX_PACK_HEALTH_BYTES,
};

/// Why a pack, its manifest or one of its modules is refused.
///
/// A refusal is about the pack's bytes; what is wrong inside one kernel's entry or module is in [`KernelFault`] and
/// [`ModuleFault`].
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// The signature does not hold.
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
        /// Offset of the first byte that is not.
        at: usize,
    },
    /// An object of the manifest has a key twice.
    #[error("the manifest has the key {key:?} twice in one object (line {line} column {column}); keep one")]
    DuplicateKey {
        /// The key.
        key: String,
        /// The line where it stands again.
        line: usize,
        /// The column there.
        column: usize,
    },
    /// The manifest is no JSON, or a field is missing, unknown or of another form.
    #[error("the manifest cannot be read: {}{message}", describe_place(path, kernel))]
    Malformed {
        /// Where, as in `kernels[0].inputs[1].dtype`; empty if the whole is meant.
        path: String,
        /// The kernel whose entry it is, if it is one's and that has a name.
        kernel: Option<String>,
        /// What is wrong there, with line and column.
        message: String,
    },
    /// `$schema` is none of ours.
    #[error("the manifest's \"$schema\" is {found:?}, which is not that of a kernel pack; this build reads {SCHEMA:?}")]
    UnknownSchema {
        /// The value found.
        found: String,
    },

    /// The pack has no name.
    #[error("the pack has no name; give it one")]
    NoName,
    /// A text has control characters, or marks that turn the direction of writing, which could deceive whoever reads
    /// it on a terminal.
    #[error("the pack's {field} contains control characters: {text:?}; remove them")]
    ControlCharacters {
        /// The field.
        field: &'static str,
        /// The text.
        text: String,
    },
    /// The runtime versions exclude each other.
    #[error("min_runtime_version {min} is above max_runtime_version {max}; no runtime could load the pack")]
    VersionsCrossed {
        /// The lower bound.
        min: semver::Version,
        /// The upper bound.
        max: semver::Version,
    },
    /// `created_at` is no time.
    #[error("created_at is {value:?}; write a time in UTC, such as \"2026-01-18T00:00:00Z\"")]
    BadTime {
        /// The value.
        value: String,
    },
    /// The author's signing key is no public key.
    #[error("author.signing_key cannot be used: {0}")]
    BadSigningKey(crate::KeyError),
    /// There are no kernels.
    #[error("the pack has no kernels; add one")]
    NoKernels,
    /// There are too many kernels.
    #[error("the pack has {count} kernels, more than the limit of {MAX_KERNELS}; split the pack")]
    TooManyKernels {
        /// Kernels given.
        count: usize,
    },
    /// Two kernels have one id.
    #[error("two kernels have the id {id:?}; rename one")]
    DuplicateKernel {
        /// The id.
        id: String,
    },
    /// Two kernels have one file, on systems that ignore case at least.
    #[error("kernels {first:?} and {second:?} both claim the file {path:?}; file names must differ in more than case")]
    DuplicatePath {
        /// The file, as the second kernel writes it.
        path: String,
        /// One kernel.
        first: String,
        /// The other.
        second: String,
    },
    /// A path could lead out of the pack, or means different files on different systems.
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
        /// What is wrong.
        #[source]
        fault: KernelFault,
    },
    /// A module is not what its kernel's entry says.
    #[error("the module of kernel {kernel:?}: {fault}")]
    Module {
        /// The kernel's id.
        kernel: String,
        /// What is wrong.
        #[source]
        fault: ModuleFault,
    },
    /// A module for one engine is not what its kernel's entry says.
    #[error("the module {path:?} of kernel {kernel:?}: {fault}")]
    Variant {
        /// The kernel's id.
        kernel: String,
        /// The path of the module inside the pack.
        path: String,
        /// What is wrong.
        #[source]
        fault: ModuleFault,
    },
    /// A compiled file is not what its entry says, or nothing that a host loads.
    #[error("the compiled file {path:?} of kernel {kernel:?}: {fault}")]
    Aot {
        /// The kernel's id.
        kernel: String,
        /// The path of the file inside the pack.
        path: String,
        /// What is wrong.
        #[source]
        fault: Box<AotFault>,
    },
    /// The pack has native code, and its signer is not trusted for that.
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
    /// A health vector is none of its kernel's.
    #[error("the health vector {path:?} of kernel {kernel:?}: {fault}")]
    Vector {
        /// The kernel's id.
        kernel: String,
        /// The path of the vector inside the pack.
        path: String,
        /// What is wrong.
        #[source]
        fault: VectorFault,
    },
    /// The health vectors of a pack have too many bytes together.
    #[error("the health vectors have more than {MAX_PACK_HEALTH_BYTES} bytes in total; use fewer or smaller ones")]
    VectorsTooLarge,
    /// The pack has no kernel of this id.
    #[error("the pack has no kernel {kernel:?}")]
    UnknownKernel {
        /// The id asked for.
        kernel: String,
    },
    /// The pack does not fit this build, runtime or engine. Never holds [`CompatibilityResult::Compatible`].
    #[error("{0}")]
    Incompatible(CompatibilityResult),

    /// A file of the pack is not there.
    #[error("{}", describe_missing(path))]
    MissingFile {
        /// The path inside the pack.
        path: String,
    },
    /// The pack has a file that its manifest does not name, so nobody signed it.
    #[error("the pack has the file {path:?}, which its manifest does not name; remove it")]
    UnexpectedFile {
        /// The path inside the pack.
        path: String,
    },
    /// A file's name is taken by something else: a link, a folder or a device.
    #[error("{path:?} in the pack is not a regular file; put the file itself there")]
    NotAFile {
        /// The path inside the pack.
        path: String,
    },
    /// The modules together are more than a host reads or compiles for one pack.
    #[error("kernel {kernel:?} brings the pack to more than {limit} bytes of {what}; split the pack")]
    PackTooLarge {
        /// The kernel with which it became too much.
        kernel: String,
        /// Modules, or their code.
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
