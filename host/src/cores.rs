//! The threads over which bound calls are divided.
//!
//! Waking a thread takes about as long as a kernel of 256 rows. Calls come in a row, so who waits for the next part, or
//! for the last one, spins for a moment before it sleeps.

use std::{
    hint,
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{
            AtomicUsize,
            Ordering::{Acquire, Release},
        },
    },
    time::{Duration, Instant},
};

use rayon_core::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use crate::guest::{Failure, Guest};

/// How long a thread spins.
const SPIN: Duration = Duration::from_micros(100);

/// Threads that help the one that calls.
#[derive(Debug)]
pub(crate) struct Cores {
    helpers: ThreadPool,
    count: usize,
    /// Calls that were begun: a helper that has nothing to do sees one come.
    begun: Arc<AtomicUsize>,
}

impl Cores {
    /// So many threads, the calling one among them; none if that is all.
    pub(crate) fn new(count: NonZeroUsize) -> Result<Option<Self>, ThreadPoolBuildError> {
        let count = count.get();
        if count == 1 {
            return Ok(None);
        }
        let named = |index| format!("kernelpack-{index}");
        let helpers = ThreadPoolBuilder::new().num_threads(count - 1).thread_name(named).build()?;
        Ok(Some(Self { helpers, count, begun: Arc::default() }))
    }

    /// Threads that one call can use.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Runs all guests at the same time, one of them on this thread, and gives the first failure in their order.
    pub(crate) fn run(
        &self,
        guests: &mut [Box<Guest>],
        run: impl Fn(&mut Guest) -> Result<(), Failure> + Sync,
    ) -> Result<(), Failure> {
        let Some((first, rest)) = guests.split_first_mut() else { return Ok(()) };
        let mut results: Vec<Result<(), Failure>> = rest.iter().map(|_| Ok(())).collect();
        let run = &run;
        let begun = self.begun.fetch_add(1, Release) + 1;
        let running = AtomicUsize::new(rest.len());
        let first = self.helpers.in_place_scope(|scope| {
            for (guest, result) in rest.iter_mut().zip(&mut results) {
                let running = &running;
                scope.spawn(move |_| {
                    *result = run(guest);
                    // The helper stays awake for the next call, once it is done with this one.
                    let calls = self.begun.clone();
                    rayon_core::spawn(move || spin_while(|| calls.load(Acquire) == begun));
                    running.fetch_sub(1, Release);
                });
            }
            let first = run(first);
            spin_while(|| running.load(Acquire) > 0);
            first
        });
        // One that was stopped is what the caller must know of: its instance is lost.
        let mut all: Vec<_> = std::iter::once(first).chain(results).filter(Result::is_err).collect();
        let stopped = all.iter().position(|result| matches!(result, Err(Failure::Stopped(_))));
        if all.is_empty() { Ok(()) } else { all.swap_remove(stopped.unwrap_or(0)) }
    }
}

/// Waits for a moment, at most as long as this holds.
fn spin_while(holds: impl Fn() -> bool) {
    let mut start = None;
    while holds() {
        // A look at the clock takes longer than all else here.
        (0..32).for_each(|_| hint::spin_loop());
        if start.get_or_insert_with(Instant::now).elapsed() > SPIN {
            break;
        }
    }
}
