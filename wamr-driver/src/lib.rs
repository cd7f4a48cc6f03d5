//! Runs `kernelpack-wamrc`, WAMR's ahead-of-time compiler, in a process of its own: for the packer, and for hosts that
//! compile for themselves.
//!
//! Neither of them links the compiler, which is ten thousand lines of C and the whole of LLVM. A process of its own is
//! what makes a crash of it an error of ours.
#![forbid(unsafe_code)]

mod compiler;
mod error;
mod file;
pub mod process;

pub use compiler::Compiler;
pub use error::CompilerError;
