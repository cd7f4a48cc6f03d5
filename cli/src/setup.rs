//! A runtime that is not built yet, with its engine's settings.

use std::path::Path;

use kernelpack_host::{
    Error, Runtime, RuntimeBuilder,
    engine::{Interruption, Wasmtime},
};

use crate::{engine_arg::EngineArg, wamr::Wamr};

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
    /// Returns a runtime with this engine and without trusted keys.
    pub(crate) fn new(engine: EngineArg) -> Self {
        let engine = match engine {
            EngineArg::Wasmtime => Engine::Wasmtime(Wasmtime::new()),
            EngineArg::Wamr => Engine::Wamr(Wamr::interpreted()),
            EngineArg::WamrAot => Engine::Wamr(Wamr::native()),
        };
        let builder = match engine {
            Engine::Wasmtime(_) => Runtime::server(),
            Engine::Wamr(_) => Wamr::runtime(),
        };
        Self { builder, engine }
    }

    /// Changes settings that do not depend on the engine.
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
            Engine::Wamr(engine) => Engine::Wamr(engine.never_interrupted()),
        };
        Self { engine, ..self }
    }

    /// Compiles native code on this machine, with this program or with the one that a search finds. Wasmtime needs no
    /// such program.
    pub(crate) fn compile_native(self, program: Option<&Path>) -> Self {
        let engine = match self.engine {
            Engine::Wasmtime(engine) => Engine::Wasmtime(engine),
            Engine::Wamr(engine) => Engine::Wamr(engine.compile_native(program)),
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
            Engine::Wamr(engine) => engine.build(builder),
        }
    }
}
