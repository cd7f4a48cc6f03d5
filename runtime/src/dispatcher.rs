//! Where a call goes: to the sandbox, or past it.
//!
//! Every call begins here. [`LoadedKernel`] only runs calls in the sandbox; if a kernel is stopped, it drops the
//! instance, which frees everything that the kernel held. [`Recovery`] handles kernels that fail, are out of service or
//! are placed outside the sandbox.

use std::{sync::Arc, time::Instant};

use kernelpack_abi::{Signature, TensorArg};
use kernelpack_engine::{Budget, Export};
use kernelpack_manifest::VerifiedVector;

use crate::{
    BadCall, ConfigError, Error, Occupancy,
    call::Call,
    compiled::CompiledKernel,
    guest::Calls,
    loaded::{LoadedKernel, Shares},
    metrics::Outcome,
    origin::Origin,
    recovery::{Admission, Recovery, Settings},
};

/// The minimum number of ticks for each call that is run on its own after its batch failed.
const LEAST_TICKS: u32 = 2;

/// A loaded kernel with its recovery.
pub(crate) struct Dispatcher {
    pub(crate) recovery: Recovery,
    pub(crate) loaded: Arc<LoadedKernel>,
}

impl Dispatcher {
    /// Loads a compiled kernel.
    ///
    /// Call this on the thread that loads the pack, since its logger and metrics recorder may be thread-local.
    pub(crate) fn new(
        compiled: CompiledKernel,
        vectors: &[VerifiedVector],
        origin: Origin,
        shares: &Shares,
        settings: &Settings,
    ) -> Result<Self, ConfigError> {
        let origin = Arc::new(origin);
        let max_ticks = compiled.limits.max_epoch_ticks;
        let recovery = Recovery::new(settings, &compiled.interface, vectors, &origin, max_ticks)?;
        Ok(Self { recovery, loaded: Arc::new(LoadedKernel::new(compiled, origin, shares)) })
    }

    /// Runs a call where the kernel is placed, with recovery.
    #[inline]
    pub(crate) fn call(
        &self,
        export: Export,
        signature: &Signature<'_>,
        tensors: &mut [TensorArg<'_>],
        scalars: &[u8],
        max_ticks: u32,
    ) -> Result<(), Error> {
        self.dispatch(Call { export, signature, tensors, scalars, max_ticks, allowed: max_ticks, in_place: false })
    }

    #[inline]
    fn dispatch(&self, mut call: Call<'_, '_>) -> Result<(), Error> {
        let start = self.recovery.clock.start();
        self.call_in(&mut call, start, |call| {
            let result = self.loaded.call(call.export, call.signature, call.tensors, call.scalars, call.max_ticks);
            let Occupancy { idle, busy, .. } = self.loaded.pool.occupancy();
            self.recovery.metrics.pool(idle, busy);
            result
        })
    }

    /// Like [`call`](Self::call), but `sandbox` runs the call in the sandbox, and the duration is reported only if
    /// there is a start time.
    #[inline]
    pub(crate) fn call_in<'c, 't>(
        &self,
        call: &mut Call<'c, 't>,
        start: Option<Instant>,
        sandbox: impl FnOnce(&mut Call<'c, 't>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if !self.recovery.is_usual() {
            return self.call_otherwise(call, start, sandbox);
        }
        match sandbox(call) {
            Ok(()) => {
                self.recovery.succeeded(start);
                Ok(())
            }
            Err(error) => self.recovery.failed(call, start, error),
        }
    }

    /// Runs a call of a kernel that runs natively or is out of service.
    #[cold]
    fn call_otherwise<'c, 't>(
        &self,
        call: &mut Call<'c, 't>,
        start: Option<Instant>,
        sandbox: impl FnOnce(&mut Call<'c, 't>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (outcome, result) = match self.recovery.run_natively(call, start) {
            Some(result) => (Outcome::of(&result), result),
            None => self.call_if_admitted(call, start, sandbox),
        };
        self.recovery.metrics.call(outcome, start.map(|start| start.elapsed()));
        result
    }

    fn call_if_admitted<'c, 't>(
        &self,
        call: &mut Call<'c, 't>,
        start: Option<Instant>,
        sandbox: impl FnOnce(&mut Call<'c, 't>) -> Result<(), Error>,
    ) -> (Outcome, Result<(), Error>) {
        let admission = self.recovery.admit(start);
        if let Admission::Refused { retry_in } = admission {
            return self.recovery.refuse(call, retry_in);
        }
        match sandbox(call) {
            Ok(()) => {
                self.recovery.sandbox_succeeded(admission);
                (Outcome::Ok, Ok(()))
            }
            Err(error) => self.recovery.recover(call, admission, start, error),
        }
    }

    /// Reports a call whose arguments were refused before it began.
    pub(crate) fn report<R>(&self, begun: Result<Result<R, Error>, BadCall>) -> Result<R, Error> {
        begun.unwrap_or_else(|bad| Err(self.recovery.not_begun(bad.into())))
    }

    /// Runs calls of the forward pass in one entry of the sandbox, if the kernel is in service there and supports
    /// batches. If not, or if one of the calls fails, it runs them one by one with the rest of the batch's budget, or
    /// slightly more: the calls before one that overruns the budget still get their results.
    pub(crate) fn call_batch(
        &self,
        signature: &Signature<'_>,
        calls: &mut Calls<'_>,
        max_ticks: u32,
    ) -> Result<(), Error> {
        let mut left = None;
        // If the kernel is out of service, a single call probes whether it works again.
        if self.recovery.is_usual() && calls.len() > 1 {
            // If a call fails, running each on its own finds out which it was, and recovers it.
            let all = self.loaded.batch_ticks(calls.len(), max_ticks);
            let mut budget = None;
            match self.loaded.call_batch(signature, calls, all, &mut budget) {
                Some(Ok(())) => {
                    self.recovery.batch_succeeded(calls.len());
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
            self.dispatch(Call {
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
}

#[cfg(test)]
mod tests;
