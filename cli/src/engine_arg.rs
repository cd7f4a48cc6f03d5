//! The engine that a command runs kernels in, and what it compiles itself.

use std::path::PathBuf;

use clap::{ValueEnum, error::ErrorKind};
use kernelpack_host::{Execution, NativeCompiler, Runtime, RuntimeBuilder};

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
    /// WAMR with native code: that in the pack, whose signer must be trusted for it, or with --compile-native what is
    /// compiled here
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

/// The option to compile here what the engine would not get otherwise.
#[derive(Debug, clap::Args)]
pub(crate) struct CompileArg {
    /// With --engine wamr-aot: compile kernels to native code here where the pack has none that its signer is trusted for,
    /// with the kernelpack-wamrc at PATH, else with the one that $KERNELPACK_WAMRC names, that lies beside this program or
    /// in $PATH
    #[arg(long, value_name = "PATH", num_args = 0..=1, require_equals = true)]
    compile_native: Option<Option<PathBuf>>,
}

impl CompileArg {
    /// A runtime with this engine that compiles as it was asked to.
    pub(crate) fn apply(&self, engine: EngineArg, builder: RuntimeBuilder) -> RuntimeBuilder {
        match &self.compile_native {
            Some(program) if engine == EngineArg::WamrAot => {
                let compiler = program.as_ref().map_or_else(NativeCompiler::find, NativeCompiler::at);
                builder.compile_native(compiler)
            }
            _ => builder,
        }
    }

    /// Checks that there is an engine which it is for.
    ///
    /// # Errors
    /// Wrong usage.
    pub(crate) fn check(&self, engines: &[EngineArg]) -> Result<(), clap::Error> {
        if self.compile_native.is_none() || engines.contains(&EngineArg::WamrAot) {
            return Ok(());
        }
        let told = "--compile-native is for WAMR's native code; add --engine wamr-aot\n";
        Err(clap::Error::raw(ErrorKind::ArgumentConflict, told))
    }
}

fn wamr(execution: Execution) -> RuntimeBuilder {
    Runtime::embedded().execution(execution).with_pool(POOL).max_epoch_ticks(MAX_TICKS)
}
