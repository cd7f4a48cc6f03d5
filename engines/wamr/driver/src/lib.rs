//! Runs `kernelpack-wamrc`, WAMR's ahead-of-time compiler, in a process of its own: for the packer, and for hosts that
//! compile for themselves.
//!
//! Neither of them links the compiler, which is ten thousand lines of C and the whole of LLVM. A process of its own is
//! what makes a crash of it an error of ours. What it made leaves this crate as [`Compiled`] only: read back from a folder
//! that nobody else can change, and with a record that agrees with what was asked for.
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
