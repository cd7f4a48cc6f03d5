//! The execution time that a call may take.

use std::time::{Duration, Instant};

use crate::TICK;

/// Returns the ticks of a budget, rounded up.
pub fn ticks(budget: Duration) -> u32 {
    u32::try_from(budget.as_nanos().div_ceil(TICK.as_nanos())).unwrap_or(u32::MAX)
}

/// A number of ticks that several pieces of work share, counted from the start of the first.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    start: Instant,
    ticks: u32,
}

impl Budget {
    /// Starts a budget of this many ticks now.
    pub fn new(ticks: u32) -> Self {
        Self { start: Instant::now(), ticks }
    }

    /// Returns the ticks that are left. Work that starts too late has none, and is stopped within the current tick.
    pub fn left(self) -> u32 {
        let gone = self.start.elapsed().as_millis() / TICK.as_millis();
        self.ticks.saturating_sub(u32::try_from(gone).unwrap_or(u32::MAX))
    }
}
