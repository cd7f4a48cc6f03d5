//! A runtime that is yet to be built, with the engine's settings beside it.

use std::{path::Path, time::Duration};

use kernelpack_host::{
    Error, Runtime, RuntimeBuilder,
    engine::{Execution, Interruption, NativeCompiler, Wamr, Wasmtime},
};

use crate::engine_arg::EngineArg;

/// Room for instances with gigabytes of linear memory. What is not used of it takes no memory.
const POOL: usize = 2 << 30;

/// Interpreted kernels take a hundred times as long as compiled ones.
const MAX_BUDGET: Duration = Duration::from_secs(10);

/// Settings of a runtime and of its engine.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    builder: RuntimeBuilder,
    engine: Engine,
}

#[derive(Clone, Debug)]
enum Engine {
    Wasmtime(Wasmtime),
    Wamr(Wamr),
}

impl Setup {
    /// A runtime with this engine that trusts nobody yet.
    pub(crate) fn new(engine: EngineArg) -> Self {
        let wamr = |execution| Engine::Wamr(Wamr::new().execution(execution).pool_bytes(POOL));
        let engine = match engine {
            EngineArg::Wasmtime => Engine::Wasmtime(Wasmtime::new()),
            EngineArg::Wamr => wamr(Execution::Interpreted),
            EngineArg::WamrAot => wamr(Execution::Native),
        };
        let builder = match engine {
            Engine::Wasmtime(_) => Runtime::server(),
            Engine::Wamr(_) => Runtime::embedded().max_budget(MAX_BUDGET),
        };
        Self { builder, engine }
    }

    /// Changes what does not depend on the engine.
    pub(crate) fn with(self, change: impl FnOnce(RuntimeBuilder) -> RuntimeBuilder) -> Self {
        Self { builder: change(self.builder), ..self }
    }

    /// Keeps compiled code in this folder.
    pub(crate) fn compile_cache(self, dir: &Path) -> Self {
        let engine = match self.engine {
            Engine::Wasmtime(engine) => Engine::Wasmtime(engine.compile_cache(dir)),
            Engine::Wamr(engine) => Engine::Wamr(engine.compile_cache(dir)),
        };
        Self { engine, ..self }
    }

    /// Never stops a call.
    pub(crate) fn never_interrupted(self) -> Self {
        let engine = match self.engine {
            Engine::Wasmtime(engine) => Engine::Wasmtime(engine.interruption(Interruption::Never)),
            Engine::Wamr(engine) => Engine::Wamr(engine.interruption(Interruption::Never)),
        };
        Self { engine, ..self }
    }

    /// Compiles native code here. Wasmtime needs none.
    pub(crate) fn compile_native(self, compiler: NativeCompiler) -> Self {
        let engine = match self.engine {
            Engine::Wasmtime(engine) => Engine::Wasmtime(engine),
            Engine::Wamr(engine) => Engine::Wamr(engine.compile_native(compiler)),
        };
        Self { engine, ..self }
    }

    /// Builds the runtime.
    ///
    /// # Errors
    /// The engine does not start.
    pub(crate) fn build(&self) -> Result<Runtime, Error> {
        let builder = self.builder.clone();
        match self.engine.clone() {
            Engine::Wasmtime(engine) => builder.engine(engine).build(),
            Engine::Wamr(engine) => builder.engine(engine).build(),
        }
    }
}
