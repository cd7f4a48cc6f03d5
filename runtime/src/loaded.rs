//! A kernel that was compiled, with its instances.

use std::{sync::Arc, time::Duration};

use kernelpack_abi::{KernelInfo, KernelSpecBuf, ResourceLimits, Signature, TensorArg};
use kernelpack_engine::{Budget, CompiledModule, Engine, Export, KernelCode, NoInstance, PAGE, Places, Stop};
use kernelpack_manifest::{ModuleFacts, VerifiedInterface, VerifiedVector};
use semver::Version;

use crate::{
    Backtrace, BadCall, CacheOutcome, EngineError, Error, Interruption, KernelFailure, Occupancy,
    guest::{CLEANUP_TICKS, Calls, Checked, Failure, Guest, unreachable},
    neighbours::Neighbours,
    pool::{Full, Lease, Pool, PoolPolicy, WhenFull},
    recovery::{PackInfo, PackLabels, Recovery, Settings},
    workers::Workers,
};

/// Which pack a kernel came from, for errors, logs and metrics.
pub(crate) struct Origin {
    pub(crate) pack: Arc<str>,
    pub(crate) version: Version,
    _info: PackInfo,
}

impl Origin {
    pub(crate) fn new(pack: &str, version: &Version, settings: &Settings) -> Self {
        let pack: Arc<str> = pack.into();
        let info = PackInfo::new(settings.metrics, &PackLabels { name: &pack, version });
        Self { pack, version: version.clone(), _info: info }
    }

    fn labels(&self) -> PackLabels<'_> {
        PackLabels { name: &self.pack, version: &self.version }
    }
}

/// An instance out of its pool.
pub(crate) type Leased<'a> = Lease<'a, Box<Guest>>;

/// A compiled kernel.
pub(crate) struct LoadedKernel {
    pub(crate) id: Arc<str>,
    pub(crate) spec: KernelSpecBuf,
    pub(crate) origin: Arc<Origin>,
    pub(crate) recovery: Recovery,
    /// The threads that bound calls are divided over, if they are.
    pub(crate) workers: Option<Arc<Workers>>,
    neighbours: Arc<Neighbours>,
    facts: ModuleFacts,
    /// What instances may use: the manifest's limits, never above the runtime's.
    limits: ResourceLimits,
    /// What a batch may use: what the runtime allows.
    batch_ticks: u32,
    // Fields drop in order: idle instances first, then the module, then the engine whose ticker ends their calls.
    /// Boxed, since they are handed from place to place.
    pub(crate) pool: Pool<Box<Guest>>,
    /// The places of instances that bindings have; none is ever idle.
    pub(crate) bindings: Pool<Box<Guest>>,
    module: Box<dyn CompiledModule>,
    _engine: Arc<dyn Engine>,
}

/// What the kernels of a runtime have alike.
#[derive(Clone)]
pub(crate) struct Shares {
    pub(crate) pool: PoolPolicy,
    /// Instances that the bindings of one kernel have at most.
    pub(crate) max_bindings: u32,
    /// The threads that bound calls are divided over, if they are.
    pub(crate) workers: Option<Arc<Workers>>,
    /// The kernels themselves.
    pub(crate) neighbours: Arc<Neighbours>,
}

impl Shares {
    fn bindings(&self) -> Pool<Box<Guest>> {
        let policy = PoolPolicy::new().when_full(WhenFull::Fail).max_idle(0);
        Pool::new(policy, self.max_bindings, self.max_bindings)
    }
}

/// A module with its code and limits, of which any thread can make its part.
pub(crate) struct CompiledKernel {
    engine: Arc<dyn Engine>,
    interface: VerifiedInterface,
    module: Box<dyn CompiledModule>,
    limits: ResourceLimits,
    /// What the runtime allows.
    ceiling: ResourceLimits,
}

impl CompiledKernel {
    /// Compiles a verified module, or loads native code.
    pub(crate) fn new(
        engine: &Arc<dyn Engine>,
        code: KernelCode,
        ceiling: ResourceLimits,
    ) -> Result<Self, EngineError> {
        let interface = code.interface().clone();
        let (spec, facts) = (interface.spec(), interface.facts());
        let limits = ResourceLimits {
            max_memory_pages: spec.limits.max_memory_pages.min(ceiling.max_memory_pages),
            max_epoch_ticks: spec.limits.max_epoch_ticks.min(ceiling.max_epoch_ticks),
            max_table_elements: spec.limits.max_table_elements.min(ceiling.max_table_elements),
            max_instances: spec.limits.max_instances.min(ceiling.max_instances),
            max_stack_bytes: spec.limits.max_stack_bytes.min(ceiling.max_stack_bytes),
        };
        // Told now and not at the first call: no instance could ever be made.
        for (what, needed, limit) in [
            ("pages of memory", facts.initial_pages, limits.max_memory_pages),
            ("table elements", facts.table_elements, limits.max_table_elements),
        ] {
            if needed > limit {
                return Err(EngineError::CeilingTooLow { kernel: spec.id.clone(), what, needed, limit });
            }
        }
        let compiled = engine.compile(code, limits);
        let compiled = compiled.map_err(|source| EngineError::Compile { kernel: spec.id.clone(), source })?;
        Ok(Self { engine: engine.clone(), interface, module: compiled, limits, ceiling })
    }

