//! Why nothing was compiled, and the exit status that says so.

use std::{io, path::PathBuf};

use kernelpack_manifest::{AotFault, AotTargetError};

/// Why nothing was compiled.
#[derive(Debug, thiserror::Error)]
#[cfg_attr(llvm, allow(dead_code, reason = "each build makes its own"))]
#[cfg_attr(not(llvm), allow(dead_code, reason = "each build makes its own"))]
pub(crate) enum Error {
    /// The arguments are not what is expected.
    #[error("{}", crate::USAGE)]
    Usage,
    /// There is no such target.
    #[error(transparent)]
    Target(AotTargetError),
    /// This program was built where LLVM was not installed.
    #[error("kernelpack-wamrc was built without LLVM ({missing}); then build kernelpack-wamr-compiler again")]
    NoLlvm {
        /// What was missing.
        missing: &'static str,
    },
    /// A file cannot be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The module is larger than any that a pack may have.
    #[error("{} is larger than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Bytes allowed.
        limit: usize,
    },
    /// The compiler refuses the module.
    #[error("the module cannot be compiled: {reason}")]
    Refused {
        /// What it says.
        reason: String,
    },
    /// What the compiler made is not what it was to make.
    #[error("the compiler made a file that no host would load: {0}")]
    Unloadable(#[source] AotFault),
}

impl Error {
    /// 2 on wrong usage, 3 without LLVM, else 1.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Usage | Self::Target(_) => 2,
            Self::NoLlvm { .. } => 3,
            _ => 1,
        }
    }
}
