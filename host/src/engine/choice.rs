//! Which engine a runtime is to have.

use std::sync::Arc;

#[cfg(any(feature = "wamr", feature = "wamr-aot"))]
use super::Execution;
use super::{Engine, Interruption};
use crate::{EngineError, cache::CompileCache};

/// An engine that is yet to be started, with the settings that it alone has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EngineChoice {
    /// Wasmtime.
    #[cfg(feature = "wasmtime")]
    Wasmtime,
    /// WAMR.
    #[cfg(any(feature = "wamr", feature = "wamr-aot"))]
    Wamr {
        /// Bytes of the process's pool.
        pool: usize,
        /// Bytes of an instance's stack.
        stack: u32,
        /// What it makes of native code.
        execution: Option<Execution>,
    },
}

impl EngineChoice {
    /// WAMR as section 6.2 of the specification has it.
    #[cfg(any(feature = "wamr", feature = "wamr-aot"))]
    pub(crate) const WAMR: Self =
        Self::Wamr { pool: super::wamr::DEFAULT_POOL, stack: super::wamr::DEFAULT_STACK, execution: None };

    /// The same with a pool of so many bytes, if it is one that has a pool.
    #[cfg(any(feature = "wamr", feature = "wamr-aot"))]
    pub(crate) fn with_pool(self, pool: usize) -> Self {
        match self {
            Self::Wamr { stack, execution, .. } => Self::Wamr { pool, stack, execution },
            #[cfg(feature = "wasmtime")]
            Self::Wasmtime => self,
        }
    }

    /// The same with stacks of so many bytes, if it is one that makes stacks.
    #[cfg(any(feature = "wamr", feature = "wamr-aot"))]
    pub(crate) fn with_stack(self, stack: u32) -> Self {
        match self {
            Self::Wamr { pool, execution, .. } => Self::Wamr { pool, stack, execution },
            #[cfg(feature = "wasmtime")]
            Self::Wasmtime => self,
        }
    }

    /// The same with another use of native code, if it is one that has a choice.
    #[cfg(any(feature = "wamr", feature = "wamr-aot"))]
    pub(crate) fn with_execution(self, execution: Execution) -> Self {
        match self {
            Self::Wamr { pool, stack, .. } => Self::Wamr { pool, stack, execution: Some(execution) },
            #[cfg(feature = "wasmtime")]
            Self::Wasmtime => self,
        }
    }

    /// The best way to interrupt calls that this engine has on this machine.
    pub(crate) fn best_interruption(self) -> Interruption {
        match self {
            #[cfg(feature = "wasmtime")]
            Self::Wasmtime => Interruption::BEST,
            #[cfg(any(feature = "wamr", feature = "wamr-aot"))]
            Self::Wamr { .. } => Interruption::Epoch,
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
            Self::Wamr { pool, stack, execution } => {
                let _ = cache;
                let execution = execution.unwrap_or_default();
                Ok(Arc::new(super::WamrEngine::new(pool, stack, execution, interruption)?))
            }
        }
    }
}
