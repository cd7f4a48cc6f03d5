//! Bindings that go with the active pack.

use std::{fmt, sync::Arc};

use arc_swap::Guard;
use kernelpack_abi::{Kernel, ParamValue, Signature, TensorArg};

use super::follow::Slot;
use crate::{DynKernel, DynView, DynViewMut, Error, TypedKernel, dynamic::lend, served::Served};

/// A kernel of whichever pack is active, bound to tensors: [`Bound`](crate::Bound) or [`DynBound`](crate::DynBound) for
/// those who follow, made by `bind` of a [`Followed`](crate::Followed).
///
/// Each call looks which pack is active, for the price of an atomic load. The first one after a swap binds that pack's
/// kernel to the same tensors, which takes about as long as `bind` did; all others cost what they cost before. So what
/// is bound is never left behind on a pack that was replaced, perhaps because it is broken. Whoever wants to stay with a
/// pack, for calls that belong together or so that no call takes longer than others, binds
/// [`Followed::current`](crate::Followed::current).
///
/// Until that next call it keeps the instance that it has, and with it the kernel of the pack before.
///
/// # Example: a service whose kernels are replaced between two calls
/// ```no_run
/// use kernelpack_host::{Error, KernelManager, Tensor};
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
pub struct FollowedBound<H> {
    slot: Arc<Slot<H>>,
    /// Whose kernel is bound.
    kernel: Arc<H>,
    served: Served,
}

/// A handle of a loaded kernel.
pub(super) trait Handle {
    /// Binds the kernel to tensors.
    fn bind(&self, signature: &Signature<'_>, tensors: &mut [TensorArg<'_>], scalars: &[u8]) -> Result<Served, Error>;
}

impl<K: Kernel> Handle for TypedKernel<K> {
    fn bind(&self, signature: &Signature<'_>, tensors: &mut [TensorArg<'_>], scalars: &[u8]) -> Result<Served, Error> {
        Served::new(self.loaded(), signature, tensors, scalars, self.max_ticks())
    }
}

impl Handle for DynKernel {
    fn bind(&self, signature: &Signature<'_>, tensors: &mut [TensorArg<'_>], scalars: &[u8]) -> Result<Served, Error> {
        Served::new(self.loaded(), signature, tensors, scalars, self.max_ticks())
    }
}

impl<H> FollowedBound<H> {
    pub(super) fn new(
        slot: Arc<Slot<H>>,
        signature: &Signature<'_>,
        tensors: &mut [TensorArg<'_>],
        scalars: &[u8],
    ) -> Result<Self, Error>
    where
        H: Handle,
    {
        let kernel = slot.current.load_full();
        let served = kernel.bind(signature, tensors, scalars)?;
        Ok(Self { slot, kernel, served })
    }

    /// Whether another pack is active than the one that is bound.
    #[inline]
    fn is_behind(&self) -> bool {
        !Arc::ptr_eq(&self.slot.current.load(), &self.kernel)
    }

    /// Runs the active pack's kernel on tensors that must be those bound.
    fn run(&mut self, signature: &Signature<'_>, tensors: &mut [TensorArg<'_>], scalars: &[u8]) -> Result<(), Error>
    where
        H: Handle,
    {
        let active = self.slot.current.load();
        if !Arc::ptr_eq(&active, &self.kernel) {
            // Other tensors are as wrong as they would be without the swap.
            self.served.check(signature, tensors)?;
            self.served = active.bind(signature, tensors, scalars)?;
            self.kernel = Guard::into_inner(active);
        }
        self.served.call(signature, tensors, scalars)
    }

    /// The threads over which each call is divided, 1 where it is not.
    pub fn threads(&self) -> usize {
        self.served.threads()
    }
}

impl<K: Kernel> FollowedBound<TypedKernel<K>> {
    /// Runs the active pack's kernel on the tensors that were bound, as [`Bound::call`](crate::Bound::call).
    ///
    /// # Errors
    /// As there, and as [`TypedKernel::bind`] where another pack is active than at the last call; the next call tries
    /// again.
    pub fn call(&mut self, args: K::Args<'_>) -> Result<(), Error> {
        if self.is_behind() {
            return K::lend(args, |tensors, scalars| self.run(&K::SIGNATURE, tensors, scalars));
        }
        self.served.call_typed::<K>(args)
    }

    /// Bytes that each call copies, of tensors that are not mapped.
    pub fn copied_bytes(&self) -> u64 {
        self.served.copied_bytes(&K::SIGNATURE)
    }
}

impl FollowedBound<DynKernel> {
    /// Runs the active pack's kernel on the tensors that were bound, as [`DynBound::call`](crate::DynBound::call).
    /// Scalars that are not given have the active pack's defaults.
    ///
    /// # Errors
    /// As there, and as [`DynKernel::bind`] where another pack is active than at the last call; the next call tries
    /// again.
    pub fn call(
        &mut self,
        inputs: &[(&str, DynView<'_>)],
        outputs: &mut [(&str, DynViewMut<'_>)],
        params: &[(&str, ParamValue)],
    ) -> Result<(), Error> {
        let active = self.slot.current.load_full();
        active.signature().with(|signature| {
            lend(active.id(), signature, inputs, outputs, params, |tensors, scalars| {
                self.run(signature, tensors, scalars)
            })
        })
    }

    /// Bytes that each call copies, of tensors that are not mapped.
    pub fn copied_bytes(&self) -> u64 {
        self.kernel.signature().with(|signature| self.served.copied_bytes(signature))
    }
}

impl<H: fmt::Debug> fmt::Debug for FollowedBound<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FollowedBound").field(&self.kernel).finish()
    }
}
