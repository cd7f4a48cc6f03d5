//! The circuit breaker of a kernel.
//!
//! A breaker holds two numbers: the time until which the kernel is out of service, and the number of failures in a row.
//! While the kernel is in service and does not fail, a call loads each number once. The caller passes the time, so that
//! tests need not wait.

use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use super::BreakerPolicy;

/// The value of [`Breaker::open_until`] while the kernel is in service.
const CLOSED: u64 = 0;

pub(crate) struct Breaker {
    policy: BreakerPolicy,
    epoch: Instant,
    /// Failures in a row while the kernel is in service.
    failures: AtomicU32,
    /// [`CLOSED`], or when the next call may try the sandbox, in nanoseconds since [`Breaker::epoch`].
    ///
    /// The call that moves an instant in the past to the future is the probe, so there is exactly one, and a probe that
    /// never reports back delays the next one but does not prevent it. This publishes no other data, so relaxed
    /// ordering is enough.
    open_until: AtomicU64,
}

/// The breaker's decision on a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// In service.
    Closed,
    /// Out of service, and this call probes whether the kernel works again.
    Probe {
        /// When the next probe was due before this call.
        was: u64,
        /// When the next probe is due now.
        until: u64,
    },
    /// Out of service.
    Refused {
        /// How long until a call may try.
        retry_in: Duration,
    },
}

/// The change that a report made to the breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Nothing,
    Opened,
    Closed,
}

impl Breaker {
    pub(crate) fn new(policy: BreakerPolicy, now: Instant) -> Self {
        Self { policy, epoch: now, failures: AtomicU32::new(0), open_until: AtomicU64::new(CLOSED) }
    }

    /// Makes a breaker that never closes, for a kernel whose calls always skip the sandbox.
    pub(crate) fn open_for_good(policy: BreakerPolicy, now: Instant) -> Self {
        Self { open_until: AtomicU64::new(u64::MAX), ..Self::new(policy, now) }
    }

    pub(crate) fn policy(&self) -> BreakerPolicy {
        self.policy
    }

    /// Returns whether the breaker admits every call.
    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.open_until.load(Relaxed) == CLOSED
    }

    /// Decides whether a call may enter the sandbox.
    #[inline]
    pub(crate) fn admit(&self, now: impl FnOnce() -> Instant) -> Admission {
        match self.open_until.load(Relaxed) {
            CLOSED => Admission::Closed,
            until => self.knock(until, now()),
        }
    }

    #[cold]
    fn knock(&self, until: u64, now: Instant) -> Admission {
        let at = self.nanos(now);
        if at >= until {
            let next = self.next(now);
            match self.open_until.compare_exchange(until, next, Relaxed, Relaxed) {
                Ok(was) => return Admission::Probe { was, until: next },
                // Another call closed the breaker, or became the probe.
                Err(CLOSED) => return Admission::Closed,
                Err(later) => return Admission::Refused { retry_in: Duration::from_nanos(later.saturating_sub(at)) },
            }
        }
        Admission::Refused { retry_in: Duration::from_nanos(until - at) }
    }

    /// Reports that an admitted call succeeded.
    #[inline]
    pub(crate) fn succeeded(&self, admission: Admission) -> Change {
        if self.failures.load(Relaxed) != 0 {
            self.failures.store(0, Relaxed);
        }
        match admission {
            // Only a probe closes the breaker: a call that began before it opened proves nothing.
            Admission::Probe { until, .. } => match self.open_until.compare_exchange(until, CLOSED, Relaxed, Relaxed) {
                Ok(_) => Change::Closed,
                Err(_) => Change::Nothing,
            },
            _ => Change::Nothing,
        }
    }

    /// Reports that an admitted call failed in a way that counts.
    #[cold]
    pub(crate) fn failed(&self, admission: Admission, now: Instant) -> Change {
        let BreakerPolicy::After { failures: limit, .. } = self.policy else { return Change::Nothing };
        match admission {
            Admission::Probe { until, .. } => {
                // Counted from now, not from when the probe began.
                let _ = self.open_until.compare_exchange(until, self.next(now), Relaxed, Relaxed);
                Change::Nothing
            }
            _ => {
                let failures = self.failures.fetch_add(1, Relaxed).saturating_add(1);
                if failures < limit.get() {
                    return Change::Nothing;
                }
                self.failures.store(0, Relaxed);
                match self.open_until.compare_exchange(CLOSED, self.next(now), Relaxed, Relaxed) {
                    Ok(_) => Change::Opened,
                    Err(_) => Change::Nothing,
                }
            }
        }
    }

    /// Reports that an admitted call ended in a way that says nothing about the kernel. If it was the probe, the next
    /// call becomes the probe.
    pub(crate) fn said_nothing(&self, admission: Admission) {
        if let Admission::Probe { was, until } = admission {
            let _ = self.open_until.compare_exchange(until, was, Relaxed, Relaxed);
        }
    }

    fn nanos(&self, now: Instant) -> u64 {
        nanos(now.saturating_duration_since(self.epoch))
    }

    /// Returns when the next probe is due if the breaker opens now; never [`CLOSED`].
    fn next(&self, now: Instant) -> u64 {
        let open_for = match self.policy {
            BreakerPolicy::After { open_for, .. } => open_for,
            BreakerPolicy::Never => Duration::ZERO,
        };
        self.nanos(now).saturating_add(nanos(open_for)).max(1)
    }
}

/// Returns the nanoseconds in a duration; saturates after five centuries.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
