//! The instances of one kernel.
//!
//! Each instance, idle or busy, takes a *place*; the limit of the pool is its number of places. A caller that uses an
//! instance holds its place through a [`Lease`], which frees the place when it is dropped, even after an error or a
//! panic.
//!
//! Taking an idle instance and giving it back is lock-free and allocates nothing. Only the queue of waiting callers has
//! a lock: an instance or place that becomes free goes to the first in the queue, and newcomers go to its end, so that
//! no caller starves. The lock is never held while an instance is made, used or dropped.

mod idle;
mod policy;

use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering, fence},
    },
    time::{Duration, Instant},
};

use self::idle::Idle;
pub use policy::{Occupancy, PoolPolicy, WhenFull};

/// An item that a pool can keep.
pub(crate) trait Pooled: Send {
    /// Returns the memory that the item holds while it is idle, in bytes.
    fn bytes(&self) -> u64;

    /// Ends an item that the pool does not keep, with its cleanup.
    fn retire(self);
}

/// The error when every place is taken by a busy item.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full {
    /// How many items there may be.
    pub(crate) limit: u32,
    /// How long the caller waited.
    pub(crate) waited: Duration,
}

/// A bounded set of items.
pub(crate) struct Pool<T> {
    policy: PoolPolicy,
    /// How many places there are.
    limit: u32,
    /// How many places there are when the pool has grown; equal to the limit if it may not grow.
    ceiling: u32,
    /// How many places are taken, by busy and idle items.
    taken: AtomicU32,
    idle: Idle<T>,
    /// The length of the queue; only changed under the lock of the queue.
    waiting: AtomicU32,
    queue: Mutex<Queue<T>>,
}

/// The waiting callers, with the first to come at the front.
type Queue<T> = VecDeque<Arc<Waiter<T>>>;

/// A place that is handed to a caller, with the item in it if there is one.
enum Turn<T> {
    Warm(T),
    Vacant,
}

struct Waiter<T> {
    turn: Mutex<Option<Turn<T>>>,
    ready: Condvar,
}

impl<T: Pooled> Pool<T> {
    /// Whether taking an idle item and giving it back never waits for another thread; true if the item is one word.
    pub(crate) const IS_LOCK_FREE: bool = Idle::<T>::IS_LOCK_FREE;

    /// Makes a pool of `limit` places, or fewer if `ceiling` or the policy's size is lower. If the policy lets the pool
    /// grow, it grows to at most `ceiling` places. Both bounds are at least 1.
    pub(crate) fn new(policy: PoolPolicy, limit: u32, ceiling: u32) -> Self {
        let limit = limit.min(ceiling).min(policy.size.unwrap_or(limit)).max(1);
        Self {
            policy,
            limit,
            ceiling: if policy.when_full == WhenFull::Grow { ceiling.max(1) } else { limit },
            taken: AtomicU32::new(0),
            idle: Idle::new(limit.min(policy.max_idle.unwrap_or(limit)).max(1) as usize),
            waiting: AtomicU32::new(0),
            queue: Mutex::new(VecDeque::new()),
        }
    }

