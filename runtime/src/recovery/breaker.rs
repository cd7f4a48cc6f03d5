//! The circuit breaker of a kernel.
//!
//! It holds two numbers: until when the kernel is out of service, and how many failures there were in a row. While all
//! is well, a call loads each once. The caller passes the time, so that tests need not wait.

use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use super::BreakerPolicy;

/// The value of [`Breaker::open_until`] while the kernel is in service.
const CLOSED: u64 = 0;

pub(super) struct Breaker {
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
pub(super) enum Admission {
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

/// How a report changed the breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Nothing,
    Opened,
    Closed,
}

impl Breaker {
    pub(super) fn new(policy: BreakerPolicy, now: Instant) -> Self {
        Self { policy, epoch: now, failures: AtomicU32::new(0), open_until: AtomicU64::new(CLOSED) }
    }

    pub(super) fn policy(&self) -> BreakerPolicy {
        self.policy
    }

    /// Whether the breaker admits every call.
    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        self.open_until.load(Relaxed) == CLOSED
    }

    /// Decides whether a call may enter the sandbox.
    #[inline]
    pub(super) fn admit(&self, now: impl FnOnce() -> Instant) -> Admission {
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
    pub(super) fn succeeded(&self, admission: Admission) -> Change {
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
    pub(super) fn failed(&self, admission: Admission, now: Instant) -> Change {
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
    pub(super) fn said_nothing(&self, admission: Admission) {
        if let Admission::Probe { was, until } = admission {
            let _ = self.open_until.compare_exchange(until, was, Relaxed, Relaxed);
        }
    }

    fn nanos(&self, now: Instant) -> u64 {
        nanos(now.saturating_duration_since(self.epoch))
    }

    /// When the next probe is due if the breaker opens now; never [`CLOSED`].
    fn next(&self, now: Instant) -> u64 {
        let open_for = match self.policy {
            BreakerPolicy::After { open_for, .. } => open_for,
            BreakerPolicy::Never => Duration::ZERO,
        };
        self.nanos(now).saturating_add(nanos(open_for)).max(1)
    }
}

/// The nanoseconds in a duration; saturates after five centuries.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN_FOR: Duration = Duration::from_secs(60);

    /// A breaker that opens at the third failure, and its time of creation.
    fn breaker() -> (Breaker, Instant) {
        let start = Instant::now();
        (Breaker::new(BreakerPolicy::after(3, OPEN_FOR), start), start)
    }

    fn opened() -> (Breaker, Instant) {
        let (breaker, start) = breaker();
        for _ in 0..2 {
            assert_eq!(breaker.failed(Admission::Closed, start), Change::Nothing);
        }
        assert_eq!(breaker.failed(Admission::Closed, start), Change::Opened);
        (breaker, start)
    }

    #[test]
    fn failures_in_a_row_open_it_and_a_success_between_them_does_not() {
        let (breaker, start) = breaker();
        for _ in 0..10 {
            assert_eq!(breaker.failed(Admission::Closed, start), Change::Nothing);
            assert_eq!(breaker.failed(Admission::Closed, start), Change::Nothing);
            assert_eq!(breaker.succeeded(breaker.admit(|| start)), Change::Nothing);
        }
        let (breaker, start) = opened();
        assert_eq!(breaker.admit(|| start), Admission::Refused { retry_in: OPEN_FOR });
        let later = start + Duration::from_secs(59);
        assert_eq!(breaker.admit(|| later), Admission::Refused { retry_in: Duration::from_secs(1) });
    }

    #[test]
    fn one_probe_is_let_through_and_its_success_closes_it() {
        let (breaker, start) = opened();
        let later = start + OPEN_FOR;
        let probe = breaker.admit(|| later);
        assert!(matches!(probe, Admission::Probe { .. }), "{probe:?}");
        assert_eq!(breaker.admit(|| later), Admission::Refused { retry_in: OPEN_FOR });
        // A call from before it opened does not close it.
        assert_eq!(breaker.succeeded(Admission::Closed), Change::Nothing);
        assert!(matches!(breaker.admit(|| later), Admission::Refused { .. }));
        assert_eq!(breaker.succeeded(probe), Change::Closed);
        assert_eq!(breaker.admit(|| later), Admission::Closed);
        // It takes as many failures as before to open it again.
        assert_eq!(breaker.failed(Admission::Closed, later), Change::Nothing);
    }

    #[test]
    fn a_probe_that_fails_keeps_it_open_and_one_that_is_lost_delays_the_next() {
        let (breaker, start) = opened();
        let later = start + OPEN_FOR;
        let probe = breaker.admit(|| later);
        assert_eq!(breaker.failed(probe, later + Duration::from_secs(5)), Change::Nothing);
        assert_eq!(breaker.admit(|| later), Admission::Refused { retry_in: OPEN_FOR + Duration::from_secs(5) });
        let lost = breaker.admit(|| later + 2 * OPEN_FOR);
        assert!(matches!(lost, Admission::Probe { .. }));
        assert!(matches!(breaker.admit(|| later + 2 * OPEN_FOR), Admission::Refused { .. }));
        assert!(matches!(breaker.admit(|| later + 3 * OPEN_FOR), Admission::Probe { .. }));
    }

    #[test]
    fn a_probe_that_says_nothing_makes_way_for_the_next() {
        let (breaker, start) = opened();
        let probe = breaker.admit(|| start + OPEN_FOR);
        breaker.said_nothing(probe);
        let next = breaker.admit(|| start + OPEN_FOR);
        assert!(matches!(next, Admission::Probe { .. }), "{next:?}");
        assert_eq!(breaker.succeeded(next), Change::Closed);
    }

    #[test]
    fn many_threads_that_knock_give_one_probe() {
        let (breaker, start) = opened();
        let probes = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        if matches!(breaker.admit(|| start + OPEN_FOR), Admission::Probe { .. }) {
                            probes.fetch_add(1, Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!(probes.into_inner(), 1);
    }

    #[test]
    fn the_extremes_of_the_policy_mean_what_they_say() {
        let start = Instant::now();
        let never = Breaker::new(BreakerPolicy::Never, start);
        for _ in 0..100 {
            assert_eq!(never.failed(never.admit(|| start), start), Change::Nothing);
        }
        assert_eq!(never.admit(|| start), Admission::Closed);

        let forever = Breaker::new(BreakerPolicy::after(1, Duration::MAX), start);
        assert_eq!(forever.failed(forever.admit(|| start), start), Change::Opened);
        assert!(matches!(forever.admit(|| start + Duration::from_secs(1 << 33)), Admission::Refused { .. }));

        let not_at_all = Breaker::new(BreakerPolicy::after(1, Duration::ZERO), start);
        assert_eq!(not_at_all.failed(not_at_all.admit(|| start), start), Change::Opened);
        let soon = start + Duration::from_nanos(1);
        assert!(matches!(not_at_all.admit(|| soon), Admission::Probe { .. }));
    }
}
