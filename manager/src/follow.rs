//! Handles that follow the active pack.

use std::sync::Arc;

use kernelpack_abi::{Infer, Kernel, ParamValue, Pass};
use kernelpack_runtime::{DynKernel, DynTensor, DynView, DynViewMut, Error, TypedKernel};

use crate::{follow_bound::FollowedBound, slot::Slot};

/// A handle to a kernel of whichever pack is active: a [`TypedKernel`] from
/// [`KernelManager::follow`](crate::KernelManager::follow) or a [`DynKernel`] from
/// [`KernelManager::follow_named`](crate::KernelManager::follow_named).
///
/// Each call loads the active pack again, which costs an atomic load. Two consecutive calls may run on different packs;
/// take [`current`](Self::current) once for calls that belong together. The handle is cheap to clone and can be called
/// from many threads.
///
/// # Example: calls that go to whichever pack is active
/// ```no_run
/// use kernelpack_host::{Error, TypedKernel, abi::view, manager::{Followed, KernelManager}};
/// use kernelpack_kernels::rmsnorm_f32::{Inputs, Kernel};
///
/// fn serve(manager: &KernelManager, x: &[f32; 2], weight: &[f32; 2]) -> Result<(), Error> {
///     let rmsnorm: Followed<TypedKernel<Kernel>> = manager.follow()?;
///     for _ in 0..100 {
///         let outputs = rmsnorm.run(Inputs::new(view(x, [1, 2])?, view(weight, [2])?))?;
///         println!("{:?}", outputs.y.data());
///     }
///     Ok(())
/// }
/// ```
pub struct Followed<H> {
    slot: Arc<Slot<H>>,
}

impl<H> Followed<H> {
    pub(crate) fn new(slot: Arc<Slot<H>>) -> Self {
        Self { slot }
    }

    /// Returns the active pack's kernel, which stays with that pack.
    pub fn current(&self) -> H
    where
        H: Clone,
    {
        H::clone(&self.slot.current.load())
    }
}

impl<K: Kernel> Followed<TypedKernel<K>> {
    /// Calls the active pack's kernel, like [`TypedKernel::call`].
    ///
    /// # Errors
    /// See [`TypedKernel::call`].
    pub fn call(&self, args: K::Args<'_>) -> Result<(), Error> {
        self.slot.current.load().call(args)
    }

    /// Runs the active pack's kernel, like [`TypedKernel::run`].
    ///
    /// # Errors
    /// See [`TypedKernel::run`].
    pub fn run(&self, inputs: K::Inputs<'_>) -> Result<K::Outputs, Error>
    where
        K: Infer,
    {
        self.slot.current.load().run(inputs)
    }

    /// Binds the active pack's kernel to tensors, like [`TypedKernel::bind`]; the binding follows the active pack.
    ///
    /// # Errors
    /// See [`TypedKernel::bind`].
    pub fn bind(&self, args: K::Args<'_>) -> Result<FollowedBound<TypedKernel<K>>, Error> {
        FollowedBound::new(self.slot.clone(), |kernel| kernel.bind(args))
    }

    /// Runs the backward pass of the active pack's kernel, like [`TypedKernel::backward`].
    ///
    /// # Errors
    /// See [`TypedKernel::backward`].
    pub fn backward(&self, args: <K::Backward as Pass>::Args<'_>) -> Result<(), Error> {
        self.slot.current.load().backward(args)
    }
}

impl Followed<DynKernel> {
    /// Runs the active pack's kernel, like [`DynKernel::run`].
    ///
    /// # Errors
    /// See [`DynKernel::run`].
    pub fn run(&self, inputs: &[(&str, DynView<'_>)], params: &[(&str, ParamValue)]) -> Result<Vec<DynTensor>, Error> {
        self.slot.current.load().run(inputs, params)
    }

    /// Calls the active pack's kernel, like [`DynKernel::call`].
    ///
    /// # Errors
    /// See [`DynKernel::call`].
    pub fn call(
        &self,
        inputs: &[(&str, DynView<'_>)],
        outputs: &mut [(&str, DynViewMut<'_>)],
        params: &[(&str, ParamValue)],
    ) -> Result<(), Error> {
        self.slot.current.load().call(inputs, outputs, params)
    }

    /// Binds the active pack's kernel to tensors, like [`DynKernel::bind`]; the binding follows the active pack.
    ///
    /// # Errors
    /// See [`DynKernel::bind`].
    pub fn bind(
        &self,
        inputs: &[(&str, DynView<'_>)],
        outputs: &mut [(&str, DynViewMut<'_>)],
        params: &[(&str, ParamValue)],
    ) -> Result<FollowedBound<DynKernel>, Error> {
        FollowedBound::new(self.slot.clone(), |kernel| kernel.bind(inputs, outputs, params))
    }

    /// Runs the backward pass of the active pack's kernel, like [`DynKernel::backward`].
    ///
    /// # Errors
    /// See [`DynKernel::backward`].
    pub fn backward(
        &self,
        inputs: &[(&str, DynView<'_>)],
        params: &[(&str, ParamValue)],
    ) -> Result<Vec<DynTensor>, Error> {
        self.slot.current.load().backward(inputs, params)
    }
}

impl<H> Clone for Followed<H> {
    fn clone(&self) -> Self {
        Self { slot: self.slot.clone() }
    }
}

impl<H: std::fmt::Debug> std::fmt::Debug for Followed<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Followed").field(&*self.slot.current.load()).finish()
    }
}
