//! Runs `kernelpack-wamrc`, WAMR's ahead-of-time compiler, in a separate process, for the packer and for hosts that
//! compile kernels themselves.
//!
//! Neither of them links the compiler, which is ten thousand lines of C and all of LLVM. In a separate process, a crash
//! of it is only an error. Its output leaves this crate only as [`Compiled`]: read from a folder that nobody else can
//! change, and with a record that matches the request.
//!
//! # Example: native code of a module
//! ```no_run
//! use kernelpack_manifest::AotTarget;
//! use kernelpack_wamr_driver::Compiler;
//!
//! let compiler = Compiler::find(Compiler::TIME_LIMIT)?;
//! let compiled = compiler.compile("rmsnorm_f32", AotTarget::X86_64, &std::fs::read("rmsnorm_f32.wasm")?)?;
//! println!("{} bytes by {}", compiled.bytes().len(), compiler.about());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod compiled;
mod compiler;
mod error;
mod folder;
pub mod process;

pub use compiled::Compiled;
pub use compiler::{Compiler, locate};
pub use error::{CompilerError, OutputFault};
