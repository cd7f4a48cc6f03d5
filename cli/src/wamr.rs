//! WAMR with the settings of the command line.

use std::{path::Path, time::Duration};

use kernelpack_host::{
    Error, Runtime, RuntimeBuilder,
    engine::{Execution, Interruption, NativeCompiler, Wamr as Engine},
};

/// Room for instances with gigabytes of linear memory. Unused parts take no memory.
const POOL: usize = 2 << 30;

/// The time limit of a call, which is high since interpreted kernels are a hundred times slower than compiled ones.
const MAX_BUDGET: Duration = Duration::from_secs(10);

/// The engine's settings.
#[derive(Clone, Debug)]
pub(crate) struct Wamr(Engine);

impl Wamr {
    /// Interprets kernels.
    pub(crate) fn interpreted() -> Self {
        Self::with(Execution::Interpreted)
    }

    /// Runs native code.
    pub(crate) fn native() -> Self {
        Self::with(Execution::Native)
    }

    fn with(execution: Execution) -> Self {
        Self(Engine::new().execution(execution).pool_bytes(POOL))
    }

    /// Returns the settings of a runtime, apart from those of the engine.
    pub(crate) fn runtime() -> RuntimeBuilder {
        Runtime::embedded().max_budget(MAX_BUDGET)
    }

    /// Keeps compiled code in this folder.
    pub(crate) fn compile_cache(self, dir: &Path) -> Self {
        Self(self.0.compile_cache(dir))
    }

    /// Never stops a call.
    pub(crate) fn never_interrupted(self) -> Self {
        Self(self.0.interruption(Interruption::Never))
    }

    /// Compiles native code with this program, or with the one that a search finds.
    pub(crate) fn compile_native(self, program: Option<&Path>) -> Self {
        Self(self.0.compile_native(program.map_or_else(NativeCompiler::find, NativeCompiler::at)))
    }

    /// Builds a runtime with this engine.
    ///
    /// # Errors
    /// The engine does not start.
    pub(crate) fn build(self, runtime: RuntimeBuilder) -> Result<Runtime, Error> {
        runtime.engine(self.0).build()
    }
}
