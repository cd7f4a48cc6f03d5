//! Recovery from failed calls, with logs and metrics.
//!
//! [`LoadedKernel::call`] runs a call in the sandbox and nothing else; if the kernel is stopped, it drops the instance,
//! which frees everything that the kernel held. [`LoadedKernel::serve`] is for callers of kernels: it takes a kernel
//! that keeps failing out of service, runs the reference on unchanged inputs if the policy allows it, and reports logs
//! and metrics. For a call that succeeds, it adds a few atomic loads and additions and, in one call out of 64, two
//! readings of the clock; it takes no lock and allocates nothing.

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

/// Whether panics, even those of a reference, abort this program.
const PANICS_ABORT: bool = cfg!(panic = "abort");

/// What a loaded kernel needs for recovery, all of it made when the kernel is loaded.
pub(crate) struct Recovery {
    policy: FallbackPolicy,
    placement: Placement,
    reference: Option<Reference>,
    breaker: Breaker,
    metrics: KernelMetrics,
    pub(crate) clock: Clock,
    /// Whether the policy covers the last failure that counted. If a kernel is out of service because it overran its
    /// budget, and the policy does not cover overruns, its calls do not fall back.
    covered: AtomicBool,
    /// Whether the last call did not get its result from the sandbox.
    degraded: AtomicBool,
}

impl Recovery {
    /// Finds the reference of a kernel and checks it against the kernel's health vectors.
    ///
    /// # Errors
    /// The kernel is to run natively but has no reference.
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

    /// The name of the reference that calls fall back to, if there is one and the policy allows it.
    pub(crate) fn fallback(&self) -> Option<&str> {
        self.substitute().map(Reference::reference_name)
    }

    fn substitute(&self) -> Option<&Reference> {
        self.reference.as_ref().filter(|_| self.policy != FallbackPolicy::Never)
    }

    /// Whether calls simply go to the sandbox, as they nearly always do.
    #[inline]
    pub(crate) fn is_usual(&self) -> bool {
        self.placement == Placement::Sandboxed && self.breaker.is_closed()
    }

    /// Records whether the last result came from the sandbox; writes only on a change.
    #[inline]
    fn set_degraded(&self, degraded: bool) {
        if self.degraded.load(Relaxed) != degraded {
            self.degraded.store(degraded, Relaxed);
            self.metrics.degraded(degraded);
        }
    }
}

/// The minimum number of ticks for each call that is run on its own after its batch failed.
const LEAST_TICKS: u32 = 2;

/// A call, with what recovery needs to know about it.
pub(crate) struct Call<'c, 't> {
    pub(crate) export: Export,
    pub(crate) signature: &'c Signature<'c>,
    pub(crate) tensors: &'c mut [TensorArg<'t>],
    pub(crate) scalars: &'c [u8],
    pub(crate) max_ticks: u32,
    /// The ticks that the caller allows for it; `max_ticks` may be fewer, if a batch has used some of them.
    pub(crate) allowed: u32,
    /// Whether the sandbox works on the caller's own tensors, which a failed kernel may have changed.
    pub(crate) in_place: bool,
}

impl Call<'_, '_> {
    /// Whether the inputs of the call are unchanged after a failure, so that it can be repeated.
    fn is_repeatable(&self) -> bool {
        !self.in_place || !self.tensors.iter().any(|tensor| matches!(tensor.data, TensorData::InOut(_)))
    }
}

impl LoadedKernel {
    /// Runs a call where the kernel is placed, with everything that [`recovery`](self) adds.
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

    /// Like [`serve`](Self::serve), but `sandbox` runs the call in the sandbox, and the duration is reported only if
    /// there is a start time.
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

    /// Reports a call that took the usual path and succeeded.
    #[inline]
    pub(crate) fn served(&self, start: Option<Instant>) {
        self.succeeded(Admission::Closed);
        self.recovery.metrics.call(Outcome::Ok, start.map(|start| start.elapsed()));
    }

    /// Recovers a call that took the usual path and failed, as the policy says.
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

    /// Runs a call of a kernel that runs natively or is out of service.
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

    /// Records that the sandbox gave a result.
    #[inline]
    fn succeeded(&self, admission: Admission) {
        if self.recovery.breaker.succeeded(admission) == Change::Closed {
            log::back_in_service(self);
            self.recovery.metrics.out_of_service(false);
        }
        self.recovery.set_degraded(false);
    }

    /// Runs calls of the forward pass in one entry of the sandbox, if the kernel is in service there and supports
    /// batches. If not, or if one of the calls fails, it runs them one by one with the rest of the batch's budget, or
    /// slightly more: the calls before one that overruns the budget still get their results.
    pub(crate) fn serve_batch(
        &self,
        signature: &Signature<'_>,
        calls: &mut Calls<'_>,
        max_ticks: u32,
    ) -> Result<(), Error> {
        let recovery = &self.recovery;
        let mut left = None;
        // If the kernel is out of service, a single call probes whether it works again.
        if recovery.is_usual() && calls.len() > 1 {
            // If a call fails, running each on its own finds out which it was, and recovers it.
            let all = self.batch_ticks(calls.len(), max_ticks);
            let mut budget = None;
            match self.call_batch(signature, calls, all, &mut budget) {
                Some(Ok(())) => {
                    recovery.breaker.succeeded(Admission::Closed);
                    recovery.set_degraded(false);
                    recovery.metrics.calls(Outcome::Ok, calls.len() as u64);
                    return Ok(());
                }
                // A batch that was stopped has used some of its time; one that was refused has used none.
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

    /// Refuses a call because the kernel is out of service, or runs the reference.
    #[cold]
    fn refuse(&self, call: &mut Call<'_, '_>, retry_in: Duration) -> (Outcome, Result<(), Error>) {
        let (pack, version) = (self.origin.pack.clone(), self.origin.version.clone());
        let refused = Box::new(OutOfService { kernel: self.id.clone(), pack, version, retry_in });
        // Bad arguments are refused as they would be in service.
        match check(call.signature, call.tensors) {
            Err(bad) => (Outcome::BadCall, Err(bad.into())),
            Ok(_) => self.fall_back_if(self.recovery.covered.load(Relaxed), call, refused.into()),
        }
    }

    /// Recovers a call that failed in the sandbox.
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
        // A caller with a short deadline must not take the kernel out of service for everybody else.
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

    /// Runs the reference in place of the kernel, if there is one and the policy covers the failure (`covered`);
    /// otherwise returns the error.
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
