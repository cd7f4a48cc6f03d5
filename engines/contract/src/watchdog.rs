//! Stops calls that overrun their budget, without checks in their code.
//!
//! Every call arms the [`Watch`] of its instance with the tick by which it must have returned, and disarms it when it
//! has. The ticker's thread checks all watches once a tick and [stops](Stoppable) the instances of overdue calls. Under
//! Wasmtime this makes the instance's linear memory inaccessible, and the guest's next access becomes a trap;
//! `interruptible` guarantees that the next access is at most some thousand instructions away, whatever the module.
//! Under WAMR it sets a flag that the guest checks in each loop and at each call.
//!
//! A deadline can race with the end of its call. An atomic read-modify-write would settle that, but would cost as much
//! as entering the sandbox does. Instead, the call first announces its end and then checks whether it is being stopped,
//! and the watchdog first announces that it stops the call and then checks whether the call has ended. Between the two
//! steps of the watchdog is [a barrier on all threads](Barrier), so that at least one side sees the other's
//! announcement. A call that sees the watchdog at work waits until it is finished, so that the host never touches
//! memory that is about to become inaccessible.
//!
//! Closing a large memory (making it inaccessible) takes long, and the system closes the memories of a process one
//! after the other. So each memory is closed in pieces, and the watchdog checks all other calls in between. Most guests
//! fault at the first piece before the next is due, which ends the call, and the remaining pieces are left as they are.
//! None of this happens while the list's lock is held, since making or dropping an instance waits for that lock.

mod barrier;

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{
            AtomicU8, AtomicU64,
            Ordering::{Acquire, Relaxed, Release, SeqCst},
        },
    },
    time::{Duration, Instant},
};

use kernelpack_memory::Lineage;

use self::barrier::Barrier;

/// Something that the watchdog can stop, permanently. `stop` may be called any number of times.
pub trait Stoppable: Send + Sync {
    /// Makes the current call end soon, or takes a step towards that, in bounded time; returns `false` if it must be
    /// called again.
    ///
    /// # Errors
    /// The system refuses; the watchdog tries again at its next tick.
    fn stop(&self) -> io::Result<bool>;
}

#[cfg(target_os = "linux")]
impl Stoppable for Arc<kernelpack_memory::Region> {
    fn stop(&self) -> io::Result<bool> {
        kernelpack_memory::Region::stop(self)
    }
}

/// No call is running.
const IDLE: u64 = 0;

/// The call is not being stopped.
const RUNNING: u8 = 0;
/// The watchdog is about to stop the call, or to find that it has ended.
const STOPPING: u8 = 1;
/// The watchdog failed to stop the call, or is not finished: a memory may be partly closed. The watchdog continues
/// unless the call ends first.
const STUCK: u8 = 2;
/// The instance is stopped permanently.
const STOPPED: u8 = 3;

/// The time for which a tick takes further steps to stop calls that their first step did not stop. It is less than a
/// tick, so that ticks are still counted.
const PATIENCE: Duration = Duration::from_millis(3);

/// Checks the watches of all instances of an engine.
#[derive(Debug)]
pub struct Watchdog<S> {
    /// Ticks so far.
    now: AtomicU64,
    cells: Mutex<Vec<Arc<Cell<S>>>>,
    barrier: Barrier,
    /// The process whose thread checks the watches. A forked child has no such thread, and the thread may have held the
    /// lock at the fork.
    process: Lineage,
}

#[derive(Debug)]
struct Cell<S> {
    /// [`IDLE`], or the tick at which the running call is overdue. Written by the caller.
    overdue: AtomicU64,
    /// [`RUNNING`], [`STOPPING`], [`STUCK`] or [`STOPPED`]. Written by the watchdog, except that a call may leave
    /// [`STUCK`].
    stop: AtomicU8,
    target: S,
}

/// An instance's place in the watchdog's list, until it is dropped.
#[derive(Debug)]
pub struct Watch<S: Stoppable> {
    cell: Arc<Cell<S>>,
    dog: Arc<Watchdog<S>>,
}

impl<S> Default for Watchdog<S> {
    fn default() -> Self {
        let (now, cells, barrier) = (AtomicU64::new(0), Mutex::default(), Barrier::default());
        Self { now, cells, barrier, process: Lineage::current() }
    }
}

impl<S: Stoppable> Watchdog<S> {
    /// Adds an instance to the list. Only armed calls are ever stopped.
    pub fn watch(self: &Arc<Self>, target: S) -> Watch<S> {
        let cell = Arc::new(Cell { overdue: AtomicU64::new(IDLE), stop: AtomicU8::new(RUNNING), target });
        if self.is_of_this_process() {
            self.lock().push(cell.clone());
        }
        Watch { cell, dog: self.clone() }
    }

