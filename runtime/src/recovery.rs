//! Recovery from failed calls, with logs and metrics.
//!
//! A [`Recovery`] takes a kernel that keeps failing out of service, runs the reference on unchanged inputs if the
//! policy allows it, and reports logs and metrics. For a call that succeeds, it adds a few atomic loads and additions
//! and, in one call out of 64, two readings of the clock; it takes no lock and allocates nothing.

mod breaker;
mod clock;
mod log;
mod policy;
mod reference;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use kernelpack_engine::Stop;
use kernelpack_manifest::{VerifiedInterface, VerifiedVector};

pub(crate) use self::{breaker::Admission, policy::Settings, reference::interface_difference};
pub use policy::{BreakerPolicy, FallbackPolicy, Placement};

use self::{
    breaker::{Breaker, Change},
    clock::Clock,
    reference::{NoReference, Reference},
};
use crate::{
    Backtrace, ConfigError, Error, KernelError, OutOfService,
    call::Call,
    guest::check,
    metrics::{KernelMetrics, Outcome},
    origin::Origin,
};

/// Whether panics, even those of a reference, abort this program.
const PANICS_ABORT: bool = cfg!(panic = "abort");

/// The recovery state of a loaded kernel, made when the kernel is loaded.
pub(crate) struct Recovery {
    origin: Arc<Origin>,
    /// The most ticks that a call may have.
    max_ticks: u32,
    policy: FallbackPolicy,
    placement: Placement,
    reference: Option<Reference>,
    breaker: Breaker,
    pub(crate) metrics: KernelMetrics,
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
        origin: &Arc<Origin>,
        max_ticks: u32,
    ) -> Result<Self, ConfigError> {
        let spec = interface.spec();
        let placement = settings.placements.get(&spec.id).copied().unwrap_or_default();
        let found = match settings.has_no_use_for_references(placement, PANICS_ABORT) {
            Some(reason) => Err(NoReference::Missing(reason.to_owned())),
            None => Reference::find(spec, &interface.facts().writer, &settings.references, vectors),
        };
        match (placement, &found) {
            (Placement::Native, Err(reason)) => {
                return Err(ConfigError::NoReference { kernel: spec.id.clone(), reason: reason.to_string() });
            }
            (Placement::Native, Ok(reference)) => log::native(origin, reference),
            (Placement::Sandboxed, Err(reason)) => log::no_fallback(origin, reason),
            (Placement::Sandboxed, Ok(_)) => {}
        }
        Ok(Self {
            origin: origin.clone(),
            max_ticks,
            policy: settings.fallback,
            placement,
            reference: found.ok(),
            breaker: match placement {
                Placement::Sandboxed => Breaker::new(settings.breaker, Instant::now()),
                Placement::Native => Breaker::open_for_good(settings.breaker, Instant::now()),
            },
            metrics: KernelMetrics::new(settings.metrics, &spec.id, &origin.labels(), placement.label()),
            clock: Clock::new(settings.metrics),
            covered: AtomicBool::new(true),
            degraded: AtomicBool::new(false),
        })
    }

    pub(crate) fn placement(&self) -> Placement {
        self.placement
    }

    /// Returns the name of the reference that calls fall back to, if there is one and the policy allows it.
    pub(crate) fn fallback(&self) -> Option<&str> {
        self.substitute().map(Reference::reference_name)
    }

    fn substitute(&self) -> Option<&Reference> {
        self.reference.as_ref().filter(|_| self.policy != FallbackPolicy::Never)
    }

    /// Returns whether calls simply go to the sandbox, as they nearly always do.
    #[inline]
    pub(crate) fn is_usual(&self) -> bool {
        self.breaker.is_closed()
    }

    /// Records whether the last result came from the sandbox; writes only on a change.
    #[inline]
    fn set_degraded(&self, degraded: bool) {
        if self.degraded.load(Relaxed) != degraded {
            self.degraded.store(degraded, Relaxed);
            self.metrics.degraded(degraded);
        }
    }

    /// Asks whether the sandbox may run a call of a kernel that may be out of service.
    pub(crate) fn admit(&self, start: Option<Instant>) -> Admission {
        self.breaker.admit(|| start.unwrap_or_else(Instant::now))
    }

    /// Reports a call that took the usual path and succeeded.
    #[inline]
    pub(crate) fn succeeded(&self, start: Option<Instant>) {
        self.sandbox_succeeded(Admission::Closed);
        self.metrics.call(Outcome::Ok, start.map(|start| start.elapsed()));
    }

    /// Reports a batch of calls that took the usual path and succeeded.
    #[inline]
    pub(crate) fn batch_succeeded(&self, calls: usize) {
        self.sandbox_succeeded(Admission::Closed);
        self.metrics.calls(Outcome::Ok, calls as u64);
    }

    /// Records that the sandbox gave a result.
    #[inline]
    pub(crate) fn sandbox_succeeded(&self, admission: Admission) {
        if self.breaker.succeeded(admission) == Change::Closed {
            log::back_in_service(&self.origin);
            self.metrics.out_of_service(false);
        }
        self.set_degraded(false);
    }

    /// Reports a call that failed before it began.
    #[cold]
    pub(crate) fn not_begun(&self, error: Error) -> Error {
        log::refused(&self.origin, &error);
        self.metrics.call(Outcome::of_error(&error), None);
        error
    }

    /// Recovers a call that took the usual path and failed, as the policy says.
    #[cold]
    pub(crate) fn failed(&self, call: &mut Call<'_, '_>, start: Option<Instant>, error: Error) -> Result<(), Error> {
        let (outcome, result) = self.recover(call, Admission::Closed, start, error);
        self.metrics.call(outcome, start.map(|start| start.elapsed()));
        result
    }

    /// Recovers a call that failed in the sandbox.
    #[cold]
    pub(crate) fn recover(
        &self,
        call: &mut Call<'_, '_>,
        admission: Admission,
        start: Option<Instant>,
        error: Error,
    ) -> (Outcome, Result<(), Error>) {
        let failure = match &error {
            Error::Kernel(failure) if !failure.error.is_refusal() => failure,
            _ => {
                self.breaker.said_nothing(admission);
                log::refused(&self.origin, &error);
                return (Outcome::of_error(&error), Err(error));
            }
        };
        log::failed(failure, call, start.map(|start| start.elapsed()));
        self.metrics.failure(&failure.error);
        // A caller with a short deadline must not take the kernel out of service for everybody else.
        if failure.error == KernelError::EpochDeadline && call.allowed < self.max_ticks {
            self.breaker.said_nothing(admission);
        } else {
            self.covered.store(self.policy.covers(&failure.error), Relaxed);
            if self.breaker.failed(admission, Instant::now()) == Change::Opened {
                log::out_of_service(&self.origin, self.breaker.policy(), self.fallback());
                self.metrics.out_of_service(true);
            }
        }
        let covered = self.policy.covers(&failure.error) && call.is_repeatable();
        self.fall_back_if(covered, call, error)
    }

    /// Refuses a call because the kernel is out of service, or runs the reference.
    #[cold]
    pub(crate) fn refuse(&self, call: &mut Call<'_, '_>, retry_in: Duration) -> (Outcome, Result<(), Error>) {
        let (pack, version) = (self.origin.pack.clone(), self.origin.version.clone());
        let refused = Box::new(OutOfService { kernel: self.origin.kernel.clone(), pack, version, retry_in });
        // Bad arguments are refused as they would be in service.
        match check(call.signature, call.tensors) {
            Err(bad) => (Outcome::BadCall, Err(bad.into())),
            Ok(_) => self.fall_back_if(self.covered.load(Relaxed), call, refused.into()),
        }
    }

    /// Runs the reference in place of the kernel, if there is one and the policy covers the failure (`covered`);
    /// otherwise returns the error.
    #[cold]
    fn fall_back_if(&self, covered: bool, call: &mut Call<'_, '_>, error: Error) -> (Outcome, Result<(), Error>) {
        self.set_degraded(true);
        let Some(reference) = self.substitute().filter(|_| covered) else {
            return (Outcome::of_error(&error), Err(error));
        };
        match reference.run_on_copies(call.export, call.tensors, call.scalars) {
            Ok(()) => {
                self.metrics.fallback(true);
                log::fell_back(&self.origin, reference);
                (Outcome::Fallback, Ok(()))
            }
            Err(failure) => {
                self.metrics.fallback(false);
                log::fallback_failed(&self.origin, reference, &failure);
                (Outcome::of_error(&error), Err(error))
            }
        }
    }

    /// Runs the reference in the sandbox's place, if the kernel is placed there.
    pub(crate) fn run_natively(&self, call: &mut Call<'_, '_>, start: Option<Instant>) -> Option<Result<(), Error>> {
        let reference = self.reference.as_ref().filter(|_| self.placement == Placement::Native)?;
        if let Err(bad) = check(call.signature, call.tensors) {
            return Some(Err(bad.into()));
        }
        let Err(error) = reference.run_in_place(call.export, call.tensors, call.scalars) else { return Some(Ok(())) };
        let failure = self.origin.failure(Stop { error, backtrace: Backtrace::default() });
        if !failure.error.is_refusal() {
            log::failed(&failure, call, start.map(|start| start.elapsed()));
            self.metrics.failure(&failure.error);
        }
        Some(Err(failure.into()))
    }
}
