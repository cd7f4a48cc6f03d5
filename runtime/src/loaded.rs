//! Loaded kernels and their instances.

use std::{sync::Arc, time::Duration};

use kernelpack_abi::{KernelInfo, KernelSpecBuf, ResourceLimits, Signature, TensorArg};
use kernelpack_engine::{Budget, CompiledModule, Engine, Export, PAGE, Places, Stop};
use kernelpack_manifest::ModuleFacts;

use crate::{
    Backtrace, BadCall, CacheOutcome, Error, Interruption, Occupancy, ResourceError,
    compiled::CompiledKernel,
    guest::{CLEANUP_TICKS, Calls, Checked, Failure, Guest, unreachable},
    neighbours::{Neighbour, Neighbours},
    origin::Origin,
    pool::{Full, Lease, Pool, PoolPolicy, WhenFull},
    workers::Workers,
};

/// An instance on lease from its pool, or a vacant place for one.
pub(crate) type Leased<'a> = Lease<'a, Box<Guest>>;

/// A kernel that can be called in the sandbox.
pub(crate) struct LoadedKernel {
    pub(crate) spec: KernelSpecBuf,
    pub(crate) origin: Arc<Origin>,
    /// The threads over which bound calls are divided, if they are divided.
    pub(crate) workers: Option<Arc<Workers>>,
    neighbours: Arc<Neighbours>,
    facts: ModuleFacts,
    /// The limits of instances: the lower of the manifest's and the runtime's.
    limits: ResourceLimits,
    /// The budget of a batch: what the runtime allows for one call.
    batch_ticks: u32,
    // Fields drop in order: idle instances first, then the module, then the engine whose ticker ends their calls.
    /// Boxed, so that an instance is one word, which pools can swap atomically.
    pub(crate) pool: Pool<Box<Guest>>,
    /// The places of the instances of bindings; these are never idle.
    pub(crate) bindings: Pool<Box<Guest>>,
    module: Box<dyn CompiledModule>,
    _engine: Arc<dyn Engine>,
}

/// The state that all kernels of a runtime share.
#[derive(Clone)]
pub(crate) struct Shares {
    pub(crate) pool: PoolPolicy,
    /// How many instances the bindings of one kernel may have.
    pub(crate) max_bindings: u32,
    /// The threads over which bound calls are divided, if they are divided.
    pub(crate) workers: Option<Arc<Workers>>,
    /// All kernels of the runtime.
    pub(crate) neighbours: Arc<Neighbours>,
}

impl Shares {
    fn bindings(&self) -> Pool<Box<Guest>> {
        let policy = PoolPolicy::new().when_full(WhenFull::Fail).max_idle(0);
        Pool::new(policy, self.max_bindings, self.max_bindings)
    }
}

const _: () = assert!(Pool::<Box<Guest>>::IS_LOCK_FREE);

impl LoadedKernel {
    /// Makes a kernel from a compiled module.
    pub(crate) fn new(compiled: CompiledKernel, origin: Arc<Origin>, shares: &Shares) -> Self {
        let CompiledKernel { engine, interface, module, limits, ceiling } = compiled;
        let (spec, facts) = Arc::unwrap_or_clone(interface).into_parts();
        Self {
            origin,
            workers: shares.workers.clone(),
            neighbours: shares.neighbours.clone(),
            facts,
            limits,
            batch_ticks: ceiling.max_epoch_ticks,
            pool: Pool::new(shares.pool, limits.max_instances, ceiling.max_instances),
            bindings: shares.bindings(),
            module,
            spec,
            _engine: engine,
        }
    }

    /// Returns the kernel's id.
    pub(crate) fn id(&self) -> &Arc<str> {
        &self.origin.kernel
    }

    /// Returns where the code came from.
    pub(crate) fn cache_outcome(&self) -> CacheOutcome {
        self.module.cache_outcome()
    }

