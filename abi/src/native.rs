//! The registry of kernels that are compiled into this program, in which a host finds reference implementations.
//!
//! In native builds, `#[kernel]` adds each function to the registry, so a program only has to link a kernel crate to
//! have its kernels here.

use crate::{KernelSpec, Result, TensorArg};

/// A function that runs an author's function natively, such as [`Pass::reference_on`](crate::Pass::reference_on).
///
/// Its arguments are the tensors of a call, in the order of the tensor table, and the encoded scalars.
pub type Reference = fn(&mut [TensorArg<'_>], &[u8]) -> Result<()>;

/// A kernel whose function is compiled into this program.
#[derive(Clone, Copy, Debug)]
pub struct NativeKernel {
    /// The kernel as its author declared it.
    pub spec: &'static KernelSpec<'static>,
    /// The name of the crate that declares it.
    pub package: &'static str,
    /// The function.
    pub forward: Reference,
    /// The backward pass, if the author declares one.
    pub backward: Option<Reference>,
}

inventory::collect!(NativeKernel);

impl NativeKernel {
    /// Returns all kernels that are compiled into this program, in no particular order.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        inventory::iter::<Self>.into_iter()
    }
}
