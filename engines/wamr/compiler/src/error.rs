//! Errors of the compiler, and their exit statuses.

use std::{io, path::PathBuf};

use kernelpack_manifest::{AotFault, AotTargetError};

/// The reason why nothing was compiled.
#[derive(Debug, thiserror::Error)]
#[cfg_attr(llvm, allow(dead_code, reason = "each build makes its own"))]
#[cfg_attr(not(llvm), allow(dead_code, reason = "each build makes its own"))]
pub(crate) enum Error {
    /// The arguments are wrong.
    #[error("{}", crate::USAGE)]
    Usage,
    /// The target does not exist.
    #[error(transparent)]
    Target(AotTargetError),
    /// This program was built without LLVM.
    #[error("kernelpack-wamrc was built without LLVM ({missing}); then build kernelpack-wamr-compiler again")]
    NoLlvm {
        /// What was missing.
        missing: &'static str,
    },
    /// A file cannot be read or written.
    #[error("cannot {action} {}: {error}", path.display())]
    File {
        /// The attempted action.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        error: io::Error,
    },
    /// The module is larger than any in a pack may be.
    #[error("{} is larger than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit in bytes.
        limit: usize,
    },
    /// The compiler rejects the module.
    #[error("the module cannot be compiled: {reason}")]
    Refused {
        /// The compiler's message.
        reason: String,
    },
    /// The compiler's output is not what it should be.
    #[error("the compiler made a file that no host would load: {0}")]
    Unloadable(AotFault),
}

impl Error {
    /// Returns the exit status: 2 on wrong usage, 3 without LLVM, else 1.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Usage | Self::Target(_) => 2,
            Self::NoLlvm { .. } => 3,
            _ => 1,
        }
    }
}
