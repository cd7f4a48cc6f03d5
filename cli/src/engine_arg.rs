//! The engine that a command runs kernels in.

use clap::ValueEnum;

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
    /// Returns the engine's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Wasmtime => "wasmtime",
            Self::Wamr => "wamr",
            Self::WamrAot => "wamr-aot",
        }
    }
}
