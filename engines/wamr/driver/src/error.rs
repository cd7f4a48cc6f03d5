//! Errors of compiling in a separate process.

use std::{io, path::PathBuf, time::Duration};

use kernelpack_manifest::{AotFault, AotTarget, Digest};
use semver::Version;

/// The reason why nothing was compiled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompilerError {
    /// The program does not exist.
    #[error(
        "there is no {}: build kernelpack-wamr-compiler (it needs llvm-14-dev and g++), or set KERNELPACK_WAMRC to where \
         it is",
        program.display()
    )]
    NoCompiler {
        /// The path that was tried.
        program: PathBuf,
    },
    /// The program was built without LLVM.
    #[error("{reason}")]
    NoLlvm {
        /// Its message, which says what to install.
        reason: String,
    },
    /// The program is not `kernelpack-wamrc`.
    #[error("{} is not kernelpack-wamrc: {said}", program.display())]
    NotTheCompiler {
        /// The program.
        program: PathBuf,
        /// Its output.
        said: String,
    },
    /// The program cannot be run.
    #[error("cannot run {}: {error}", program.display())]
    Run {
        /// The program.
        program: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// The compiler rejects a module.
    #[error("kernel {kernel:?} cannot be compiled for {target}: {reason}")]
    Refused {
        /// The kernel's id.
        kernel: String,
        /// The target.
        target: AotTarget,
        /// The compiler's message.
        reason: String,
    },
    /// The compiler ended in an unexpected way.
    #[error(
        "the compiler crashed on kernel {kernel:?} for {target} ({status}){}{said}",
        if said.is_empty() { "" } else { ": " }
    )]
    Crashed {
        /// The kernel's id.
        kernel: String,
        /// The target.
        target: AotTarget,
        /// How the process ended.
        status: String,
        /// The end of its output.
        said: String,
    },
    /// The compiler took too long.
    #[error("the compiler did not end within {limit:?} on kernel {kernel:?} for {target}")]
    TimedOut {
        /// The kernel's id.
        kernel: String,
        /// The target.
        target: AotTarget,
        /// The time limit.
        limit: Duration,
    },
    /// The compiler reports success, but its output does not belong to this module.
    #[error("what the compiler made of kernel {kernel:?} for {target} is not its file: {fault}")]
    Unexpected {
        /// The kernel's id.
        kernel: String,
        /// The target.
        target: AotTarget,
        /// The fault.
        fault: OutputFault,
    },
    /// The compiler's working folder cannot be created.
    #[error("there is no folder for the compiler among the temporary files: {error}")]
    Folder {
        /// The system's error.
        error: io::Error,
    },
}

impl CompilerError {
    /// Returns whether the machine lacked memory or file descriptors to run the compiler.
    pub fn is_shortage(&self) -> bool {
        match self {
            Self::Run { error, .. } | Self::Folder { error } => kernelpack_files::is_shortage(error),
            _ => false,
        }
    }
}

/// The fault in a file that the compiler made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutputFault {
    /// The file is missing, not a regular file, or too large.
    #[error("it cannot be read: {0}")]
    Unreadable(io::Error),
    /// No host would load the file.
    #[error(transparent)]
    Unloadable(#[from] AotFault),
    /// The file is for another target.
    #[error("it is for {found}")]
    Target {
        /// The target in its record.
        found: AotTarget,
    },
    /// The file was made from another module.
    #[error("it is of the module {found}, not of {expected}")]
    Source {
        /// The digest of the module to be compiled.
        expected: Digest,
        /// The digest in its record.
        found: Digest,
    },
    /// The file was made by another version than the compiler reports.
    #[error("it is by WAMR {found}, and the compiler says that it is {expected}")]
    Version {
        /// The version that the compiler reports.
        expected: Version,
        /// The version in the file.
        found: Version,
    },
}

impl From<io::Error> for OutputFault {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}
