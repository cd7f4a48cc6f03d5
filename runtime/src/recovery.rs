//! What happens around a call, and after a kernel failed: log, release, fall back, report.
//!
//! [`LoadedKernel::call`] is the sandbox alone and releases what a stopped kernel held by dropping its instance.
//! [`LoadedKernel::serve`] is what callers of kernels get: it keeps a kernel that fails again and again out of the way,
//! runs the reference on untouched inputs where the policy allows it, and reports. A call that succeeds costs it a few
//! atomic loads and additions and, one in 64 times, two looks at the clock; it takes no lock and allocates nothing.

mod breaker;
mod clock;
mod log;
mod metrics;
mod policy;
mod reference;

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::{Duration, Instant},
};

use kernelpack_abi::{Signature, TensorArg, TensorData};
use kernelpack_engine::{Budget, Export, Stop};
use kernelpack_manifest::{VerifiedInterface, VerifiedVector};

pub(crate) use self::{
    metrics::{Pack as PackLabels, PackInfo, describe},
    policy::Settings,
    reference::interface_difference,
};
pub use policy::{BreakerPolicy, FallbackPolicy, Placement};

use self::{
    breaker::{Admission, Breaker, Change},
    clock::Clock,
    metrics::{KernelMetrics, Outcome},
    reference::{NoReference, Reference},
};
use crate::{
    Backtrace, EngineError, Error, KernelError, Occupancy, OutOfService,
    guest::{Calls, check},
    loaded::LoadedKernel,
};

/// Whether panics end this program, and with it those of a reference.
const PANICS_ABORT: bool = cfg!(panic = "abort");

/// What a loaded kernel needs to recover, all of it made when it is loaded.
pub(crate) struct Recovery {
    policy: FallbackPolicy,
    placement: Placement,
    reference: Option<Reference>,
    breaker: Breaker,
    metrics: KernelMetrics,
    pub(crate) clock: Clock,
    /// Whether the policy covers the last failure that counted: a kernel that is out of service since it overran its
    /// budget has no fallback where overruns have none.
    covered: AtomicBool,
    /// Whether the last call did not get its result from the sandbox.
    degraded: AtomicBool,
}

impl Recovery {
    /// What this runtime does for a kernel, whose health vectors tell whether a reference computes the same.
    ///
    /// # Errors
    /// The kernel is to run natively and has no reference.
    pub(crate) fn new(
        settings: &Settings,
        interface: &VerifiedInterface,
        vectors: &[VerifiedVector],
        pack: &PackLabels<'_>,
    ) -> Result<Self, EngineError> {
        let spec = interface.spec();
        let placement = settings.placements.get(&spec.id).copied().unwrap_or_default();
        let found = match settings.has_no_use_for_references(placement, PANICS_ABORT) {
            Some(reason) => Err(NoReference::Missing(reason.to_owned())),
            None => Reference::find(spec, &interface.facts().writer, &settings.references, vectors),
        };
        match (placement, &found) {
            (Placement::Native, Err(reason)) => {
                return Err(EngineError::NoReference { kernel: spec.id.clone(), reason: reason.to_string() });
            }
            (Placement::Native, Ok(reference)) => log::native(&spec.id, pack, reference),
            (Placement::Sandboxed, Err(reason)) => log::no_fallback(&spec.id, pack, reason),
            (Placement::Sandboxed, Ok(_)) => {}
        }
        Ok(Self {
            policy: settings.fallback,
            placement,
            reference: found.ok(),
            breaker: Breaker::new(settings.breaker, Instant::now()),
            metrics: KernelMetrics::new(settings.metrics, &spec.id, pack, placement),
            clock: Clock::new(settings.metrics),
            covered: AtomicBool::new(true),
            degraded: AtomicBool::new(false),
        })
    }

    pub(crate) fn placement(&self) -> Placement {
        self.placement
    }

    /// The name of the reference that calls fall back to, if they do.
    pub(crate) fn fallback(&self) -> Option<&str> {
        self.substitute().map(Reference::reference_name)
    }

    fn substitute(&self) -> Option<&Reference> {
        self.reference.as_ref().filter(|_| self.policy != FallbackPolicy::Never)
    }

    /// Whether calls go to the sandbox and nothing stands in their way, as nearly always.
    #[inline]
    pub(crate) fn is_usual(&self) -> bool {
        self.placement == Placement::Sandboxed && self.breaker.is_closed()
    }

    /// Remembers and reports where the last result came from; only a change costs anything.
    #[inline]
    fn set_degraded(&self, degraded: bool) {
        if self.degraded.load(Relaxed) != degraded {
            self.degraded.store(degraded, Relaxed);
            self.metrics.degraded(degraded);
        }
    }
}

/// The ticks that each call of a batch gets at least when it is run by itself after the batch failed.
const LEAST_TICKS: u32 = 2;

