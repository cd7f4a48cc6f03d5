//! Errors, split by who is at fault.

mod config;
mod file;
mod load;
mod resources;

use std::{fmt, io, path::PathBuf, sync::Arc, time::Duration};

use kernelpack_abi::{ShapeError, ViewError};
use kernelpack_engine::{Backtrace, CompileError, KernelError, NoInstance, StartError};
use kernelpack_files::is_shortage;
use kernelpack_manifest::{Rejected, TrustStoreError, VerifyError};
use semver::Version;

pub use self::{config::ConfigError, file::FileError, load::LoadError, resources::ResourceError};
use crate::BadCall;

/// The reason why opening a pack or calling a kernel failed.
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
    /// The program is at fault: a setting of the runtime or its engine cannot be used, or does not suit the pack.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file or folder cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The machine or the runtime is short of something, such as memory, threads or free instances. The same may work
    /// later.
    #[error(transparent)]
    Resources(#[from] ResourceError),
    /// The engine does not take a module that was verified.
    #[error(transparent)]
    Load(#[from] LoadError),
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
}

impl From<StartError> for Error {
    fn from(error: StartError) -> Self {
        if error.is_shortage() { ResourceError::Start(error).into() } else { ConfigError::Start(error).into() }
    }
}

impl Error {
    /// Makes the error for a file or folder that the system cannot read.
    pub(crate) fn unread(path: impl Into<PathBuf>, error: io::Error) -> Self {
        let path = path.into();
        if is_shortage(&error) {
            ResourceError::Read { path, error }.into()
        } else {
            FileError::Read { path, error }.into()
        }
    }

    /// Makes the error for a kernel whose verified module the engine does not take.
    pub(crate) fn uncompiled(kernel: &str, error: CompileError) -> Self {
        let kernel = kernel.to_owned();
        match error {
            CompileError::OutOfMemory(message) => ResourceError::Compile { kernel, message }.into(),
            CompileError::NoCompiler(error) => ConfigError::Compiler(error).into(),
            error => LoadError::Compile { kernel, error }.into(),
        }
    }

    /// Makes the error for a kernel of which no instance can be made.
    pub(crate) fn no_instance(kernel: Arc<str>, error: NoInstance) -> Self {
        let NoInstance { message, by_module } = error;
        if by_module {
            LoadError::Instantiate { kernel, message }.into()
        } else {
            ResourceError::Instantiate { kernel, message }.into()
        }
    }
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
    /// The time until a call may try the kernel again.
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
