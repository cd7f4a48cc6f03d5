//! Settings that cannot be used.

use std::error::Error;

use kernelpack_engine::StartError;

/// A setting that the program must change before it can use the runtime or the pack.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The runtime was given a setting that it cannot have.
    #[error("the runtime cannot be configured: {what} is {given}; choose at least {least}")]
    TooSmall {
        /// The setting.
        what: &'static str,
        /// Its value.
        given: u32,
        /// The least value.
        least: u32,
    },
    /// The engine refuses its settings, or the compile cache or the compiler that they name cannot be used.
    #[error(transparent)]
    Start(StartError),
    /// The compiler of native code that the engine's settings name is missing or cannot be run.
    #[error(transparent)]
    Compiler(Box<dyn Error + Send + Sync>),
    /// The runtime allows less than a module starts with.
    #[error("kernel {kernel:?} starts with {needed} {what}, but this runtime allows {limit}; raise its limit")]
    CeilingTooLow {
        /// The kernel's id.
        kernel: String,
        /// What exceeds the limit.
        what: &'static str,
        /// How much the module starts with.
        needed: u32,
        /// How much the runtime allows.
        limit: u32,
    },
    /// A kernel is to run natively, but has no reference implementation.
    #[error("kernel {kernel:?} cannot be placed natively: {reason}")]
    NoReference {
        /// The kernel's id.
        kernel: String,
        /// Why it has none.
        reason: String,
    },
}
