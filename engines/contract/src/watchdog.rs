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
//!
//! Closing a large memory takes long, and the system closes one memory of a process after the other. So it is done in
//! pieces, with a look at all others in between, and most guests have met the first piece before the next is due: then the
//! call is over, and the rest is left as it is. Nothing of that is done under the lock of the list, which whoever makes or
//! drops an instance waits for.

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

/// What the watchdog can stop: for good, and however often it is told to.
pub trait Stoppable: Send + Sync {
    /// Makes the call that is under way end soon, or takes a step towards that, in bounded time; `false` if it must be
    /// told again.
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

/// Nothing runs.
const IDLE: u64 = 0;

/// Nobody stops the call.
const RUNNING: u8 = 0;
/// The watchdog is about to stop it, or to find that the call has ended.
const STOPPING: u8 = 1;
/// The watchdog could not, or not wholly: a memory may be closed in part. The watchdog goes on unless the call ends first.
const STUCK: u8 = 2;
/// It is stopped, for good.
const STOPPED: u8 = 3;

/// How long a tick goes on stopping what a first step did not stop: a part of a tick, so that ticks are counted all the same.
const PATIENCE: Duration = Duration::from_millis(3);

/// Looks at the watches of all instances of an engine.
#[derive(Debug)]
pub struct Watchdog<S> {
    /// Ticks so far.
    now: AtomicU64,
    cells: Mutex<Vec<Arc<Cell<S>>>>,
    barrier: Barrier,
    /// The process whose thread looks at them. In a forked child nobody does, and that thread may have held the lock at the
    /// fork.
    process: Lineage,
}

#[derive(Debug)]
struct Cell<S> {
    /// [`IDLE`], or the tick at which the call that runs is overdue. Written by who calls.
    overdue: AtomicU64,
    /// [`RUNNING`], [`STOPPING`], [`STUCK`] or [`STOPPED`]. Written by the watchdog, but for what is stuck.
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
    /// Watches over an instance. Only calls that are armed are ever stopped.
    pub fn watch(self: &Arc<Self>, target: S) -> Watch<S> {
        let cell = Arc::new(Cell { overdue: AtomicU64::new(IDLE), stop: AtomicU8::new(RUNNING), target });
        if self.is_of_this_process() {
            self.lock().push(cell.clone());
        }
        Watch { cell, dog: self.clone() }
    }

    /// Begins the next tick and stops what is overdue.
    pub fn tick(&self) {
        let now = self.now.fetch_add(1, Relaxed) + 1;
        let mut overdue: Vec<Weak<Cell<S>>> =
            self.lock().iter().filter(|cell| cell.is_overdue(now)).map(Arc::downgrade).collect();
        let mut errors = Vec::new();
        let begun = Instant::now();
        loop {
            // Weak: an instance that is dropped meanwhile is freed by the thread that drops it, and not by this one.
            overdue.retain(|cell| match cell.upgrade().map(|cell| cell.stop_if_overdue(now, &self.barrier)) {
                Some(Ok(done)) => !done,
                Some(Err(error)) => {
                    errors.push(error);
                    false
                }
                None => false,
            });
            // Each has had its first step by now, however many there are.
            if overdue.is_empty() || begun.elapsed() >= PATIENCE {
                break;
            }
        }
        // Not under the lock: who listens may make instances, or drop them.
        for error in errors {
            tracing::error!(%error, "a kernel that is overdue cannot be stopped yet");
        }
    }

    fn is_of_this_process(&self) -> bool {
        self.process.is_current()
    }

    /// How many instances are watched.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Cell<S>>>> {
        // A list is never left half changed.
        self.cells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Stoppable> Cell<S> {
    /// Whether there may be something to do for [`stop_if_overdue`](Self::stop_if_overdue).
    fn is_overdue(&self, now: u64) -> bool {
        match self.stop.load(Relaxed) {
            RUNNING => (IDLE + 1..=now).contains(&self.overdue.load(Relaxed)),
            stop => stop == STUCK,
        }
    }

    /// A step towards stopping it, if it is overdue; `true` if nothing remains to be done.
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
        // No later call has the same value, since ticks only grow.
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
    /// From now on until it is disarmed, what runs has so many ticks.
    #[inline]
    pub fn arm(&self, ticks: u32) {
        // The current tick is under way, so one more than the budget gives the call at least its whole budget.
        let overdue = self.dog.now.load(Relaxed) + u64::from(ticks) + 1;
        self.cell.overdue.store(overdue, Release);
    }

    /// Whether what ran since it was armed was left in peace.
    #[inline]
    pub fn disarm(&self) -> bool {
        self.cell.overdue.store(IDLE, Release);
        self.dog.barrier.meet();
        self.cell.stop.load(Acquire) == RUNNING || self.settle()
    }

    /// Waits until the watchdog is done with a step, and says whether it left the call alone. A part of a memory may be
    /// closed even where the system failed, or where the call met that part before the others were closed, so that such a
    /// call was stopped too; the watchdog takes no further step then.
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
        // The watchdog forgets the instance before that is dropped. It may have taken it from the list already, and does
        // not hold the list's lock while it stops what it took. So whatever call there was, even one that unwound, is told
        // to be over as any other: what has begun is waited for. What has not begun never touches the target, since it
        // finds nothing overdue, or what is stuck taken away, behind the barrier.
        self.disarm();
        let mut cells = self.dog.lock();
        if let Some(at) = cells.iter().position(|cell| Arc::ptr_eq(cell, &self.cell)) {
            cells.swap_remove(at);
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
