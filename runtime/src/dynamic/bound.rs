//! Calls with named arguments on tensors that are mapped into the kernel's memory once.

use std::{fmt, sync::Arc};

use kernelpack_abi::ParamValue;

use super::{DynKernel, DynView, DynViewMut, lend};
use crate::{Error, bound_call::BoundCall, loaded::LoadedKernel};

/// A kernel bound to tensors by name, which can be called any number of times without copying them.
///
/// [`DynKernel::bind`](crate::DynKernel::bind) makes one. It is to [`Bound`](crate::Bound) what
/// [`DynKernel`](crate::DynKernel) is to [`TypedKernel`](crate::TypedKernel), and has instances and mappings like it.
/// Each call borrows the tensors again, inputs shared and outputs exclusively:
///
/// ```compile_fail,E0502
/// use kernelpack_host::{DynBound, Error, Tensor};
///
/// fn in_place(kernel: &mut DynBound, x: &mut Tensor<f32>) -> Result<(), Error> {
///     kernel.call(&[("x", (&*x).into())], &mut [("y", x.into())], &[])
/// }
/// ```
///
/// # Example: tensors of any type, without a copy
/// ```no_run
/// use kernelpack_host::{DynKernel, Error, Tensor, abi::{DType, Shape}, tensor::DynView};
///
/// fn widen(kernel: &DynKernel, dtype: DType, shape: Shape) -> Result<(), Error> {
///     // Memory that can be mapped, for elements of a type that only the pack knows.
///     let mut x = Tensor::<u8>::zeros(&[shape.bytes(dtype) as usize])?;
///     let mut y = Tensor::<f32>::zeros(&shape.dims().iter().map(|&dim| dim as usize).collect::<Vec<_>>())?;
///     let view = DynView { dtype, shape, bytes: x.as_slice() };
///     let mut bound = kernel.bind(&[("x", view)], &mut [("y", (&mut y).into())], &[])?;
///     for step in 0..100 {
///         x.as_mut_slice().fill(step);
///         let view = DynView { dtype, shape, bytes: x.as_slice() };
///         bound.call(&[("x", view)], &mut [("y", (&mut y).into())], &[])?;
///     }
///     Ok(())
/// }
/// ```
pub struct DynBound {
    loaded: Arc<LoadedKernel>,
    inner: BoundCall,
}

impl DynBound {
    pub(super) fn new(loaded: Arc<LoadedKernel>, inner: BoundCall) -> Self {
        Self { loaded, inner }
    }

    /// Runs the kernel on the tensors that it is bound to, like [`Bound::call`](crate::Bound::call). Scalars that are
    /// not given have their defaults, whatever their values were when the kernel was bound.
    ///
    /// # Errors
    /// As [`Bound::call`](crate::Bound::call), and if a name or type is wrong.
    pub fn call(
        &mut self,
        inputs: &[(&str, DynView<'_>)],
        outputs: &mut [(&str, DynViewMut<'_>)],
        params: &[(&str, ParamValue)],
    ) -> Result<(), Error> {
        let Self { loaded, inner } = self;
        loaded.spec.forward.with(|signature| {
            let called = lend(loaded.id(), signature, inputs, outputs, params, |tensors, scalars| {
                inner.call(signature, tensors, scalars)
            });
            inner.dispatcher().report(called)
        })
    }

    /// Like [`call`](Self::call), but first binds another kernel with the same signature, such as that of a newer pack,
    /// to the tensors that this kernel is bound to. If that fails, this kernel stays bound.
    ///
    /// # Errors
    /// As [`call`](Self::call), and as [`DynKernel::bind`](crate::DynKernel::bind).
    pub fn call_on(
        &mut self,
        kernel: &DynKernel,
        inputs: &[(&str, DynView<'_>)],
        outputs: &mut [(&str, DynViewMut<'_>)],
        params: &[(&str, ParamValue)],
    ) -> Result<(), Error> {
        kernel.signature().with(|signature| {
            let called = lend(kernel.id(), signature, inputs, outputs, params, |tensors, scalars| {
                self.inner.rebind(kernel.dispatcher(), signature, tensors, scalars, kernel.max_ticks())?;
                self.loaded = kernel.loaded().clone();
                self.inner.call(signature, tensors, scalars)
            });
            kernel.dispatcher().report(called)
        })
    }

    /// Whether this binding is of `kernel`, rather than of the kernel with the same id in another pack.
    pub fn is_of(&self, kernel: &DynKernel) -> bool {
        self.inner.is_of(kernel.dispatcher())
    }

    /// How many bytes each call copies, for the tensors that are not mapped.
    pub fn copied_bytes(&self) -> u64 {
        self.loaded.spec.forward.with(|signature| self.inner.copied_bytes(signature))
    }

    /// The number of threads over which each call is divided; 1 if it is not divided.
    pub fn threads(&self) -> usize {
        self.inner.threads()
    }
}

impl fmt::Debug for DynBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DynBound").field(self.loaded.id()).finish()
    }
}
