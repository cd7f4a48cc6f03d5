//! Calls through the stubs that `#[kernel]` makes.

use std::{marker::PhantomData, sync::Arc, time::Duration};

use kernelpack_abi::{Infer, Kernel, Pass};
use kernelpack_engine::{Export, ticks};

use crate::{BadCall, Error, Interruption, Occupancy, Placement, dispatcher::Dispatcher, guest::Calls};

/// A kernel of a pack, called with the arguments of its stub.
///
/// Cheap to clone, and callable from many threads at once; each call has an instance to itself.
///
/// # Example: results that are allocated, and results of one's own
/// ```no_run
/// use std::time::Duration;
///
/// use kernelpack_host::{Error, Pack, abi::{view, view_mut}};
/// use kernelpack_kernels::rmsnorm_f32;
///
/// fn normalize(pack: &Pack, x: &[f32], weight: &[f32], y: &mut [f32]) -> Result<(), Error> {
///     let rmsnorm = pack.kernel::<rmsnorm_f32::Kernel>()?.with_budget(Duration::from_millis(50));
///     let dim = weight.len();
///     let (x, weight) = (view(x, [x.len() / dim, dim])?, view(weight, [dim])?);
///     let outputs = rmsnorm.run(rmsnorm_f32::Inputs::new(x, weight))?;
///     println!("{:?}", outputs.y.data());
///
///     let y = view_mut(y, [y.len() / dim, dim])?;
///     rmsnorm.call(rmsnorm_f32::Args { eps: 1e-6, ..rmsnorm_f32::Args::new(x, weight, y) })
/// }
/// ```
pub struct TypedKernel<K> {
    dispatcher: Arc<Dispatcher>,
    max_ticks: u32,
    stub: PhantomData<fn() -> K>,
}

impl<K: Kernel> TypedKernel<K> {
    pub(crate) fn new(dispatcher: Arc<Dispatcher>) -> Self {
        Self { dispatcher, max_ticks: u32::MAX, stub: PhantomData }
    }

    pub(crate) fn dispatcher(&self) -> &Arc<Dispatcher> {
        &self.dispatcher
    }

    pub(crate) fn max_ticks(&self) -> u32 {
        self.max_ticks
    }

    /// The kernel's id.
    pub fn id(&self) -> &str {
        self.dispatcher.loaded.id()
    }

    /// How many instances the kernel has, and how many it may have.
    pub fn occupancy(&self) -> Occupancy {
        self.dispatcher.loaded.occupancy()
    }

    /// How calls that overrun their budget are stopped.
    pub fn interruption(&self) -> Interruption {
        self.dispatcher.loaded.interruption()
    }

    /// Where the kernel runs.
    pub fn placement(&self) -> Placement {
        self.dispatcher.recovery.placement()
    }

    /// The name of the reference implementation that calls fall back to, if there is one and the runtime's
    /// [`FallbackPolicy`](crate::FallbackPolicy) allows it.
    pub fn reference_name(&self) -> Option<&str> {
        self.dispatcher.recovery.fallback()
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
        let pushed = calls.into_iter().try_for_each(|args| batch.push::<K>(args));
        let called = pushed.map(|()| self.dispatcher.call_batch(&K::SIGNATURE, &mut batch, self.max_ticks));
        let result = self.dispatcher.report(called);
        batch.keep_room();
        result
    }

    /// Runs the kernel on these inputs and returns its results, whose shapes follow from the shapes of the inputs.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn run(&self, inputs: K::Inputs<'_>) -> Result<K::Outputs, Error>
    where
        K: Infer,
    {
        let outputs = K::allocate(&inputs).map_err(|error| BadCall::Shape { message: error.message().to_owned() });
        self.dispatcher.report(outputs.map(|mut outputs| {
            self.call(K::join(inputs, &mut outputs))?;
            Ok(outputs)
        }))
    }

    /// Runs the kernel's backward pass, like [`call`](Self::call).
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn backward(&self, args: <K::Backward as Pass>::Args<'_>) -> Result<(), Error> {
        self.enter::<K::Backward>(Export::Backward, args)
    }

    fn enter<P: Pass>(&self, export: Export, args: P::Args<'_>) -> Result<(), Error> {
        P::lend(args, |tensors, scalars| self.dispatcher.call(export, &P::SIGNATURE, tensors, scalars, self.max_ticks))
    }
}

impl<K> Clone for TypedKernel<K> {
    fn clone(&self) -> Self {
        Self { dispatcher: self.dispatcher.clone(), max_ticks: self.max_ticks, stub: PhantomData }
    }
}

impl<K> std::fmt::Debug for TypedKernel<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("TypedKernel").field(self.dispatcher.loaded.id()).finish()
    }
}
