//! Errors of starting an engine and of compiling a module.

use std::io;

use kernelpack_compile_cache::CacheError;

/// An error from a part of the engine that has its own error types, such as a compiler.
type Inner = Box<dyn std::error::Error + Send + Sync>;

/// The reason why an engine fails to start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The engine refused its settings, or does not run on this machine.
    #[error("the engine cannot be configured: {0}")]
    Settings(String),
    /// The folder for compiled code cannot be used.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The compiler of native code is missing or does not work as it should.
    #[error(transparent)]
    Compiler(Inner),
    /// The machine lacks the memory that the engine is to take from the start.
    #[error("{0}")]
    OutOfMemory(String),
    /// The thread that counts ticks could not be started.
    #[error(
        "cannot start the thread that ends calls which overrun their budget: {0}; allow the process more threads, or do \
         without budgets (`Interruption::Never`)"
    )]
    Ticker(io::Error),
}

impl StartError {
    /// Returns whether the machine lacks threads or memory, rather than the settings being wrong.
    pub fn is_shortage(&self) -> bool {
        matches!(self, Self::OutOfMemory(_) | Self::Ticker(_))
    }
}

/// The reason why an engine does not take a module.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// The engine rejects the module, or the native code that replaces it.
    #[error("{0}")]
    Refused(String),
    /// The compiler of native code refuses the module, or does not do what it should.
    #[error(transparent)]
    Compiler(Inner),
    /// The compiler of native code is missing or cannot be run.
    #[error(transparent)]
    NoCompiler(Inner),
    /// The machine, or the memory that the engine was given, lacks room for the module's code.
    #[error("{0}")]
    OutOfMemory(String),
    /// The engine allows less than the module has from the start.
    #[error("it starts with {needed} {what}, but the engine allows {limit}")]
    CeilingTooLow {
        /// The resource that the module requires too much of.
        what: &'static str,
        /// What the module requires from the start.
        needed: u32,
        /// What the engine allows.
        limit: u32,
    },
}
