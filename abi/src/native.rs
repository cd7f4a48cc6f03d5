//! The kernels whose functions are compiled into this program, by which a host finds reference implementations.
//!
//! `#[kernel]` adds each function to the registry in native builds; a program that links a kernel crate has its
//! kernels here without a line of code.

use crate::{KernelSpec, Result, TensorArg};

/// Runs an author's function natively on the tensors of a call, in the order of the tensor table, and its encoded
/// scalars; [`Pass::reference_on`](crate::Pass::reference_on) is one.
pub type Reference = fn(&mut [TensorArg<'_>], &[u8]) -> Result<()>;

/// A kernel whose function is compiled into this program.
#[derive(Clone, Copy, Debug)]
pub struct NativeKernel {
    /// The kernel, as its author declared it.
    pub spec: &'static KernelSpec<'static>,
    /// The name of the crate that declares it.
    pub package: &'static str,
    /// The function.
    pub forward: Reference,
    /// The backward pass, where the author declares one.
    pub backward: Option<Reference>,
}

inventory::collect!(NativeKernel);

impl NativeKernel {
    /// All kernels that are compiled into this program, in no particular order.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        inventory::iter::<Self>.into_iter()
    }
}
