//! Stopping calls that overrun their budget, without a check in their code.
//!
//! Every call arms the [`Watch`] of its instance with the tick by which it must have returned, and disarms it when it
//! has. The ticker's thread looks at all watches once a tick; where a call is overdue it [stops](Stoppable) its instance.
//! Under Wasmtime that makes the instance's linear memory inaccessible, and the guest's next access to it becomes a trap;
//! `interruptible` sees to it that there is a next access within some thousand instructions, whatever the module. Under
//! WAMR it sets a flag at which the guest looks in each loop and at each call.
//!
//! The race of a deadline with the end of its call is settled without an atomic read-modify-write, which would take as
//! long as entering the sandbox does: the call says that it has ended and then looks whether it is being stopped, and the
//! watchdog says that it stops the call and then looks whether that has ended. Between the two steps of the watchdog lies
//! [a barrier on all threads](Barrier), so that at least one of them sees what the other said. A call that sees the
//! watchdog at work waits until it has done it or gone away, so that the host never touches memory that is about to be
//! closed.

mod barrier;

use std::{
    io, process,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{
            AtomicU8, AtomicU64,
            Ordering::{Acquire, Relaxed, Release, SeqCst},
        },
    },
};

use self::barrier::Barrier;

/// What the watchdog can stop: for good, and however often it is told to.
pub(super) trait Stoppable: Send + Sync {
    /// Makes the call that is under way end soon.
    fn stop(&self) -> io::Result<()>;
}

#[cfg(all(target_os = "linux", feature = "wasmtime"))]
impl Stoppable for Arc<crate::memory::Region> {
    fn stop(&self) -> io::Result<()> {
        crate::memory::Region::stop(self)
    }
}

/// Nothing runs.
const IDLE: u64 = 0;

/// Nobody stops the call.
const AT_PEACE: u8 = 0;
/// The watchdog is about to stop it, or to find that the call has ended.
const STOPPING: u8 = 1;
/// The watchdog could not, or not wholly: a memory may be closed in part. The next tick tries again.
const STUCK: u8 = 2;
/// It is stopped, for good.
const STOPPED: u8 = 3;

/// Looks at the watches of all instances of an engine.
#[derive(Debug)]
pub(super) struct Watchdog<S> {
    /// Ticks so far.
    now: AtomicU64,
    cells: Mutex<Vec<Arc<Cell<S>>>>,
    barrier: Barrier,
    /// The process whose thread looks at them. In a forked child nobody does, and that thread may have held the lock at the
    /// fork.
    process: u32,
}

#[derive(Debug)]
struct Cell<S> {
    /// [`IDLE`], or the tick at which the call that runs is overdue. Written by who calls.
    overdue: AtomicU64,
    /// [`AT_PEACE`], [`STOPPING`], [`STUCK`] or [`STOPPED`]. Written by the watchdog, but for what is stuck.
    stop: AtomicU8,
    target: S,
}

/// An instance's place in the watchdog's list, until it is dropped.
#[derive(Debug)]
pub(super) struct Watch<S: Stoppable> {
    cell: Arc<Cell<S>>,
    dog: Arc<Watchdog<S>>,
}

impl<S> Default for Watchdog<S> {
    fn default() -> Self {
        let (now, cells, barrier) = (AtomicU64::new(0), Mutex::default(), Barrier::default());
        Self { now, cells, barrier, process: process::id() }
    }
}

impl<S: Stoppable> Watchdog<S> {
    /// Watches over an instance. Only calls that are armed are ever stopped.
    pub(super) fn watch(self: &Arc<Self>, target: S) -> Watch<S> {
        let cell = Arc::new(Cell { overdue: AtomicU64::new(IDLE), stop: AtomicU8::new(AT_PEACE), target });
        if self.is_of_this_process() {
            self.lock().push(cell.clone());
        }
        Watch { cell, dog: self.clone() }
    }