/// A call, as those who recover it need it.
pub(crate) struct Call<'c, 't> {
    pub(crate) export: Export,
    pub(crate) signature: &'c Signature<'c>,
    pub(crate) tensors: &'c mut [TensorArg<'t>],
    pub(crate) scalars: &'c [u8],
    pub(crate) max_ticks: u32,
    /// The ticks that its caller allows it, which may be more than are left of a batch.
    pub(crate) allowed: u32,
    /// Whether the sandbox works on the caller's own tensors, so that a kernel that failed may have changed them.
    pub(crate) in_place: bool,
}

impl Call<'_, '_> {
    /// Whether what the call reads is as it was before a kernel failed.
    fn is_repeatable(&self) -> bool {
        !self.in_place || !self.tensors.iter().any(|tensor| matches!(tensor.data, TensorData::InOut(_)))
    }
}

impl LoadedKernel {
    /// Runs a call where the kernel is placed, with all that [`recovery`](self) adds.
    #[inline]
    pub(crate) fn serve(
        &self,
        export: Export,
        signature: &Signature<'_>,
        tensors: &mut [TensorArg<'_>],
        scalars: &[u8],
        max_ticks: u32,
    ) -> Result<(), Error> {
        self.serve_call(Call { export, signature, tensors, scalars, max_ticks, allowed: max_ticks, in_place: false })
    }

    #[inline]
    fn serve_call(&self, mut call: Call<'_, '_>) -> Result<(), Error> {
        let start = self.recovery.clock.start();
        self.serve_in(&mut call, start, |call| {
            let result = self.call(call.export, call.signature, call.tensors, call.scalars, call.max_ticks);
            let Occupancy { idle, busy, .. } = self.pool.occupancy();
            self.recovery.metrics.pool(idle, busy);
            result
        })
    }

    /// The same for a call that is run in the sandbox by `sandbox`; only if it has a start does it report its duration.
    #[inline]
    pub(crate) fn serve_in<'c, 't>(
        &self,
        call: &mut Call<'c, 't>,
        start: Option<Instant>,
        sandbox: impl FnOnce(&mut Call<'c, 't>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if !self.recovery.is_usual() {
            return self.serve_otherwise(call, start, sandbox);
        }
        match sandbox(call) {
            Ok(()) => {
                self.served(start);
                Ok(())
            }
            Err(error) => self.not_served(call, start, error),
        }
    }

    /// A usual call got its result.
    #[inline]
    pub(crate) fn served(&self, start: Option<Instant>) {
        self.succeeded(Admission::Closed);
        self.recovery.metrics.call(Outcome::Ok, start.map(|start| start.elapsed()));
    }

    /// A usual call did not: what the policy makes of that.
    #[cold]
    pub(crate) fn not_served(
        &self,
        call: &mut Call<'_, '_>,
        start: Option<Instant>,
        error: Error,
    ) -> Result<(), Error> {
        let (outcome, result) = self.recover(call, Admission::Closed, start, error);
        self.recovery.metrics.call(outcome, start.map(|start| start.elapsed()));
        result
    }

    /// A call of a kernel that runs natively, or is or was out of service.
    #[cold]
    fn serve_otherwise<'c, 't>(
        &self,
        call: &mut Call<'c, 't>,
        start: Option<Instant>,
        sandbox: impl FnOnce(&mut Call<'c, 't>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let recovery = &self.recovery;
        let (outcome, result) = match (recovery.placement, &recovery.reference) {
            (Placement::Native, Some(reference)) => {
                let result = self.run_natively(reference, call, start);
                (Outcome::of(&result), result)
            }
            _ => self.run_sandboxed(call, start, sandbox),
        };
        recovery.metrics.call(outcome, start.map(|start| start.elapsed()));
        result
    }

    /// The sandbox gave a result.
    #[inline]
    fn succeeded(&self, admission: Admission) {
        if self.recovery.breaker.succeeded(admission) == Change::Closed {
            log::back_in_service(self);
            self.recovery.metrics.out_of_service(false);
        }
        self.recovery.set_degraded(false);
    }

    /// Runs calls of the forward pass at one entry of the sandbox, where the kernel is in service there and can do it.
    /// Otherwise, and where one of them fails, they are run one by one, with what is left of the budget of all or a little
    /// more: those before one that overran it still have their results.
    pub(crate) fn serve_batch(
        &self,
        signature: &Signature<'_>,
        calls: &mut Calls<'_>,
        max_ticks: u32,
    ) -> Result<(), Error> {
        let recovery = &self.recovery;
        let mut left = None;
        // Where the kernel is out of service, a call by itself is what tries whether it works again.
        if recovery.is_usual() && calls.len() > 1 {
            // Where one failed, each on its own finds out which it was, and gets what recovers it.
            let all = self.batch_ticks(calls.len(), max_ticks);
            let mut budget = None;
            match self.call_batch(signature, calls, all, &mut budget) {
                Some(Ok(())) => {
                    recovery.breaker.succeeded(Admission::Closed);
                    recovery.set_degraded(false);
                    recovery.metrics.calls(Outcome::Ok, calls.len() as u64);
                    return Ok(());
                }
                // What was stopped has used up some of its time; what was refused has not begun.
                Some(Err(Error::Kernel(_))) => left = budget,
                _ => {}
            }
        }
        for index in 0..calls.len() {
            let (tensors, scalars) = calls.call_mut(index);
            let ticks = left.map_or(max_ticks, |budget: Budget| budget.left().max(LEAST_TICKS).min(max_ticks));
            self.serve_call(Call {
                export: Export::Forward,
                signature,
                tensors,
                scalars,
                max_ticks: ticks,
                allowed: max_ticks,
                in_place: false,
            })?;
        }
        Ok(())
    }

    fn run_sandboxed<'c, 't>(
        &self,
        call: &mut Call<'c, 't>,
        start: Option<Instant>,
        sandbox: impl FnOnce(&mut Call<'c, 't>) -> Result<(), Error>,
    ) -> (Outcome, Result<(), Error>) {
        let recovery = &self.recovery;
        let admission = recovery.breaker.admit(|| start.unwrap_or_else(Instant::now));
        if let Admission::Refused { retry_in } = admission {
            return self.refuse(call, retry_in);
        }
        match sandbox(call) {
            Ok(()) => {
                self.succeeded(admission);
                (Outcome::Ok, Ok(()))
            }
            Err(error) => self.recover(call, admission, start, error),
        }
    }

    /// A call of a kernel that is out of service.
    #[cold]
    fn refuse(&self, call: &mut Call<'_, '_>, retry_in: Duration) -> (Outcome, Result<(), Error>) {
        let (pack, version) = (self.origin.pack.clone(), self.origin.version.clone());
        let refused = Box::new(OutOfService { kernel: self.id.clone(), pack, version, retry_in });
        // Arguments that the sandbox would not have been given are refused all the same.
        match check(call.signature, call.tensors) {
            Err(bad) => (Outcome::BadCall, Err(bad.into())),
            Ok(_) => self.fall_back_if(self.recovery.covered.load(Relaxed), call, refused.into()),
        }
    }

    /// A call that the sandbox did not give a result for.
    #[cold]
    fn recover(
        &self,
        call: &mut Call<'_, '_>,
        admission: Admission,
        start: Option<Instant>,
        error: Error,
    ) -> (Outcome, Result<(), Error>) {
        let recovery = &self.recovery;
        let trapped = match &error {
            Error::Kernel(trapped) if !trapped.error.is_refusal() => trapped,
            _ => {
                recovery.breaker.said_nothing(admission);
                log::refused(&error);
                let result = Err(error);
                return (Outcome::of(&result), result);
            }
        };
        log::trapped(trapped, call, start.map(|start| start.elapsed()));
        recovery.metrics.trap(&trapped.error);
        // A caller that is in a hurry must not take the kernel from everybody else.
        if trapped.error == KernelError::EpochDeadline && call.allowed < self.ticks(u32::MAX) {
            recovery.breaker.said_nothing(admission);
        } else {
            recovery.covered.store(recovery.policy.covers(&trapped.error), Relaxed);
            if recovery.breaker.failed(admission, Instant::now()) == Change::Opened {
                log::out_of_service(self, recovery.breaker.policy());
                recovery.metrics.out_of_service(true);
            }
        }
        let covered = recovery.policy.covers(&trapped.error) && call.is_repeatable();
        self.fall_back_if(covered, call, error)
    }

    /// Runs the reference in the kernel's stead, if that is `covered` by the policy and there is one; else gives the
    /// error.
    #[cold]
    fn fall_back_if(&self, covered: bool, call: &mut Call<'_, '_>, error: Error) -> (Outcome, Result<(), Error>) {
        let recovery = &self.recovery;
        recovery.set_degraded(true);
        let result = Err(error);
        let Some(reference) = recovery.substitute().filter(|_| covered) else { return (Outcome::of(&result), result) };
        match reference.run_on_copies(call.export, call.tensors, call.scalars) {
            Ok(()) => {
                recovery.metrics.fallback(true);
                log::fell_back(self, reference);
                (Outcome::Fallback, Ok(()))
            }
            Err(failure) => {
                recovery.metrics.fallback(false);
                log::fallback_failed(self, reference, &failure);
                (Outcome::of(&result), result)
            }
        }
    }

    fn run_natively(
        &self,
        reference: &Reference,
        call: &mut Call<'_, '_>,
        start: Option<Instant>,
    ) -> Result<(), Error> {
        check(call.signature, call.tensors)?;
        let Err(error) = reference.run_in_place(call.export, call.tensors, call.scalars) else { return Ok(()) };
        let trapped = self.trapped(Stop { error, backtrace: Backtrace::default() });
        if !trapped.error.is_refusal() {
            log::trapped(&trapped, call, start.map(|start| start.elapsed()));
            self.recovery.metrics.trap(&trapped.error);
        }
        Err(trapped.into())
    }
}
