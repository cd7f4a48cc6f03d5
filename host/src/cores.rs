//! The threads over which bound calls are divided.

use std::num::NonZeroUsize;

use rayon_core::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use crate::guest::{Failure, Guest};

/// Threads that help the one that calls.
#[derive(Debug)]
pub(crate) struct Cores {
    helpers: ThreadPool,
    count: usize,
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
        Ok(Some(Self { helpers, count }))
    }

    /// Threads that one call can use.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Runs all guests at the same time, one of them on this thread, and gives the first failure in their order.
    pub(crate) fn run(
        &self,
        guests: &mut [Guest],
        run: impl Fn(&mut Guest) -> Result<(), Failure> + Sync,
    ) -> Result<(), Failure> {
        let Some((first, rest)) = guests.split_first_mut() else { return Ok(()) };
        let mut results: Vec<Result<(), Failure>> = rest.iter().map(|_| Ok(())).collect();
        let run = &run;
        let first = self.helpers.in_place_scope(|scope| {
            for (guest, result) in rest.iter_mut().zip(&mut results) {
                scope.spawn(move |_| *result = run(guest));
            }
            run(first)
        });
        // One that was stopped is what the caller must know of: its instance is lost.
        let mut all: Vec<_> = std::iter::once(first).chain(results).filter(Result::is_err).collect();
        let stopped = all.iter().position(|result| matches!(result, Err(Failure::Stopped(_))));
        if all.is_empty() { Ok(()) } else { all.swap_remove(stopped.unwrap_or(0)) }
    }
}
