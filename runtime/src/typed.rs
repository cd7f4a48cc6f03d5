//! Calls through the stubs that `#[kernel]` makes.

use std::{marker::PhantomData, sync::Arc, time::Duration};

use kernelpack_abi::{Infer, Kernel, Pass};
use kernelpack_engine::{Export, ticks};

use crate::{
    BadCall, Bound, Error, Interruption, Occupancy, Placement, bound_call::BoundCall, guest::Calls,
    loaded::LoadedKernel,
};

/// A kernel of a pack, called with the arguments of its stub.
///
/// Cheap to clone, and callable from many threads at once; each call has an instance to itself.
pub struct TypedKernel<K> {
    loaded: Arc<LoadedKernel>,
    max_ticks: u32,
    stub: PhantomData<fn() -> K>,
}

impl<K: Kernel> TypedKernel<K> {
    pub(crate) fn new(loaded: Arc<LoadedKernel>) -> Self {
        Self { loaded, max_ticks: u32::MAX, stub: PhantomData }
    }

    pub(crate) fn loaded(&self) -> &Arc<LoadedKernel> {
        &self.loaded
    }

    pub(crate) fn max_ticks(&self) -> u32 {
        self.max_ticks
    }

    /// The kernel's id.
    pub fn id(&self) -> &str {
        &self.loaded.id
    }

    /// How many instances the kernel has, and how many it may have.
    pub fn occupancy(&self) -> Occupancy {
        self.loaded.occupancy()
    }

    /// How calls that overrun their budget are stopped.
    pub fn interruption(&self) -> Interruption {
        self.loaded.interruption()
    }

    /// Where the kernel runs.
    pub fn placement(&self) -> Placement {
        self.loaded.recovery.placement()
    }

    /// The name of the reference implementation that calls fall back to, if there is one and the runtime's
    /// [`FallbackPolicy`](crate::FallbackPolicy) allows it.
    pub fn reference_name(&self) -> Option<&str> {
        self.loaded.recovery.fallback()
    }

    /// Gives each call at most this much time; the manifest's and the runtime's budgets still hold.
    ///
    /// Engines count in ticks of 10 ms: the budget is rounded up to whole ticks, and a call is stopped within two ticks
    /// after its budget is over.
    pub fn with_budget(mut self, budget: Duration) -> Self {
        self.max_ticks = ticks(budget);
        self
    }

    /// Runs the kernel on these arguments, in the sandbox unless the runtime places it elsewhere.
    ///
    /// Outputs and in-out tensors are written only if the call succeeds. If the kernel fails, its reference
    /// implementation may run instead for this call, as the runtime's [`FallbackPolicy`](crate::FallbackPolicy) says.
    ///
    /// # Errors
    /// [`Error::BadCall`] if the shapes disagree or need more memory than the kernel may have, before the sandbox is
    /// entered; [`Error::Kernel`] if the kernel fails or runs out of its budget; [`Error::OutOfService`] if it did so
    /// too often.
    pub fn call(&self, args: K::Args<'_>) -> Result<(), Error> {
        self.enter::<K>(Export::Forward, args)
    }

    /// Runs the kernel on many sets of arguments in one entry of the sandbox.
    ///
    /// If a batch has as many calls as the last one, with the same types, shapes and shared inputs, it needs no further
    /// checks, like a single warm call, and allocates nothing unless it has more than 16,384 tensors. Each of its calls
    /// then costs less than a single call, especially with small tensors. An input that consecutive calls share, such
    /// as weights, is copied once. Durations of batches are not reported.
    ///
    /// The budget of the batch is the sum of its calls' budgets, but no more than the runtime allows for one call. If a
    /// call fails, all are run again one by one, with the rest of that budget and at least 20 ms each: the calls before
    /// the first that fails get their results, and those after it do not.
    ///
    /// # Errors
    /// As [`call`](Self::call), for the first call that fails.
    pub fn call_batch<'a>(&self, calls: impl IntoIterator<Item = K::Args<'a>>) -> Result<(), Error> {
        let mut batch = Calls::of::<K>();
        calls.into_iter().try_for_each(|args| batch.push::<K>(args))?;
        let served = self.loaded.serve_batch(&K::SIGNATURE, &mut batch, self.max_ticks);
        batch.keep_room();
        served
    }

    /// Lays out a call once, to run it any number of times on the same tensors without copying them.
    ///
    /// Arguments in a [`Tensor`](crate::Tensor) are mapped into an instance made for the binding. The kernel cannot
    /// write to mapped inputs, and cannot reach any other memory of the host. Other arguments are copied at each call.
    /// The borrow of the arguments ends with this call; see [`Bound`].
    ///
    /// # Errors
    /// As [`call`](Self::call), although only the kernel's initialization runs;
    /// [`EngineError::TooManyBindings`](crate::EngineError::TooManyBindings) if the kernel's bindings already have as
    /// many instances as they may; [`EngineError::Unmappable`](crate::EngineError::Unmappable) if the system cannot map
    /// a tensor.
    pub fn bind(&self, args: K::Args<'_>) -> Result<Bound<K>, Error> {
        K::lend(args, |tensors, scalars| {
            let served = BoundCall::new(&self.loaded, &K::SIGNATURE, tensors, scalars, self.max_ticks)?;
            Ok(Bound::new(served))
        })
    }

    /// Runs the kernel on these inputs and returns its results, whose shapes follow from the shapes of the inputs.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn run(&self, inputs: K::Inputs<'_>) -> Result<K::Outputs, Error>
    where
        K: Infer,
    {
        let mut outputs =
            K::allocate(&inputs).map_err(|error| BadCall::Shape { message: error.message().to_owned() })?;
        self.call(K::join(inputs, &mut outputs))?;
        Ok(outputs)
    }

    /// Runs the kernel's backward pass, like [`call`](Self::call).
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn backward(&self, args: <K::Backward as Pass>::Args<'_>) -> Result<(), Error> {
        self.enter::<K::Backward>(Export::Backward, args)
    }

    fn enter<P: Pass>(&self, export: Export, args: P::Args<'_>) -> Result<(), Error> {
        P::lend(args, |tensors, scalars| self.loaded.serve(export, &P::SIGNATURE, tensors, scalars, self.max_ticks))
    }
}

impl<K> Clone for TypedKernel<K> {
    fn clone(&self) -> Self {
        Self { loaded: self.loaded.clone(), max_ticks: self.max_ticks, stub: PhantomData }
    }
}

impl<K> std::fmt::Debug for TypedKernel<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("TypedKernel").field(&self.loaded.id).finish()
    }
}
