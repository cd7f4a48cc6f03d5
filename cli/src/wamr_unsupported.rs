//! Stands in for WAMR in programs without it, and refuses to start it.

use std::path::Path;

use kernelpack_host::{
    Error, Runtime, RuntimeBuilder,
    error::{ConfigError, StartError},
};

/// An engine that cannot be started.
#[derive(Clone, Debug)]
pub(crate) struct Wamr;

impl Wamr {
    pub(crate) fn interpreted() -> Self {
        Self
    }

    pub(crate) fn native() -> Self {
        Self
    }

    pub(crate) fn runtime() -> RuntimeBuilder {
        Runtime::server()
    }

    pub(crate) fn compile_cache(self, _: &Path) -> Self {
        self
    }

    pub(crate) fn never_interrupted(self) -> Self {
        self
    }

    pub(crate) fn compile_native(self, _: Option<&Path>) -> Self {
        self
    }

    pub(crate) fn build(self, _: RuntimeBuilder) -> Result<Runtime, Error> {
        let why = "this program was built without WAMR; use --engine wasmtime, or build kernelpack-cli with its feature \
                   `wamr`";
        Err(Error::Config(ConfigError::Start(StartError::Settings(why.into()))))
    }
}
