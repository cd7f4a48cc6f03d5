//! Errors of a machine or a runtime that is short of something.

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use kernelpack_abi::{DType, Shape};
use kernelpack_engine::StartError;

/// The resource that the machine or the runtime is short of.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResourceError {
    /// The engine cannot start, for lack of threads or memory.
    #[error(transparent)]
    Start(StartError),
    /// The process may not open another file, or the system has no memory for reading one.
    #[error("cannot read {path:?}: {error}; allow the process more open files, or free memory")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// There is no memory for the code of a module.
    #[error("kernel {kernel:?} does not compile for lack of memory: {message}")]
    Compile {
        /// The kernel's id.
        kernel: String,
        /// The engine's message.
        message: String,
    },
    /// The machine lacks what an instance takes: address space, memory or mappings.
    #[error("kernel {kernel:?} cannot be instantiated: {message}")]
    Instantiate {
        /// The kernel's id.
        kernel: Arc<str>,
        /// The engine's message.
        message: String,
    },
    /// The machine lacks the memory for a tensor that the kernel's limits allow.
    #[error("kernel {kernel:?} needs {pages} more pages of 64 KiB, which the engine cannot provide")]
    OutOfMemory {
        /// The kernel's id.
        kernel: Arc<str>,
        /// The pages requested.
        pages: u64,
    },
    /// The machine lacks the memory for a tensor.
    #[error("not enough memory for a {shape} {dtype} tensor ({} bytes)", .shape.bytes(*.dtype))]
    NoMemory {
        /// The tensor's shape.
        shape: Shape,
        /// The type of its elements.
        dtype: DType,
    },
    /// The system cannot map a tensor into the kernel's memory.
    #[error("the tensors of kernel {kernel:?} cannot be mapped: {error}")]
    Unmappable {
        /// The kernel's id.
        kernel: Arc<str>,
        /// The system's error.
        error: io::Error,
    },
    /// Every instance of the kernel is busy, and it may not have more.
    #[error(
        "all {limit} instances of kernel {kernel:?} are busy{}; call from fewer threads, drop prepared calls, or let the \
         pool grow (`WhenFull::Grow`, up to the runtime's `max_instances`)",
        after(*.waited)
    )]
    Busy {
        /// The kernel's id.
        kernel: Arc<str>,
        /// The instances that it may have.
        limit: u32,
        /// How long the call waited for an instance; zero if the pool's policy is not to wait.
        waited: Duration,
    },
    /// The bindings of a kernel already have all the instances that they may have.
    #[error(
        "the bindings of kernel {kernel:?} already have all {limit} instances that they may have; drop some bindings, or \
         raise the runtime's `max_bindings`"
    )]
    TooManyBindings {
        /// The kernel's id.
        kernel: Arc<str>,
        /// The instances that they may have.
        limit: u32,
    },
}

/// Returns how long a call waited; empty if it did not wait.
fn after(waited: Duration) -> String {
    if waited.is_zero() { String::new() } else { format!(" after {} ms of waiting", waited.as_millis()) }
}