    /// Where its code came from.
    pub(crate) fn cache_outcome(&self) -> CacheOutcome {
        self.module.cache_outcome()
    }
}

const _: () = assert!(Pool::<Box<Guest>>::IS_LOCK_FREE);

impl LoadedKernel {
    /// Makes a kernel of a module that was compiled.
    ///
    /// Loggers and recorders of metrics may be those of one thread, so this is for the thread that loads the pack.
    pub(crate) fn new(
        compiled: CompiledKernel,
        vectors: &[VerifiedVector],
        origin: Arc<Origin>,
        shares: &Shares,
        settings: &Settings,
    ) -> Result<Self, EngineError> {
        let CompiledKernel { engine, interface, module, limits, ceiling } = compiled;
        let spec = interface.spec().clone();
        Ok(Self {
            id: spec.id.as_str().into(),
            recovery: Recovery::new(settings, &interface, vectors, &origin.labels())?,
            origin,
            workers: shares.workers.clone(),
            neighbours: shares.neighbours.clone(),
            facts: interface.facts().clone(),
            limits,
            batch_ticks: ceiling.max_epoch_ticks,
            pool: Pool::new(shares.pool, limits.max_instances, ceiling.max_instances),
            bindings: shares.bindings(),
            module,
            spec,
            _engine: engine,
        })
    }

    /// Where its code came from.
    pub(crate) fn cache_outcome(&self) -> CacheOutcome {
        self.module.cache_outcome()
    }

    /// How its calls are stopped.
    pub(crate) fn interruption(&self) -> Interruption {
        self.module.interruption()
    }

