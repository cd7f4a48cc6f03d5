//! The compiler that a runtime uses for native code.

use std::{path::PathBuf, time::Duration};

use kernelpack_wamr_driver::{Compiler, CompilerError, locate};

/// WAMR's ahead-of-time compiler, `kernelpack-wamrc`, which a host runs to compile kernels itself; see
/// [`Wamr::compile_native`](crate::Wamr::compile_native).
///
/// Only the checks in its output keep that code in its sandbox. By naming a program here, you vouch that it is this
/// compiler and that nobody else can change it.
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
    /// `None` if it is to be located.
    program: Option<PathBuf>,
    time_limit: Duration,
}

impl NativeCompiler {
    /// Uses the program that the environment variable `KERNELPACK_WAMRC` names, else the one in the folder of the
    /// running program, else the first in `PATH`; it is located when the runtime is built. If others control the
    /// environment, as in programs that run with another user's rights, name the program with [`at`](Self::at).
    pub fn find() -> Self {
        Self { program: None, time_limit: Compiler::TIME_LIMIT }
    }

    /// Uses this program; a relative path starts from the current folder.
    pub fn at(program: impl Into<PathBuf>) -> Self {
        Self { program: Some(program.into()), ..Self::find() }
    }

    /// Limits the time for one kernel, five minutes by default. A compilation that takes longer is stopped, and the
    /// kernel is rejected.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Locates the program and reads its version.
    pub(crate) fn locate(&self) -> Result<Compiler, CompilerError> {
        let program = self.program.clone().map_or_else(locate, Ok)?;
        Compiler::at(program, self.time_limit)
    }

    /// Returns the path that it is named by; empty if it is to be located.
    pub(crate) fn name(&self) -> &[u8] {
        self.program.as_ref().map_or(&[], |program| program.as_os_str().as_encoded_bytes())
    }
}
