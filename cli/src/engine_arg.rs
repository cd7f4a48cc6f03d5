//! The engine that a command runs kernels in, and whether it compiles native code itself.

use std::path::PathBuf;

use clap::{ValueEnum, error::ErrorKind};
use kernelpack_host::engine::NativeCompiler;

use crate::setup::Setup;

/// An engine, by its name on the command line and in reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EngineArg {
    /// Wasmtime, which compiles when a pack is opened
    Wasmtime,
    /// WAMR, which interprets
    Wamr,
    /// WAMR with native code: from the pack, if its signer is trusted for native code, or compiled here with
    /// --compile-native
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
}

/// The option to compile native code here.
#[derive(Debug, clap::Args)]
pub(crate) struct CompileArg {
    /// With --engine wamr-aot: compile kernels to native code here if the pack has none that its signer is trusted for,
    /// with the kernelpack-wamrc at PATH, or else the one that is named by $KERNELPACK_WAMRC, beside this program or in
    /// $PATH
    #[arg(long, value_name = "PATH", num_args = 0..=1, require_equals = true)]
    compile_native: Option<Option<PathBuf>>,
}

impl CompileArg {
    /// A runtime that compiles as it was asked to.
    pub(crate) fn apply(&self, setup: Setup) -> Setup {
        match &self.compile_native {
            Some(program) => {
                setup.compile_native(program.as_ref().map_or_else(NativeCompiler::find, NativeCompiler::at))
            }
            None => setup,
        }
    }

    /// Checks that the option goes with one of these engines.
    ///
    /// # Errors
    /// Wrong usage.
    pub(crate) fn check(&self, engines: &[EngineArg]) -> Result<(), clap::Error> {
        if self.compile_native.is_none() || engines.contains(&EngineArg::WamrAot) {
            return Ok(());
        }
        let told = "--compile-native is for WAMR's native code only; add --engine wamr-aot\n";
        Err(clap::Error::raw(ErrorKind::ArgumentConflict, told))
    }
}
