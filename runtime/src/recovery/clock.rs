//! Chooses the calls that are timed.

use std::{
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Instant,
};

/// One call in this many is timed, since reading the clock twice takes about as long as a short call.
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

    /// Returns the start time of a call, if this call is timed. A kernel's first call is.
    #[inline]
    pub(crate) fn start(&self) -> Option<Instant> {
        // An atomic addition would cost more than everything else here, and a lost count does not matter.
        let call = self.calls.load(Relaxed);
        self.calls.store(call.wrapping_add(1), Relaxed);
        (call.is_multiple_of(EVERY) && self.on).then(Instant::now)
    }
}

#[cfg(test)]
mod tests;
