//! The engine that a command runs kernels in.

use clap::ValueEnum;
use kernelpack_host::{Execution, Runtime, RuntimeBuilder};

/// Room for instances with gigabytes of linear memory; what is not used of it takes none.
const POOL: usize = 2 << 30;
/// 10 s: interpreted kernels take a hundred times as long as compiled ones.
const MAX_TICKS: u32 = 1000;

/// An engine, by the name that the command line and reports have for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EngineArg {
    /// Wasmtime, which compiles when a pack is opened
    Wasmtime,
    /// WAMR, which interprets
    Wamr,
    /// WAMR with the native code in the pack, whose signer must be trusted for it
    WamrAot,
}

impl EngineArg {
    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Wasmtime => "wasmtime",
            Self::Wamr => "wamr",
            Self::WamrAot => "wamr-aot",
        }
    }

    /// The beginning of a runtime with this engine.
    pub(crate) fn builder(self) -> RuntimeBuilder {
        match self {
            Self::Wasmtime => Runtime::server(),
            Self::Wamr => wamr(Execution::Interpreted),
            Self::WamrAot => wamr(Execution::Native),
        }
    }
}

fn wamr(execution: Execution) -> RuntimeBuilder {
    Runtime::embedded().execution(execution).with_pool(POOL).max_epoch_ticks(MAX_TICKS)
}