    /// Begins the next tick and stops what is overdue.
    pub(super) fn tick(&self) {
        let now = self.now.fetch_add(1, Relaxed) + 1;
        let errors: Vec<_> =
            self.lock().iter().filter_map(|cell| cell.stop_if_overdue(now, &self.barrier).err()).collect();
        // Not under the lock: who listens may make instances, or drop them.
        for error in errors {
            tracing::error!(%error, "a kernel that is overdue cannot be stopped yet");
        }
    }

    fn is_of_this_process(&self) -> bool {
        self.process == process::id()
    }

    #[cfg(all(test, target_os = "linux", feature = "wasmtime"))]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Cell<S>>>> {
        // A list is never left half changed.
        self.cells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Stoppable> Cell<S> {
    fn stop_if_overdue(&self, now: u64, barrier: &Barrier) -> io::Result<()> {
        match self.stop.load(Relaxed) {
            AT_PEACE => {}
            STUCK if self.stop.compare_exchange(STUCK, STOPPING, Acquire, Relaxed).is_ok() => return self.carry_out(),
            _ => return Ok(()),
        }
        let overdue = self.overdue.load(Relaxed);
        if overdue == IDLE || overdue > now {
            return Ok(());
        }
        self.stop.store(STOPPING, SeqCst);
        let passed = barrier.pass();
        // No later call has the same value, since ticks only grow.
        if passed.is_ok() && self.overdue.load(Acquire) == overdue {
            return self.carry_out();
        }
        self.stop.store(AT_PEACE, Release);
        passed
    }

    fn carry_out(&self) -> io::Result<()> {
        let stopped = self.target.stop();
        self.stop.store(if stopped.is_ok() { STOPPED } else { STUCK }, Release);
        stopped
    }
}

impl<S: Stoppable> Watch<S> {
    /// From now on until it is disarmed, what runs has so many ticks.
    #[inline]
    pub(super) fn arm(&self, ticks: u32) {
        // The current tick is under way, so one more than the budget gives the call at least its whole budget.
        let overdue = self.dog.now.load(Relaxed) + u64::from(ticks) + 1;
        self.cell.overdue.store(overdue, Release);
    }

    /// Whether what ran since it was armed was left in peace.
    #[inline]
    pub(super) fn disarm(&self) -> bool {
        self.cell.overdue.store(IDLE, Release);
        self.dog.barrier.meet();
        self.cell.stop.load(Acquire) == AT_PEACE || self.settle()
    }

    /// Waits until the watchdog is done, and says whether it left the call alone. A part of a memory may be closed even
    /// where the system failed, so that call was stopped too.
    #[cold]
    fn settle(&self) -> bool {
        loop {
            match self.cell.stop.load(Acquire) {
                AT_PEACE => return true,
                STOPPED => return false,
                STUCK if self.cell.stop.compare_exchange(STUCK, STOPPED, Acquire, Relaxed).is_ok() => return false,
                _ => std::thread::yield_now(),
            }
        }
    }
}

impl<S: Stoppable> Drop for Watch<S> {
    fn drop(&mut self) {
        if !self.dog.is_of_this_process() {
            return;
        }
        // The watchdog forgets the instance before that is dropped.
        let mut cells = self.dog.lock();
        if let Some(at) = cells.iter().position(|cell| Arc::ptr_eq(cell, &self.cell)) {
            cells.swap_remove(at);
        }
    }
}

#[cfg(all(test, target_os = "linux", feature = "wasmtime"))]
mod tests {
    use super::*;
    use crate::memory::Region;

    type Dog = Watchdog<Arc<Region>>;

    fn watched() -> (Arc<Dog>, Watch<Arc<Region>>, Arc<Region>) {
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
        assert_eq!(watch.cell.stop.load(Relaxed), STUCK);
        assert!(!watch.disarm());
        dog.tick();
        assert_eq!(watch.cell.stop.load(Relaxed), STOPPED);
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
