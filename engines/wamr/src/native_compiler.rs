//! The compiler that a runtime makes native code with.

use std::{path::PathBuf, time::Duration};

use kernelpack_wamr_driver::{Compiler, CompilerError, locate};

/// WAMR's ahead-of-time compiler, `kernelpack-wamrc`, which a host runs to have native code of its own; for
/// [`Wamr::compile_native`](crate::Wamr::compile_native).
///
/// What it makes runs outside of any sandbox but the checks that it puts in, so naming a program here is the word that it
/// is this compiler and nobody else can change it.
///
/// # Example: a device that compiles for itself
/// ```no_run
/// use std::time::Duration;
///
/// use kernelpack_wamr::{NativeCompiler, Wamr};
///
/// let compiler = NativeCompiler::at("/usr/lib/my-engine/kernelpack-wamrc").time_limit(Duration::from_secs(30));
/// let engine = Wamr::new().compile_native(compiler).compile_cache("/var/cache/my-engine").start_engine()?;
/// # Ok::<(), kernelpack_engine::StartError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct NativeCompiler {
    /// None if it is to be found.
    program: Option<PathBuf>,
    time_limit: Duration,
}

impl NativeCompiler {
    /// The program that the environment names in `KERNELPACK_WAMRC`, else the one that lies beside the running program,
    /// else the first in `PATH`; it is looked for when the runtime is built. Where others decide over the environment, as
    /// in programs that run with another user's rights, name it with [`at`](Self::at).
    pub fn find() -> Self {
        Self { program: None, time_limit: Compiler::TIME_LIMIT }
    }

    /// This program; a path that is not absolute starts from the current folder.
    pub fn at(program: impl Into<PathBuf>) -> Self {
        Self { program: Some(program.into()), ..Self::find() }
    }

    /// How long one kernel may take; five minutes unless given. What takes longer is stopped and refused.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// The program, asked for what it is.
    pub(crate) fn locate(&self) -> Result<Compiler, CompilerError> {
        let program = self.program.clone().map_or_else(locate, Ok)?;
        Compiler::at(program, self.time_limit)
    }

    /// What it is named by; nothing if it is to be found.
    pub(crate) fn name(&self) -> &[u8] {
        self.program.as_ref().map_or(&[], |program| program.as_os_str().as_encoded_bytes())
    }
}
