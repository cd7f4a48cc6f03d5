//! Errors, split by who is at fault.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use kernelpack_abi::{DType, Shape, ShapeError, ViewError};
use kernelpack_engine::{Backtrace, CompileError, KernelError, StartError};
use kernelpack_manifest::{Rejected, TrustStoreError, VerifyError};
use semver::Version;

use crate::BadCall;

/// Why opening a pack or calling a kernel failed.
///
/// # Example: one error type for making tensors and calling kernels
/// ```
/// use kernelpack_host::{Error, abi::TensorView};
///
/// fn row(data: &[f32]) -> Result<TensorView<'_, f32>, Error> {
///     Ok(TensorView::new(data, &[1, 3])?)
/// }
/// assert!(row(&[1.0, 2.0, 3.0]).is_ok());
/// assert_eq!(row(&[]).unwrap_err().to_string(), "bad call: a 1x3 tensor has 3 elements, but the slice given has 0");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The pack is at fault: it is not what a trusted key signed, or not what its manifest says.
    #[error("pack rejected: {0}")]
    Rejected(Box<Rejected>),
    /// The caller is at fault: wrong names, shapes, types or sizes. The sandbox was not entered.
    #[error("bad call: {0}")]
    BadCall(Box<BadCall>),
    /// The kernel is at fault: it trapped, ran out of its budget or returned a failure.
    #[error(transparent)]
    Kernel(#[from] Box<KernelFailure>),
    /// The kernel is at fault: it failed so often that the sandbox does not try it again for a while.
    #[error(transparent)]
    OutOfService(#[from] Box<OutOfService>),
    /// The operator is at fault: the trust store cannot be used.
    #[error(transparent)]
    TrustStore(#[from] Box<TrustFileError>),
    /// The engine or the machine is at fault.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Kernelpack is at fault: one of its own invariants does not hold.
    #[error("an invariant of Kernelpack does not hold: {0}; please report this")]
    Internal(&'static str),
}

/// Errors from making tensors, verifying packs and starting engines convert too, so that one `?` covers them all.
macro_rules! convert {
    ($($from:ty => $variant:ident($into:expr)),+ $(,)?) => {
        $(impl From<$from> for Error {
            fn from(error: $from) -> Self {
                Self::$variant($into(error).into())
            }
        })+
    };
}

convert! {
    Box<Rejected> => Rejected(|boxed| boxed),
    Box<BadCall> => BadCall(|boxed| boxed),
    Rejected => Rejected(Box::new),
    BadCall => BadCall(Box::new),
    ViewError => BadCall(BadCall::View),
    ShapeError => BadCall(|error| BadCall::View(ViewError::Shape(error))),
    VerifyError => Rejected(Rejected::Unverified),
    KernelFailure => Kernel(Box::new),
    OutOfService => OutOfService(Box::new),
    TrustFileError => TrustStore(Box::new),
    StartError => Engine(EngineError::Start),
}

/// The failure of a kernel, and the pack that it came from.
#[derive(Debug)]
#[non_exhaustive]
pub struct KernelFailure {
    /// The kernel's id.
    pub kernel: Arc<str>,
    /// The pack's name.
    pub pack: Arc<str>,
    /// The pack's version.
    pub version: Version,
    /// What happened.
    pub error: KernelError,
    /// Where in the kernel it happened; empty if the kernel returned by itself, or ran natively.
    pub backtrace: Backtrace,
}

// Implemented by hand: the derive macro takes a field of type `Backtrace` for the standard library's.
impl fmt::Display for KernelFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kernel, pack, version, error, .. } = self;
        write!(f, "kernel {kernel:?} of pack {pack:?} {version}: {error}")
    }
}

impl std::error::Error for KernelFailure {}

/// A kernel that a runtime's [`BreakerPolicy`](crate::BreakerPolicy) has taken out of service.
#[derive(Debug, thiserror::Error)]
#[error(
    "kernel {kernel:?} of pack {pack:?} {version} kept failing and is out of service; it will be tried again in \
     {retry_in:.1?}"
)]
#[non_exhaustive]
pub struct OutOfService {
    /// The kernel's id.
    pub kernel: Arc<str>,
    /// The pack's name.
    pub pack: Arc<str>,
    /// The pack's version.
    pub version: Version,
    /// How long until a call may try it again.
    pub retry_in: Duration,
}

