//! Why nothing was compiled.

use std::{io, path::PathBuf, time::Duration};

use kernelpack_manifest::AotTarget;

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
    #[error("what the compiler made of kernel {kernel:?} for {target} is not its file")]
    Unexpected {
        /// The kernel's id.
        kernel: String,
        /// The machine.
        target: AotTarget,
    },
}