    /// Takes an idle item, unless other callers are waiting, who come first.
    #[inline]
    pub(crate) fn warm(&self) -> Option<Lease<'_, T>> {
        if self.waiting.load(Ordering::Relaxed) == 0 { self.idle() } else { None }
    }

    /// Takes a place, with or without an item; in a full pool, waits or fails as the policy says.
    pub(crate) fn lease(&self) -> Result<Lease<'_, T>, Full> {
        match (self.free(), self.policy.when_full) {
            (Some(lease), _) => Ok(lease),
            (None, WhenFull::Wait { timeout }) => self.wait(timeout),
            (None, WhenFull::Fail | WhenFull::Grow) => Err(Full { limit: self.ceiling, waited: Duration::ZERO }),
        }
    }

    /// Like [`lease`](Self::lease), but waits for at most `limit` in a full pool, whatever the policy is.
    pub(crate) fn lease_within(&self, limit: Duration) -> Result<Lease<'_, T>, Full> {
        self.free().map_or_else(|| self.wait(Some(limit)), Ok)
    }

    /// Takes a free place, unless other callers are waiting, who come first.
    fn free(&self) -> Option<Lease<'_, T>> {
        if self.waiting.load(Ordering::Relaxed) > 0 {
            return None;
        }
        self.take().map(|turn| self.lease_of(turn))
    }

    /// Makes a new lease for an item that was detached from its lease.
    pub(crate) fn reattach(&self, item: T) -> Lease<'_, T> {
        Lease { pool: self, item: Some(item) }
    }

    /// Takes an idle item, if there is one.
    pub(crate) fn idle(&self) -> Option<Lease<'_, T>> {
        self.idle.pop().map(|item| self.reattach(item))
    }

    pub(crate) fn occupancy(&self) -> Occupancy {
        let idle = self.idle.len() as u32;
        let busy = self.taken.load(Ordering::Relaxed).saturating_sub(idle);
        Occupancy { idle, busy, bound: 0, waiting: self.waiting.load(Ordering::Relaxed), limit: self.limit }
    }

    fn lease_of(&self, turn: Turn<T>) -> Lease<'_, T> {
        match turn {
            Turn::Warm(item) => Lease { pool: self, item: Some(item) },
            Turn::Vacant => Lease { pool: self, item: None },
        }
    }

    fn take(&self) -> Option<Turn<T>> {
        if let Some(item) = self.idle.pop() {
            return Some(Turn::Warm(item));
        }
        let more = |taken| (taken < self.ceiling).then_some(taken + 1);
        self.taken.fetch_update(Ordering::AcqRel, Ordering::Relaxed, more).ok().map(|_| Turn::Vacant)
    }

    fn vacate(&self) {
        self.taken.fetch_sub(1, Ordering::SeqCst);
        self.wake();
    }

    /// Hands what has become free to waiting callers.
    fn wake(&self) {
        // Pairs with the fence in `wait`: either this sees the waiter, or the waiter sees what became free, which every
        // caller of `wake` published by a sequentially consistent operation.
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.dispatch(&mut self.lock());
        }
    }

    #[cold]
    fn wait(&self, timeout: Option<Duration>) -> Result<Lease<'_, T>, Full> {
        let start = Instant::now();
        let waiter = Arc::new(Waiter { turn: Mutex::new(None), ready: Condvar::new() });
        {
            let mut queue = self.lock();
            queue.push_back(waiter.clone());
            self.waiting.store(queue.len() as u32, Ordering::Relaxed);
            fence(Ordering::SeqCst);
            // Something may have become free before other threads could see this waiter.
            self.dispatch(&mut queue);
        }
        if let Some(turn) = waiter.wait(timeout) {
            return Ok(self.lease_of(turn));
        }
        // Turns are handed over under this lock, so none can arrive after the waiter has left.
        let mut queue = self.lock();
        if let Some(turn) = waiter.take() {
            return Ok(self.lease_of(turn));
        }
        queue.retain(|other| !Arc::ptr_eq(other, &waiter));
        self.waiting.store(queue.len() as u32, Ordering::Relaxed);
        Err(Full { limit: self.ceiling, waited: start.elapsed() })
    }

    fn dispatch(&self, queue: &mut Queue<T>) {
        while !queue.is_empty()
            && let Some(turn) = self.take()
        {
            if let Some(waiter) = queue.pop_front() {
                waiter.hand(turn);
            }
        }
        self.waiting.store(queue.len() as u32, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Queue<T>> {
        // No panic under the lock can leave the queue half-updated.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Waiter<T> {
    fn hand(&self, turn: Turn<T>) {
        *self.turn.lock().unwrap_or_else(PoisonError::into_inner) = Some(turn);
        self.ready.notify_one();
    }

    fn take(&self) -> Option<Turn<T>> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Waits for a turn for at most this long.
    fn wait(&self, timeout: Option<Duration>) -> Option<Turn<T>> {
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let none = |turn: &mut Option<Turn<T>>| turn.is_none();
        let mut turn = match timeout {
            None => self.ready.wait_while(turn, none).unwrap_or_else(PoisonError::into_inner),
            Some(timeout) => {
                self.ready.wait_timeout_while(turn, timeout, none).unwrap_or_else(PoisonError::into_inner).0
            }
        };
        turn.take()
    }
}

/// A place in a pool. Dropping the lease drops the item, as must happen after a failure, and frees the place.
pub(crate) struct Lease<'a, T: Pooled> {
    pool: &'a Pool<T>,
    item: Option<T>,
}

impl<T: Pooled> Lease<'_, T> {
    /// Returns the item, unless the place is vacant.
    pub(crate) fn item(&mut self) -> Option<&mut T> {
        self.item.as_mut()
    }

    /// Puts an item into the place.
    pub(crate) fn fill(&mut self, item: T) -> &mut T {
        self.item.insert(item)
    }

    /// Takes the item out, which leaves the place vacant.
    pub(crate) fn vacate(&mut self) -> Option<T> {
        self.item.take()
    }

    /// Takes the item together with its place, which stays taken until the item is
    /// [reattached](Pool::reattach). `None` if the place was vacant; it is free then.
    #[cfg(any(test, feature = "measure"))]
    pub(crate) fn detach(mut self) -> Option<T> {
        let item = self.item.take()?;
        std::mem::forget(self);
        Some(item)
    }

    /// Assigns the place to an item that is not in it, until that item is [reattached](Pool::reattach).
    pub(crate) fn detach_with(mut self, item: T) -> T {
        drop(self.item.take());
        std::mem::forget(self);
        item
    }

    /// Leaves the item to the next caller, or retires it if the policy does not let the pool keep it.
    pub(crate) fn give_back(mut self) {
        let Some(item) = self.item.take() else { return };
        let pool = self.pool;
        let PoolPolicy { max_idle, max_idle_bytes, .. } = pool.policy;
        let keep = max_idle != Some(0) && max_idle_bytes.is_none_or(|most| item.bytes() <= most);
        match if keep { pool.idle.push(item) } else { Err(item) } {
            Ok(()) => {
                // The idle item has the place now.
                std::mem::forget(self);
                pool.wake();
            }
            Err(surplus) => surplus.retire(),
        }
    }
}

impl<T: Pooled> Drop for Lease<'_, T> {
    fn drop(&mut self) {
        /// Frees the place when it is dropped, even if dropping the item panics.
        struct Place<'a, T: Pooled>(&'a Pool<T>);
        impl<T: Pooled> Drop for Place<'_, T> {
            fn drop(&mut self) {
                self.0.vacate();
            }
        }
        let _place = Place(self.pool);
        // The item is dropped before another can be made in its place, so that the limit holds at every moment.
        drop(self.item.take());
    }
}

#[cfg(test)]
mod tests;
