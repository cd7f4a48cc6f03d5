//! Bindings that follow the active pack.

use std::{fmt, sync::Arc};

use arc_swap::Guard;
use kernelpack_abi::{Kernel, ParamValue};
use kernelpack_runtime::{Bound, DynBound, DynKernel, DynView, DynViewMut, Error, TypedKernel};

use crate::slot::Slot;

/// A binding of tensors to a kernel of whichever pack is active: like [`Bound`] or [`DynBound`], and made by `bind` of
/// a [`Followed`](crate::Followed).
///
/// Each call checks which pack is active, which costs an atomic load. The first call after a swap binds the new pack's
/// kernel to the same tensors, which takes about as long as `bind` did; all others cost the same as before. So a
/// binding never stays on a pack that was replaced, perhaps because it is broken. To stay with one pack, for calls that
/// belong together or to keep all calls equally fast, bind [`Followed::current`](crate::Followed::current) instead.
///
/// Until that next call, the binding keeps its instance and with it the previous pack's kernel.
///
/// # Example: a service whose kernels are replaced between two calls
/// ```no_run
/// use kernelpack_host::{Error, Tensor, manager::KernelManager};
///
/// fn serve(manager: &KernelManager) -> Result<(), Error> {
///     let (mut x, mut y) = (Tensor::<f32>::zeros(&[64, 4096])?, Tensor::<f32>::zeros(&[64, 4096])?);
///     let kernel = manager.follow_named("gelu_f32")?;
///     let mut bound = kernel.bind(&[("x", (&x).into())], &mut [("y", (&mut y).into())], &[])?;
///     for step in 0..100 {
///         x.as_mut_slice()[0] = step as f32;
///         bound.call(&[("x", (&x).into())], &mut [("y", (&mut y).into())], &[])?;
///     }
///     Ok(())
/// }
/// ```
pub struct FollowedBound<H: Bindable> {
    slot: Arc<Slot<H>>,
    kernel: Arc<H>,
    bound: H::Bound,
}

/// A kernel that can be bound to tensors.
pub trait Bindable {
    /// The type of its bindings: [`Bound`] or [`DynBound`].
    type Bound;
}

impl<K: Kernel> Bindable for TypedKernel<K> {
    type Bound = Bound<K>;
}

impl Bindable for DynKernel {
    type Bound = DynBound;
}

impl<H: Bindable> FollowedBound<H> {
    /// Binds the currently active kernel.
    pub(crate) fn new(slot: Arc<Slot<H>>, bind: impl FnOnce(&H) -> Result<H::Bound, Error>) -> Result<Self, Error> {
        let kernel = slot.current.load_full();
        let bound = bind(&kernel)?;
        Ok(Self { slot, kernel, bound })
    }

    /// Returns the active kernel, if another one is bound.
    #[inline]
    fn newer(&self) -> Option<Arc<H>> {
        let active = self.slot.current.load();
        if Arc::ptr_eq(&active, &self.kernel) { None } else { Some(Guard::into_inner(active)) }
    }
}

impl<K: Kernel> FollowedBound<TypedKernel<K>> {
    /// Runs the active pack's kernel on the bound tensors, like [`Bound::call`].
    ///
    /// # Errors
    /// As [`Bound::call`], and as [`TypedKernel::bind`] if another pack is active than at the last call; the next call
    /// tries again.
    pub fn call(&mut self, args: K::Args<'_>) -> Result<(), Error> {
        match self.newer() {
            None => self.bound.call(args),
            Some(kernel) => {
                let result = self.bound.call_on(&kernel, args);
                if self.bound.is_of(&kernel) {
                    self.kernel = kernel;
                }
                result
            }
        }
    }

    /// Returns the number of bytes that each call copies, of tensors that are not mapped.
    pub fn copied_bytes(&self) -> u64 {
        self.bound.copied_bytes()
    }

    /// Returns the number of threads that each call is divided over; 1 if it is not divided.
    pub fn threads(&self) -> usize {
        self.bound.threads()
    }
}

impl FollowedBound<DynKernel> {
    /// Runs the active pack's kernel on the bound tensors, like [`DynBound::call`]. Missing scalars have the active
    /// pack's defaults.
    ///
    /// # Errors
    /// As [`DynBound::call`], and as [`DynKernel::bind`] if another pack is active than at the last call; the next call
    /// tries again.
    pub fn call(
        &mut self,
        inputs: &[(&str, DynView<'_>)],
        outputs: &mut [(&str, DynViewMut<'_>)],
        params: &[(&str, ParamValue)],
    ) -> Result<(), Error> {
        match self.newer() {
            None => self.bound.call(inputs, outputs, params),
            Some(kernel) => {
                let result = self.bound.call_on(&kernel, inputs, outputs, params);
                if self.bound.is_of(&kernel) {
                    self.kernel = kernel;
                }
                result
            }
        }
    }

    /// Returns the number of bytes that each call copies, of tensors that are not mapped.
    pub fn copied_bytes(&self) -> u64 {
        self.bound.copied_bytes()
    }

    /// Returns the number of threads that each call is divided over; 1 if it is not divided.
    pub fn threads(&self) -> usize {
        self.bound.threads()
    }
}

impl<H: Bindable + fmt::Debug> fmt::Debug for FollowedBound<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FollowedBound").field(&self.kernel).finish()
    }
}
