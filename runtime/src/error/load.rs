//! Modules that an engine does not take.

use std::sync::Arc;

use kernelpack_engine::CompileError;

/// The reason why an engine does not take a module that was verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The engine cannot compile the module, or does not take the native code in its place.
    #[error("{}", uncompiled(.kernel, .error))]
    Compile {
        /// The kernel's id.
        kernel: String,
        /// Why.
        error: CompileError,
    },
    /// The module cannot be instantiated, on any machine.
    #[error("kernel {kernel:?} cannot be instantiated: {message}")]
    Instantiate {
        /// The kernel's id.
        kernel: Arc<str>,
        /// The engine's message.
        message: String,
    },
}

/// Formats the error with the kernel's id, unless the compiler's message already names the kernel.
fn uncompiled(kernel: &str, error: &CompileError) -> String {
    match error {
        CompileError::Compiler(error) => error.to_string(),
        error => format!("kernel {kernel:?} does not compile: {error}"),
    }
}