    /// Checks a call, runs it in an instance of its own, and hands the instance back: the sandbox and nothing else.
    ///
    /// Callers of kernels get [`serve`](Self::serve), which knows what to do if this fails.
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
        // An instance whose last call was like this one has all checks behind it.
        if let Some(mut lease) = self.pool.warm() {
            if let Some(guest) = lease.item().filter(|guest| guest.fits(export, tensors, scalars)) {
                let result = guest.run(tensors, scalars, ticks);
                return self.end(lease, result);
            }
            lease.give_back();
        }
        self.call_anew(export, signature, tensors, scalars, ticks)
    }

    /// A call that is laid out first.
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

    /// An instance, or the place of one, for [`call_in`](Self::call_in), which is waited for at most so long where all are
    /// busy, whatever the pool's policy is.
    pub(crate) fn lease_within(&self, limit: Duration) -> Result<Leased<'_>, Error> {
        self.pool.lease_within(limit).map_err(|full| self.busy(full))
    }

    /// Like [`call`](Self::call), but in an instance that the caller has.
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

    /// Runs calls of the forward pass at one entry; `None` if the kernel has no export for that.
    ///
    /// They have `all` ticks together, as a budget that begins with the first of them.
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

    /// Whether an instance could have a tensor of so many bytes.
    pub(crate) fn check_room(&self, bytes: u64) -> Result<(), BadCall> {
        let (needed, limit) = (bytes.div_ceil(PAGE), self.limits.max_memory_pages);
        if needed <= u64::from(limit) { Ok(()) } else { Err(self.too_large(needed, limit)) }
    }

    #[cold]
    fn too_large(&self, needed: u64, limit: u32) -> BadCall {
        let of_runtime = limit < self.spec.limits.max_memory_pages;
        BadCall::TooLarge { kernel: self.id.to_string(), needed, limit, of_runtime }
    }

    /// The ticks that so many calls get at one entry: those of one call for each of them, in all no more than the runtime
    /// allows for one.
    pub(crate) fn batch_ticks(&self, calls: usize, max_ticks: u32) -> u32 {
        let ticks = self.ticks(max_ticks);
        u32::try_from(calls).unwrap_or(u32::MAX).saturating_mul(ticks).min(self.batch_ticks.max(ticks))
    }

    /// The ticks that one call gets.
    pub(crate) fn ticks(&self, max_ticks: u32) -> u32 {
        max_ticks.min(self.limits.max_epoch_ticks)
    }

    /// What the guest says of itself.
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

    /// Hands an instance back, or drops it where it was stopped.
    #[inline]
    fn end<R>(&self, lease: Leased<'_>, result: Result<R, Failure>) -> Result<R, Error> {
        match result {
            // Whatever it was doing, it cannot be used again.
            Err(ref failure) if failure.spoils_guest() => drop(lease),
            _ => lease.give_back(),
        }
        result.map_err(|failure| self.error(failure))
    }

    /// Runs something in an instance that nobody else uses, and gives both. What runs is told the ticks that making the
    /// instance has left of `max_ticks`.
    ///
    /// A warm instance whose guest has grown memory may have no room where a new one has: then a new one has a try, with
    /// what is left of the budget.
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
        // What the host does to make an instance does not count, only what a guest did in it or in the one before.
        let left = if guest_ran { budget.left() } else { max_ticks };
        let result = run(guest, left);
        Ok((lease, result))
    }

    /// How many instances there are.
    pub(crate) fn occupancy(&self) -> Occupancy {
        Occupancy { bound: self.bindings.occupancy().busy, ..self.pool.occupancy() }
    }

    /// Ends the instance of a binding, with so many ticks for its cleanup; its place is free when this returns.
    pub(crate) fn retire(&self, guest: Box<Guest>, ticks: u32) {
        let mut lease = self.bindings.reattach(guest);
        if let Some(guest) = lease.vacate() {
            guest.clean_up(ticks);
        }
    }

    /// Drops the instances that are idle now, and says how many there were.
    pub(crate) fn trim(&self) -> u32 {
        self.trim_within(CLEANUP_TICKS)
    }

    /// Like [`trim`](Self::trim), with so many ticks for their cleanups.
    pub(crate) fn trim_within(&self, ticks: u32) -> u32 {
        // One budget for all: a hostile cleanup must not hold up its caller once for each instance.
        let budget = Budget::new(ticks);
        let mut trimmed = 0;
        // Not more than there were: other threads may go on giving instances back.
        for _ in 0..self.pool.occupancy().idle {
            let Some(mut lease) = self.pool.idle() else { break };
            if let Some(guest) = lease.vacate() {
                guest.clean_up(budget.left());
                trimmed += 1;
            }
        }
        trimmed
    }

    /// An instance that has seen nothing of any call, for a binding; it has a place among those until it is given back.
    pub(crate) fn new_instance(&self, max_ticks: u32) -> Result<Box<Guest>, Error> {
        let full = |Full { limit, .. }| EngineError::TooManyBindings { kernel: self.id.clone(), limit };
        let lease = self.bindings.lease().map_err(full)?;
        let guest = self.instantiate(max_ticks)?;
        Ok(lease.detach_with(guest))
    }

    fn instantiate(&self, max_ticks: u32) -> Result<Box<Guest>, Error> {
        let mut instance = self.module.instantiate();
        // What idle instances of the runtime's kernels keep may be what is lacking.
        if instance.as_ref().is_err_and(|error| !error.by_module) && self.neighbours.trim() > 0 {
            instance = self.module.instantiate();
        }
        let instance = instance.map_err(|NoInstance { message, by_module }| EngineError::Instantiate {
            kernel: self.id.clone(),
            message,
            by_module,
        })?;
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

    /// A failure with the names of kernel and pack.
    #[cold]
    pub(crate) fn error(&self, failure: Failure) -> Error {
        match failure {
            Failure::Refused(BadCall::TooLarge { needed, limit, .. }) => self.too_large(needed, limit).into(),
            Failure::Refused(call) => call.into(),
            Failure::Unmappable(error) => EngineError::Unmappable { kernel: self.id.clone(), error }.into(),
            Failure::OutOfMemory { pages } => EngineError::OutOfMemory { kernel: self.id.clone(), pages }.into(),
            Failure::Internal(what) => Error::Internal(what),
            Failure::Returned(error) => self.trapped(Stop { error, backtrace: Backtrace::default() }).into(),
            Failure::Stopped(stop) => self.trapped(stop).into(),
        }
    }

    #[cold]
    fn busy(&self, Full { limit, waited }: Full) -> Error {
        EngineError::Busy { kernel: self.id.clone(), limit, waited }.into()
    }

    #[cold]
    pub(crate) fn trapped(&self, stop: Stop) -> Box<KernelFailure> {
        let Origin { pack, version, .. } = &*self.origin;
        let Stop { error, backtrace } = stop;
        let (kernel, pack, version) = (self.id.clone(), pack.clone(), version.clone());
        Box::new(KernelFailure { kernel, pack, version, error, backtrace })
    }
}

impl Drop for LoadedKernel {
    fn drop(&mut self) {
        self.trim();
    }
}

#[cfg(test)]
#[path = "loaded_tests.rs"]
mod tests;