/// A trust store that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("trust store {path:?}: {fault}")]
pub struct TrustFileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub fault: TrustStoreError,
}

/// A compiler already names the kernel in its message.
fn uncompiled(kernel: &str, error: &CompileError) -> String {
    match error {
        CompileError::Compiler(error) => error.to_string(),
        error => format!("kernel {kernel:?} does not compile: {error}"),
    }
}

/// How long a call waited; empty if it did not wait.
fn after(waited: Duration) -> String {
    if waited.is_zero() { String::new() } else { format!(" after {} ms of waiting", waited.as_millis()) }
}

/// A failure of the engine or the machine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The runtime was given a setting that it cannot have.
    #[error("the runtime cannot be configured: {0}")]
    Configure(String),
    /// The engine cannot start.
    #[error(transparent)]
    Start(StartError),
    /// The engine cannot compile a verified module.
    #[error("{}", uncompiled(.kernel, .error))]
    Compile {
        /// The kernel's id.
        kernel: String,
        /// Why.
        error: CompileError,
    },
    /// The runtime allows less than a module starts with.
    #[error("kernel {kernel:?} starts with {needed} {what}, but this runtime allows {limit}; raise its limit")]
    CeilingTooLow {
        /// The kernel's id.
        kernel: String,
        /// What exceeds the limit.
        what: &'static str,
        /// How much the module starts with.
        needed: u32,
        /// How much the runtime allows.
        limit: u32,
    },
    /// A kernel is to run natively, but has no reference implementation.
    #[error("kernel {kernel:?} cannot be placed natively: {reason}")]
    NoReference {
        /// The kernel's id.
        kernel: String,
        /// Why it has none.
        reason: String,
    },
    /// An instance could not be made.
    #[error("kernel {kernel:?} cannot be instantiated: {message}")]
    Instantiate {
        /// The kernel's id.
        kernel: Arc<str>,
        /// The engine's message.
        message: String,
        /// Whether the kernel's module is at fault. If not, the machine lacks what an instance takes: address space,
        /// memory or mappings.
        by_module: bool,
    },
    /// The machine lacks the memory for a tensor that the kernel's limits allow.
    #[error("kernel {kernel:?} needs {pages} more pages of 64 KiB, which the engine cannot provide")]
    OutOfMemory {
        /// The kernel's id.
        kernel: Arc<str>,
        /// The pages requested.
        pages: u64,
    },
    /// The machine lacks the memory for a tensor.
    #[error("not enough memory for a {shape} {dtype} tensor ({} bytes)", .shape.bytes(*.dtype))]
    NoMemory {
        /// The tensor's shape.
        shape: Shape,
        /// The type of its elements.
        dtype: DType,
    },
    /// The system cannot map a tensor into the kernel's memory.
    #[error("the tensors of kernel {kernel:?} cannot be mapped: {error}")]
    Unmappable {
        /// The kernel's id.
        kernel: Arc<str>,
        /// The system's error.
        error: std::io::Error,
    },
    /// Every instance of the kernel is busy, and it may not have more.
    #[error(
        "all {limit} instances of kernel {kernel:?} are busy{}; call from fewer threads, drop prepared calls, or let the \
         pool grow (`WhenFull::Grow`, up to the runtime's `max_instances`)",
        after(*.waited)
    )]
    Busy {
        /// The kernel's id.
        kernel: Arc<str>,
        /// The instances that it may have.
        limit: u32,
        /// How long the call waited for one; zero if the pool's policy is not to wait.
        waited: Duration,
    },
    /// The bindings of a kernel already have all the instances that they may have.
    #[error(
        "the bindings of kernel {kernel:?} already have all {limit} instances that they may have; drop some bindings, or \
         raise the runtime's `max_bindings`"
    )]
    TooManyBindings {
        /// The kernel's id.
        kernel: Arc<str>,
        /// The instances that they may have.
        limit: u32,
    },
    /// A pack's path does not lead to a folder.
    #[error("{path:?} is not a folder; name the folder of a pack")]
    NotAFolder {
        /// The path.
        path: PathBuf,
    },
    /// A file could not be read.
    #[error("cannot read {path:?}: {error}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        error: std::io::Error,
    },
}
