//! Runs Kernelpack's kernels in WAMR, for small devices.
//!
//! [`Wamr`] holds the settings. Modules are interpreted, or replaced by native code that comes with the pack or is
//! compiled by this host. Everything that WAMR allocates, including linear memory, comes from one pool of fixed size.
//! The pool is per process, as is WAMR's runtime: runtimes in one process share it and must agree on its size.
#![deny(unsafe_code)]

mod blocks;
mod engine;
mod execution;
#[cfg(feature = "compile")]
mod host_compiled;
#[cfg(not(feature = "compile"))]
#[path = "host_compiled_unsupported.rs"]
mod host_compiled;
mod instance;
mod module;
mod native;
#[cfg(feature = "compile")]
mod native_compiler;
mod settings;
mod trap;
mod vm;

#[cfg(all(test, feature = "interp"))]
mod tests;

pub use engine::WamrEngine;
pub use execution::Execution;
#[cfg(feature = "compile")]
pub use kernelpack_wamr_driver::{CompilerError as NativeCompilerError, OutputFault};
#[cfg(feature = "compile")]
pub use native_compiler::NativeCompiler;
pub use settings::Wamr;