    /// Returns how calls that overrun their budget are stopped.
    pub(crate) fn interruption(&self) -> Interruption {
        self.module.interruption()
    }

    /// Checks a call, runs it in an instance of its own, and gives the instance back. This uses the sandbox and nothing
    /// else, and does not recover from failures.
    #[inline]
    pub(crate) fn call(
        &self,
        export: Export,
        signature: &Signature<'_>,
        tensors: &mut [TensorArg<'_>],
        scalars: &[u8],
        max_ticks: u32,
    ) -> Result<(), Error> {
        let ticks = self.ticks(max_ticks);
        // If the last call of the instance was like this one, it needs no further checks.
        if let Some(mut lease) = self.pool.warm() {
            if let Some(guest) = lease.item().filter(|guest| guest.fits(export, tensors, scalars)) {
                let result = guest.run(tensors, scalars, ticks);
                return self.end(lease, result);
            }
            lease.give_back();
        }
        self.call_anew(export, signature, tensors, scalars, ticks)
    }

    /// Lays out a call and runs it.
    #[inline(never)]
    fn call_anew(
        &self,
        export: Export,
        signature: &Signature<'_>,
        tensors: &mut [TensorArg<'_>],
        scalars: &[u8],
        ticks: u32,
    ) -> Result<(), Error> {
        let call = Checked::new(signature, tensors)?;
        self.with_guest(ticks, |guest, ticks| {
            guest.lay_out(export, &call, tensors, scalars, &[])?;
            guest.run(tensors, scalars, ticks)
        })
    }

    /// Takes an instance, or a place for one, for [`call_in`](Self::call_in). If all are busy, waits for at most
    /// `limit`, whatever the pool's policy is.
    pub(crate) fn lease_within(&self, limit: Duration) -> Result<Leased<'_>, Error> {
        self.pool.lease_within(limit).map_err(|full| self.busy(full))
    }

    /// Like [`call`](Self::call), but uses the caller's lease.
    pub(crate) fn call_in(
        &self,
        lease: Leased<'_>,
        export: Export,
        signature: &Signature<'_>,
        tensors: &mut [TensorArg<'_>],
        scalars: &[u8],
        max_ticks: u32,
    ) -> Result<(), Error> {
        let call = match Checked::new(signature, tensors) {
            Ok(call) => call,
            Err(bad) => {
                lease.give_back();
                return Err(bad.into());
            }
        };
        let (lease, result) = self.enter_leased(lease, self.ticks(max_ticks), |guest, ticks| {
            guest.lay_out(export, &call, tensors, scalars, &[])?;
            guest.run(tensors, scalars, ticks)
        })?;
        self.end(lease, result)
    }

    /// Runs calls of the forward pass in one entry; `None` if the kernel has no export for that.
    ///
    /// Together they get `all` ticks, as a budget that starts with the first of them.
    #[inline]
    pub(crate) fn call_batch(
        &self,
        signature: &Signature<'_>,
        calls: &mut Calls<'_>,
        all: u32,
        budget: &mut Option<Budget>,
    ) -> Option<Result<(), Error>> {
        // As in `call`.
        if let Some(mut lease) = self.pool.warm() {
            *budget = Some(Budget::new(all));
            if let Some(result) = lease.item().and_then(|guest| guest.run_batch(calls, all)) {
                return Some(self.end(lease, result));
            }
            lease.give_back();
        }
        let mut has_batch = true;
        let result = self.with_guest(all, |guest, all| {
            has_batch = guest.has_batch();
            if !has_batch {
                return Ok(());
            }
            guest.lay_out_batch(signature, calls)?;
            budget.get_or_insert_with(|| Budget::new(all));
            guest.run_batch(calls, all).unwrap_or_else(|| Err(unreachable()))
        });
        has_batch.then_some(result)
    }

    /// Checks that an instance has room for a tensor of this many bytes.
    pub(crate) fn check_room(&self, bytes: u64) -> Result<(), BadCall> {
        let (needed, limit) = (bytes.div_ceil(PAGE), self.limits.max_memory_pages);
        if needed <= u64::from(limit) { Ok(()) } else { Err(self.too_large(needed, limit)) }
    }

    #[cold]
    fn too_large(&self, needed: u64, limit: u32) -> BadCall {
        let of_runtime = limit < self.spec.limits.max_memory_pages;
        BadCall::TooLarge { kernel: self.id().to_string(), needed, limit, of_runtime }
    }

    /// Returns the ticks for a batch of this many calls: the sum of their budgets, but no more than the runtime allows
    /// for one call.
    pub(crate) fn batch_ticks(&self, calls: usize, max_ticks: u32) -> u32 {
        let ticks = self.ticks(max_ticks);
        u32::try_from(calls).unwrap_or(u32::MAX).saturating_mul(ticks).min(self.batch_ticks.max(ticks))
    }

    /// Returns the ticks for one call.
    pub(crate) fn ticks(&self, max_ticks: u32) -> u32 {
        max_ticks.min(self.limits.max_epoch_ticks)
    }

    /// Returns what the guest's `kernel_info` reports, and the id in it.
    pub(crate) fn info(&self) -> Result<(KernelInfo, Option<String>), Error> {
        self.with_guest(u32::MAX, |guest, _| {
            let info = guest.info()?;
            Ok((info, guest.text(info.id_offset, info.id_size.min(256))))
        })
    }

    fn with_guest<R>(
        &self,
        max_ticks: u32,
        run: impl FnMut(&mut Guest, u32) -> Result<R, Failure>,
    ) -> Result<R, Error> {
        let (lease, result) = self.enter(max_ticks, run)?;
        self.end(lease, result)
    }

    /// Gives an instance back, or drops it if it was stopped.
    #[inline]
    fn end<R>(&self, lease: Leased<'_>, result: Result<R, Failure>) -> Result<R, Error> {
        match result {
            // A spoiled instance must not be used again.
            Err(ref failure) if failure.spoils_guest() => drop(lease),
            _ => lease.give_back(),
        }
        result.map_err(|failure| self.error(failure))
    }

    /// Runs a function in a leased instance, and returns the lease with the result. The function gets the ticks of
    /// `max_ticks` that making the instance has left.
    ///
    /// If a warm instance lacks room because its guest has grown memory, the function runs again in a new instance,
    /// with the rest of the budget.
    pub(crate) fn enter<R>(
        &self,
        max_ticks: u32,
        run: impl FnMut(&mut Guest, u32) -> Result<R, Failure>,
    ) -> Result<(Leased<'_>, Result<R, Failure>), Error> {
        let lease = self.pool.lease().map_err(|full| self.busy(full))?;
        self.enter_leased(lease, max_ticks, run)
    }

    fn enter_leased<'a, R>(
        &self,
        mut lease: Leased<'a>,
        max_ticks: u32,
        mut run: impl FnMut(&mut Guest, u32) -> Result<R, Failure>,
    ) -> Result<(Leased<'a>, Result<R, Failure>), Error> {
        let budget = Budget::new(max_ticks);
        let mut guest_ran = self.spec.lifecycle.init;
        if let Some(guest) = lease.item() {
            match run(guest, max_ticks) {
                Err(Failure::Refused(BadCall::TooLarge { .. }) | Failure::OutOfMemory { .. })
                    if guest.has_grown_memory() =>
                {
                    guest_ran = true;
                    if let Some(guest) = lease.vacate() {
                        guest.clean_up(CLEANUP_TICKS.min(budget.left()));
                    }
                }
                result => return Ok((lease, result)),
            }
        }
        let guest = lease.fill(self.instantiate(if guest_ran { budget.left() } else { max_ticks })?);
        // The host's time for making an instance does not count, only that of guest code.
        let left = if guest_ran { budget.left() } else { max_ticks };
        let result = run(guest, left);
        Ok((lease, result))
    }

    /// Returns how many instances there are, by state.
    pub(crate) fn occupancy(&self) -> Occupancy {
        Occupancy { bound: self.bindings.occupancy().busy, ..self.pool.occupancy() }
    }

    /// Ends the instance of a binding, with `ticks` for its cleanup; its place is free when this returns.
    pub(crate) fn retire(&self, guest: Box<Guest>, ticks: u32) {
        let mut lease = self.bindings.reattach(guest);
        if let Some(guest) = lease.vacate() {
            guest.clean_up(ticks);
        }
    }

    /// Drops the instances that are idle now and returns their number.
    pub(crate) fn trim(&self) -> u32 {
        self.trim_within(CLEANUP_TICKS)
    }

    /// Makes a new instance for a binding; it keeps a place in `bindings` until it is reattached.
    pub(crate) fn new_instance(&self, max_ticks: u32) -> Result<Box<Guest>, Error> {
        let full = |Full { limit, .. }| ResourceError::TooManyBindings { kernel: self.id().clone(), limit };
        let lease = self.bindings.lease().map_err(full)?;
        let guest = self.instantiate(max_ticks)?;
        Ok(lease.detach_with(guest))
    }

    fn instantiate(&self, max_ticks: u32) -> Result<Box<Guest>, Error> {
        let mut instance = self.module.instantiate();
        // Idle instances of the runtime's kernels may hold what is lacking.
        if instance.as_ref().is_err_and(|error| !error.by_module) && self.neighbours.trim() > 0 {
            instance = self.module.instantiate();
        }
        let instance = instance.map_err(|error| Error::no_instance(self.id().clone(), error))?;
        let cleanup = self.spec.lifecycle.cleanup;
        let Places { heap_base, message } =
            instance.places().unwrap_or(Places { heap_base: self.facts.heap_base, message: self.facts.message });
        let mut guest = Box::new(Guest::new(instance, self.limits, heap_base, message, cleanup));
        if self.spec.lifecycle.init {
            let ticks = self.ticks(max_ticks);
            self.spec
                .forward
                .with(|signature| guest.init(signature.params, ticks))
                .map_err(|failure| self.error(failure))?;
        }
        Ok(guest)
    }

    /// Turns a failure into an error that names the kernel and its pack.
    #[cold]
    pub(crate) fn error(&self, failure: Failure) -> Error {
        match failure {
            Failure::Refused(BadCall::TooLarge { needed, limit, .. }) => self.too_large(needed, limit).into(),
            Failure::Refused(call) => call.into(),
            Failure::Unmappable(error) => ResourceError::Unmappable { kernel: self.id().clone(), error }.into(),
            Failure::OutOfMemory { pages } => ResourceError::OutOfMemory { kernel: self.id().clone(), pages }.into(),
            Failure::Internal(what) => Error::Internal(what),
            Failure::Returned(error) => self.origin.failure(Stop { error, backtrace: Backtrace::default() }).into(),
            Failure::Stopped(stop) => self.origin.failure(stop).into(),
        }
    }

    #[cold]
    fn busy(&self, Full { limit, waited }: Full) -> Error {
        ResourceError::Busy { kernel: self.id().clone(), limit, waited }.into()
    }
}

impl Neighbour for LoadedKernel {
    fn trim_within(&self, ticks: u32) -> u32 {
        // One budget for all, so that a hostile cleanup cannot hold up its caller once per instance.
        let budget = Budget::new(ticks);
        let mut trimmed = 0;
        // No more than there were at the start, since other threads may keep giving instances back.
        for _ in 0..self.pool.occupancy().idle {
            let Some(mut lease) = self.pool.idle() else { break };
            if let Some(guest) = lease.vacate() {
                guest.clean_up(budget.left());
                trimmed += 1;
            }
        }
        trimmed
    }
}

impl Drop for LoadedKernel {
    fn drop(&mut self) {
        self.trim();
    }
}

#[cfg(test)]
mod tests;
