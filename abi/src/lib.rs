//! The bytes that a Kernelpack host and its sandboxed kernels agree on.
//!
//! Everything that crosses the sandbox boundary is defined here and nowhere else: the 40-byte [`KernelDescriptor`], the
//! [params block](params) after it, [data types](DType), [status codes](Status), the [spec](KernelSpec) that a kernel
//! carries in its custom section, and the [`Kernel`] trait that connects a typed host stub to it. The crate is
//! `no_std`, never allocates unless the `alloc` feature is on, and contains no `unsafe`.
//!
//! All integers are little-endian, like WebAssembly's linear memory. The crate does not compile for big-endian hosts.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(test)]
extern crate std;

#[cfg(target_endian = "big")]
compile_error!("kernelpack needs a little-endian target: tensors are shared with WebAssembly memory as they are");

mod block;
mod descriptor;
mod dim;
mod dtype;
mod error;
mod info;
mod kernel;
pub mod layout;
#[cfg(feature = "registry")]
pub mod native;
pub mod params;
mod role;
pub mod section;
mod shape;
mod spec;
#[cfg(feature = "alloc")]
mod spec_buf;
mod status;
mod symbols;
#[cfg(feature = "alloc")]
mod tensor_buf;
mod view;

pub use block::{BlockQ4_0, BlockQ8_0};
pub use descriptor::KernelDescriptor;
pub use dim::{Dim, Expr, ExprError, Op};
pub use dtype::{DType, Element};
pub use error::{Error, MESSAGE_CAPACITY, Message, Result};
pub use info::KernelInfo;
#[cfg(feature = "alloc")]
pub use kernel::Infer;
pub use kernel::{Kernel, NoBackward, Pass, TensorArg, TensorData};
pub use role::Role;
pub use shape::{MAX_RANK, Shape, ShapeError};
pub use spec::{
    KernelSpec, Lifecycle, MAX_PARAMS, MAX_SYMBOLS, MAX_TENSORS, ParamSpec, ParamType, ParamValue, ResourceLimits,
    Signature, TensorSpec,
};
#[cfg(feature = "alloc")]
pub use spec_buf::{KernelSpecBuf, ParamSpecBuf, SignatureBuf, TensorSpecBuf};
pub use status::{BatchStatus, Status};
pub use symbols::{SymbolError, Symbols};
#[cfg(feature = "alloc")]
pub use tensor_buf::TensorBuf;
pub use view::{TensorView, TensorViewMut, ViewError, view, view_mut};

/// The version of this ABI: the descriptor, the params block, the exports and the status codes.
///
/// It changes whenever a host that was built for one version could misread a module that was built for the other.
pub const ABI_VERSION: u32 = 1;

/// Every tensor starts at a multiple of this many bytes, the width of a WebAssembly `v128`.
pub const TENSOR_ALIGN: u32 = 16;

/// Names of the exports of a packed module.
pub mod exports {
    /// The linear memory.
    pub const MEMORY: &str = "memory";
    /// The first byte after the module's own data and stack; the host places nothing below it.
    pub const HEAP_BASE: &str = "__heap_base";
    /// `kernel_forward(desc_ptr: *const KernelDescriptor) -> i32`.
    pub const FORWARD: &str = "kernel_forward";
    /// `kernel_forward_batch(desc_ptr: *const KernelDescriptor, count: u32) -> i64`, which modules may lack.
    ///
    /// Runs forward passes for `count` consecutive descriptors, which start at a multiple of
    /// [`TENSOR_ALIGN`](crate::TENSOR_ALIGN). It stops at the first pass that fails, and returns its index in the upper
    /// 32 bits and its status in the lower 32; see [`BatchStatus`](crate::BatchStatus).
    pub const FORWARD_BATCH: &str = "kernel_forward_batch";
    /// `kernel_backward(desc_ptr: *const KernelDescriptor) -> i32`, if the author declares one.
    pub const BACKWARD: &str = "kernel_backward";
    /// `kernel_init(params_ptr: *const u8, params_len: u32) -> i32`, if the author declares one.
    pub const INIT: &str = "kernel_init";
    /// `kernel_cleanup() -> i32`, if the author declares one.
    pub const CLEANUP: &str = "kernel_cleanup";
    /// `kernel_info(info_ptr: *mut KernelInfo) -> i32`.
    pub const INFO: &str = "kernel_info";
    /// An immutable `i32` global that holds [`ABI_VERSION`](crate::ABI_VERSION), readable without running the module.
    pub const ABI_VERSION: &str = "kernel_abi_version";
    /// An immutable `i32` global: the address of the message buffer, a `u32` length and
    /// [`MESSAGE_CAPACITY`](crate::MESSAGE_CAPACITY) bytes of UTF-8.
    pub const MESSAGE: &str = "kernel_message";
    /// All names above, which a packed module exports or may export. Its entry point must have another name.
    pub const STANDARD: [&str; 10] =
        [MEMORY, HEAP_BASE, FORWARD, FORWARD_BATCH, BACKWARD, INIT, CLEANUP, INFO, ABI_VERSION, MESSAGE];

    /// The prefix of a crate's exports before the packer gives each kernel a module of its own.
    ///
    /// It is followed by one of `forward`, `batch`, `backward`, `init`, `cleanup` or `info`, then `_` and the kernel's
    /// id.
    pub const RAW_PREFIX: &str = "__kernelpack_";
}
