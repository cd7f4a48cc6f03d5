//! Which calls are timed.

use std::{
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Instant,
};

/// One call in so many is timed, since two looks at the clock take about as long as a short call.
const EVERY: u32 = 64;

/// Starts the clock for some of a kernel's calls.
#[derive(Debug)]
pub(crate) struct Clock {
    on: bool,
    calls: AtomicU32,
}

impl Clock {
    pub(super) fn new(on: bool) -> Self {
        Self { on, calls: AtomicU32::new(0) }
    }

    /// The start of a call that is timed, the first among them.
    #[inline]
    pub(crate) fn start(&self) -> Option<Instant> {
        // Not one addition: a count that two threads lose changes nothing, and a locked instruction would cost more than
        // all else here.
        let call = self.calls.load(Relaxed);
        self.calls.store(call.wrapping_add(1), Relaxed);
        (self.on && call.is_multiple_of(EVERY)).then(Instant::now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_call_in_64_is_timed_and_none_where_nothing_is_reported() {
        let timed = |on| {
            let clock = Clock::new(on);
            (0..129).filter(|_| clock.start().is_some()).count()
        };
        assert_eq!((timed(true), timed(false)), (3, 0));
    }
}