    /// Starts the next tick and stops overdue calls.
    pub fn tick(&self) {
        let now = self.now.fetch_add(1, Relaxed) + 1;
        let mut overdue: Vec<Weak<Cell<S>>> =
            self.lock().iter().filter(|cell| cell.is_overdue(now)).map(Arc::downgrade).collect();
        let mut errors = Vec::new();
        let begun = Instant::now();
        loop {
            // Upgraded from a weak reference, so that an instance which is dropped meanwhile is freed by the thread
            // that drops it.
            overdue.retain(|cell| match cell.upgrade().map(|cell| cell.stop_if_overdue(now, &self.barrier)) {
                Some(Ok(done)) => !done,
                Some(Err(error)) => {
                    errors.push(error);
                    false
                }
                None => false,
            });
            // Every overdue call has had its first step by now, however many there are.
            if overdue.is_empty() || begun.elapsed() >= PATIENCE {
                break;
            }
        }
        // Logged after the lock is released: a subscriber may make or drop instances.
        for error in errors {
            tracing::error!(%error, "a kernel that is overdue cannot be stopped yet");
        }
    }

    fn is_of_this_process(&self) -> bool {
        self.process.is_current()
    }

    /// Returns the number of watched instances.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Cell<S>>>> {
        // The list is never left half-updated.
        self.cells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Stoppable> Cell<S> {
    /// Returns whether [`stop_if_overdue`](Self::stop_if_overdue) may have something to do.
    fn is_overdue(&self, now: u64) -> bool {
        match self.stop.load(Relaxed) {
            RUNNING => (IDLE + 1..=now).contains(&self.overdue.load(Relaxed)),
            stop => stop == STUCK,
        }
    }

    /// Takes a step towards stopping the call if it is overdue; returns `true` if nothing remains to be done.
    fn stop_if_overdue(&self, now: u64, barrier: &Barrier) -> io::Result<bool> {
        match self.stop.load(Relaxed) {
            RUNNING => {}
            STUCK if self.stop.compare_exchange(STUCK, STOPPING, Acquire, Relaxed).is_ok() => return self.carry_out(),
            _ => return Ok(true),
        }
        let overdue = self.overdue.load(Relaxed);
        if overdue == IDLE || overdue > now {
            return Ok(true);
        }
        self.stop.store(STOPPING, SeqCst);
        let passed = barrier.pass();
        // No later call has the same `overdue`, since ticks only grow.
        if passed.is_ok() && self.overdue.load(Acquire) == overdue {
            return self.carry_out();
        }
        self.stop.store(RUNNING, Release);
        passed.map(|()| true)
    }

    fn carry_out(&self) -> io::Result<bool> {
        let stopped = self.target.stop();
        self.stop.store(if matches!(stopped, Ok(true)) { STOPPED } else { STUCK }, Release);
        stopped
    }
}

impl<S: Stoppable> Watch<S> {
    /// Gives the call that starts now this many ticks, until it is disarmed.
    #[inline]
    pub fn arm(&self, ticks: u32) {
        // Part of the current tick has passed, so one tick more than the budget gives the call at least its whole
        // budget.
        let overdue = self.dog.now.load(Relaxed) + u64::from(ticks) + 1;
        self.cell.overdue.store(overdue, Release);
    }

    /// Ends the call's budget, and returns whether the watchdog left the call alone.
    #[inline]
    pub fn disarm(&self) -> bool {
        self.cell.overdue.store(IDLE, Release);
        self.dog.barrier.meet();
        self.cell.stop.load(Acquire) == RUNNING || self.settle()
    }

    /// Waits until the watchdog has finished its step, and returns whether it left the call alone. Part of a memory may
    /// be closed even if the system failed, or if the call faulted there before the rest was closed. Such a call counts
    /// as stopped, and the watchdog takes no further step.
    #[cold]
    fn settle(&self) -> bool {
        loop {
            match self.cell.stop.load(Acquire) {
                RUNNING => return true,
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
        // The watchdog must be finished with the instance before that is dropped. It may have taken the instance from
        // the list already, and does not hold the list's lock while it stops calls. So every call is disarmed here,
        // even one that unwound, and a step that has begun is waited for. A step that has not begun never touches the
        // target: behind the barrier it finds the call not overdue, or no longer stuck.
        self.disarm();
        let mut cells = self.dog.lock();
        if let Some(at) = cells.iter().position(|cell| Arc::ptr_eq(cell, &self.cell)) {
            cells.swap_remove(at);
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
