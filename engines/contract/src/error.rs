//! Why an engine does not start, and why it does not take a module.

use std::io;

use kernelpack_compile_cache::CacheError;

/// An error of a part of the engine that has error types of its own, such as a compiler.
type Inner = Box<dyn std::error::Error + Send + Sync>;

/// Why an engine does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The engine refused its settings, or does not run on this machine.
    #[error("the engine cannot be configured: {0}")]
    Settings(String),
    /// The folder for compiled code cannot be used.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The compiler of native code is missing or does not do what it should.
    #[error(transparent)]
    Compiler(Inner),
    /// The thread that counts ticks could not be started.
    #[error(
        "cannot start the thread that ends calls which overrun their budget: {0}; allow the process more threads, or do \
         without budgets (`Interruption::Never`)"
    )]
    Ticker(#[source] io::Error),
}

/// Why an engine does not take a module.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// The engine refuses the module, or native code in its place.
    #[error("{0}")]
    Refused(String),
    /// The compiler of native code is missing, refuses the module, or does not do what it should.
    #[error(transparent)]
    Compiler(Inner),
    /// The engine allows less than the module has from the start.
    #[error("it starts with {needed} {what}, but the engine allows {limit}")]
    CeilingTooLow {
        /// What the module has too much of.
        what: &'static str,
        /// What the module has from the start.
        needed: u32,
        /// What the engine allows.
        limit: u32,
    },
}
