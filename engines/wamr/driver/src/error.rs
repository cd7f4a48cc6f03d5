//! Why nothing was compiled.

use std::{io, path::PathBuf, time::Duration};

use kernelpack_manifest::{AotFault, AotTarget, Digest};
use semver::Version;

/// Why nothing was compiled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompilerError {
    /// The program is not there.
    #[error(
        "there is no {}: build kernelpack-wamr-compiler (it needs llvm-14-dev and g++), or set KERNELPACK_WAMRC to where \
         it is",
        program.display()
    )]
    NoCompiler {
        /// Where it was looked for.
        program: PathBuf,
    },
    /// The program was built where LLVM was not installed.
    #[error("{reason}")]
    NoLlvm {
        /// What it says, with what is to be installed.
        reason: String,
    },
    /// The program is something else.
    #[error("{} is not kernelpack-wamrc: {said}", program.display())]
    NotTheCompiler {
        /// The program.
        program: PathBuf,
        /// What it says.
        said: String,
    },
    /// The program cannot be run.
    #[error("cannot run {}: {error}", program.display())]
    Run {
        /// The program.
        program: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The compiler refuses a module.
    #[error("kernel {kernel:?} cannot be compiled for {target}: {reason}")]
    Refused {
        /// The kernel's id.
        kernel: String,
        /// The machine.
        target: AotTarget,
        /// What the compiler says.
        reason: String,
    },
    /// The compiler ended in another way than it should.
    #[error(
        "the compiler crashed on kernel {kernel:?} for {target} ({status}){}{said}",
        if said.is_empty() { "" } else { ": " }
    )]
    Crashed {
        /// The kernel's id.
        kernel: String,
        /// The machine.
        target: AotTarget,
        /// How the process ended.
        status: String,
        /// What it said at last.
        said: String,
    },
    /// The compiler took too long.
    #[error("the compiler did not end within {limit:?} on kernel {kernel:?} for {target}")]
    TimedOut {
        /// The kernel's id.
        kernel: String,
        /// The machine.
        target: AotTarget,
        /// The time it was given.
        limit: Duration,
    },
    /// The compiler says that it succeeded, and what it made is no file of this module.
    #[error("what the compiler made of kernel {kernel:?} for {target} is not its file: {fault}")]
    Unexpected {
        /// The kernel's id.
        kernel: String,
        /// The machine.
        target: AotTarget,
        /// What is wrong with it.
        #[source]
        fault: OutputFault,
    },
    /// There is no folder that the compiler could work in.
    #[error("there is no folder for the compiler among the temporary files: {error}")]
    Folder {
        /// The system's words.
        error: io::Error,
    },
}

/// What is wrong with a file that the compiler made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutputFault {
    /// It is not there, no regular file, or too large.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// No host would load it.
    #[error(transparent)]
    Unloadable(#[from] AotFault),
    /// It is for another machine.
    #[error("it is for {found}")]
    Target {
        /// The machine that it says.
        found: AotTarget,
    },
    /// It is of another module.
    #[error("it is of the module {found}, not of {expected}")]
    Source {
        /// The digest of the module that was to be compiled.
        expected: Digest,
        /// The digest that it says.
        found: Digest,
    },
    /// It is of another version than the compiler says of itself.
    #[error("it is by WAMR {found}, and the compiler says that it is {expected}")]
    Version {
        /// The version that the compiler says.
        expected: Version,
        /// The version that the file says.
        found: Version,
    },
}
