//! Which engine a runtime is to have.

use std::sync::Arc;

#[cfg(any(feature = "wamr", feature = "wamr-aot"))]
use super::Execution;
#[cfg(feature = "wamr-compile")]
use super::NativeCompiler;
use super::{Engine, Interruption};
use crate::{EngineError, cache::CompileCache};

/// An engine that is yet to be started, with the settings that it alone has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EngineChoice {
    /// Wasmtime.
    #[cfg(feature = "wasmtime")]
    Wasmtime,
    /// WAMR.
    #[cfg(any(feature = "wamr", feature = "wamr-aot"))]
    Wamr(WamrSettings),
}

/// What WAMR can be told.
#[cfg(any(feature = "wamr", feature = "wamr-aot"))]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WamrSettings {
    /// Bytes of the process's pool.
    pub(crate) pool: usize,
    /// Bytes of an instance's stack.
    pub(crate) stack: u32,
    /// What it makes of native code.
    pub(crate) execution: Option<Execution>,
    /// What compiles where there is none.
    #[cfg(feature = "wamr-compile")]
    pub(crate) compiler: Option<NativeCompiler>,
}

impl EngineChoice {
    /// WAMR as section 6.2 of the specification has it.
    #[cfg(any(feature = "wamr", feature = "wamr-aot"))]
    pub(crate) const WAMR: Self = Self::Wamr(WamrSettings {
        pool: super::wamr::DEFAULT_POOL,
        stack: super::wamr::DEFAULT_STACK,
        execution: None,
        #[cfg(feature = "wamr-compile")]
        compiler: None,
    });

    /// The same with other settings of WAMR, if that is what it is.
    #[cfg(any(feature = "wamr", feature = "wamr-aot"))]
    pub(crate) fn with_wamr(mut self, change: impl FnOnce(&mut WamrSettings)) -> Self {
        match &mut self {
            Self::Wamr(settings) => change(settings),
            #[cfg(feature = "wasmtime")]
            Self::Wasmtime => {}
        }
        self
    }

    /// The best way to interrupt calls that this engine has on this machine.
    pub(crate) fn best_interruption(&self) -> Interruption {
        match self {
            #[cfg(feature = "wasmtime")]
            Self::Wasmtime => Interruption::BEST,
            #[cfg(any(feature = "wamr", feature = "wamr-aot"))]
            Self::Wamr(_) => Interruption::Epoch,
        }
    }

    /// Starts it. A compile cache is for engines that compile.
    pub(crate) fn start(
        self,
        cache: Option<Arc<CompileCache>>,
        interruption: Interruption,
    ) -> Result<Arc<dyn Engine>, EngineError> {
        if interruption == Interruption::PageProtection && self.best_interruption() != interruption {
            let told = "calls cannot be stopped by page protection on this system; choose Interruption::Epoch";
            return Err(EngineError::Configure(told.to_owned()));
        }
        match self {
            #[cfg(feature = "wasmtime")]
            Self::Wasmtime => Ok(Arc::new(super::WasmtimeEngine::new(cache, interruption)?)),
            #[cfg(any(feature = "wamr", feature = "wamr-aot"))]
            Self::Wamr(settings) => {
                let execution = settings.execution.unwrap_or_default();
                let engine = super::WamrEngine::new(settings.pool, settings.stack, execution, interruption)?;
                #[cfg(feature = "wamr-compile")]
                if let Some(compiler) = settings.compiler {
                    return Ok(Arc::new(engine.compiling(&compiler, cache)?));
                }
                let _ = cache;
                Ok(Arc::new(engine))
            }
        }
    }
}
