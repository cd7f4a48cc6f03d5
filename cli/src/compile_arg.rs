//! The option to compile native code here.

use std::path::PathBuf;

use clap::error::ErrorKind;

use crate::{engine_arg::EngineArg, setup::Setup};

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
    /// Applies the option to the settings of a runtime.
    pub(crate) fn apply(&self, setup: Setup) -> Setup {
        match &self.compile_native {
            Some(program) => setup.compile_native(program.as_deref()),
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
