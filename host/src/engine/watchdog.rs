//! Stopping calls that overrun their budget, without a check in their code.
//!
//! Every call arms the [`Watch`] of its instance with the tick by which it must have returned, and disarms it when it
//! has. The ticker's thread looks at all watches once a tick; where a call is overdue it makes the instance's linear
//! memory inaccessible, and the guest's next access to it becomes a trap. [`interruptible`](super::interruptible) sees
//! to it that there is a next access within some thousand instructions, whatever the module.
//!
//! The race of a deadline with the end of its call is settled by one atomic number: whoever moves it from the armed
//! value wins. If the watchdog does, the call waits until the memory is closed and then counts as stopped, so that the
//! host never touches memory that is about to be closed.

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{
            AtomicU64,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
};

use crate::memory::Region;

/// Nothing runs.
const IDLE: u64 = 0;
/// The system could not close the memory, or not all of it; the next tick tries again.
const STUCK: u64 = u64::MAX - 2;
/// The memory is being closed.
const STOPPING: u64 = u64::MAX - 1;
/// The memory is closed, for good.
const STOPPED: u64 = u64::MAX;

/// Looks at the watches of all instances of an engine.
#[derive(Debug, Default)]
pub(super) struct Watchdog {
    /// Ticks so far.
    now: AtomicU64,
    cells: Mutex<Vec<Arc<Cell>>>,
}

#[derive(Debug)]
struct Cell {
    /// [`IDLE`], [`STUCK`], [`STOPPING`], [`STOPPED`], or the tick at which the call that runs is overdue.
    state: AtomicU64,
    region: Arc<Region>,
}

/// An instance's place in the watchdog's list, until it is dropped.
#[derive(Debug)]
pub(super) struct Watch {
    cell: Arc<Cell>,
    dog: Arc<Watchdog>,
}

impl Watchdog {
    /// Watches over a memory. Only calls that are armed are ever stopped.
    pub(super) fn watch(self: &Arc<Self>, region: Arc<Region>) -> Watch {
        let cell = Arc::new(Cell { state: AtomicU64::new(IDLE), region });
        self.lock().push(cell.clone());
        Watch { cell, dog: self.clone() }
    }

    /// Begins the next tick and stops what is overdue.
    pub(super) fn tick(&self) {
        let now = self.now.fetch_add(1, Relaxed) + 1;
        let errors: Vec<_> = self.lock().iter().filter_map(|cell| cell.stop_if_overdue(now).err()).collect();
        // Not under the lock: who listens may make instances, or drop them.
        for error in errors {
            tracing::error!(%error, "a kernel that is overdue cannot be stopped yet");
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Cell>>> {
        // A list is never left half changed.
        self.cells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cell {
    fn stop_if_overdue(&self, now: u64) -> io::Result<()> {
        let state = self.state.load(Relaxed);
        let overdue = state == STUCK || (state != IDLE && state < STUCK && state <= now);
        if overdue && self.state.compare_exchange(state, STOPPING, Acquire, Relaxed).is_ok() {
            let stopped = self.region.stop();
            self.state.store(if stopped.is_ok() { STOPPED } else { STUCK }, Release);
            return stopped;
        }
        Ok(())
    }
}

impl Watch {
    /// From now on until it is disarmed, what runs has so many ticks.
    #[inline]
    pub(super) fn arm(&self, ticks: u32) {
        // The current tick is under way, so one more than the budget gives the call at least its whole budget.
        let overdue = self.dog.now.load(Relaxed) + u64::from(ticks) + 1;
        self.cell.state.store(overdue, Release);
    }

    /// Whether what ran since it was armed was left in peace.
    #[inline]
    pub(super) fn disarm(&self) -> bool {
        let armed = self.cell.state.load(Relaxed);
        (armed < STUCK && self.cell.state.compare_exchange(armed, IDLE, Release, Relaxed).is_ok()) || self.settle()
    }

    /// Waits until the watchdog is done with the memory. A part of it may be closed even where the system failed, so that
    /// call was stopped too.
    #[cold]
    fn settle(&self) -> bool {
        while self.cell.state.load(Acquire) != STOPPED {
            if self.cell.state.compare_exchange(STUCK, STOPPED, Acquire, Relaxed).is_err() {
                std::thread::yield_now();
            }
        }
        false
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // The watchdog's handle of the memory goes first, so that the instance's is the last.
        let mut cells = self.dog.lock();
        if let Some(at) = cells.iter().position(|cell| Arc::ptr_eq(cell, &self.cell)) {
            cells.swap_remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched() -> (Arc<Watchdog>, Watch, Arc<Region>) {
        let region = Arc::new(Region::reserve(1 << 20).unwrap());
        region.grow_to(65536).unwrap();
        let dog = Arc::new(Watchdog::default());
        (dog.clone(), dog.watch(region.clone()), region)
    }

    #[test]
    fn a_call_has_its_whole_budget_and_no_more_than_a_tick_above() {
        let (dog, watch, region) = watched();
        watch.arm(2);
        dog.tick();
        dog.tick();
        assert!(watch.disarm());
        watch.arm(2);
        dog.tick();
        dog.tick();
        dog.tick();
        assert!(!watch.disarm());
        assert!(region.grow_to(131072).is_err(), "a memory that was closed stays closed");
    }

    /// The system changes what it can before it fails.
    #[test]
    #[allow(unsafe_code, reason = "nothing else makes a hole in a memory")]
    fn a_memory_that_was_closed_in_part_is_never_used_again() {
        let (dog, watch, region) = watched();
        let hole = region.base().as_ptr().wrapping_add(32768).cast();
        // SAFETY: the page is the region's, which nobody uses.
        unsafe { rustix::mm::munmap(hole, 4096).unwrap() };
        watch.arm(0);
        dog.tick();
        dog.tick();
        assert_eq!(watch.cell.state.load(Relaxed), STUCK);
        assert!(!watch.disarm());
        dog.tick();
        assert_eq!(watch.cell.state.load(Relaxed), STOPPED);
    }

    #[test]
    fn what_is_not_armed_is_left_in_peace() {
        let (dog, watch, region) = watched();
        dog.tick();
        watch.arm(1);
        assert!(watch.disarm());
        dog.tick();
        dog.tick();
        dog.tick();
        region.grow_to(131072).unwrap();
        drop(watch);
        assert_eq!(Arc::strong_count(&region), 1);
    }

    #[test]
    fn a_deadline_that_races_with_the_end_of_a_call_is_settled_one_way() {
        for _ in 0..200 {
            let (dog, watch, region) = watched();
            watch.arm(0);
            let left_in_peace = std::thread::scope(|scope| {
                scope.spawn(|| dog.tick());
                watch.disarm()
            });
            assert_eq!(region.grow_to(131072).is_ok(), left_in_peace);
        }
    }
}
