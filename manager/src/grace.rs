//! Keeping something for a while.

use std::{
    io, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use kernelpack_memory::Lineage;

/// Keeps one value for a period, and drops it then from a thread of its own, which is joined when this is dropped.
pub(crate) struct Grace<T> {
    period: Duration,
    shared: Arc<Shared<T>>,
    // `None` only while dropping.
    thread: Option<JoinHandle<()>>,
    /// The process that has the thread: a forked child has none.
    process: Lineage,
}

struct Shared<T> {
    kept: Mutex<Kept<T>>,
    changed: Condvar,
}

struct Kept<T> {
    value: Option<T>,
    /// When the value's time is up; `None` for one whose time never is.
    until: Option<Instant>,
    closed: bool,
}

impl<T: Send + 'static> Grace<T> {
    /// Starts the thread.
    pub(crate) fn start(period: Duration) -> io::Result<Self> {
        let kept = Mutex::new(Kept { value: None, until: None, closed: false });
        let shared = Arc::new(Shared { kept, changed: Condvar::new() });
        let waiting = shared.clone();
        let thread = thread::Builder::new().name("kernelpack-grace".to_owned()).spawn(move || waiting.expire())?;
        Ok(Self { period, shared, thread: Some(thread), process: Lineage::current() })
    }

    /// Keeps a value from now on, in place of any other.
    pub(crate) fn keep(&self, value: T) {
        // A period that ends beyond all clocks never ends.
        let until = Instant::now().checked_add(self.period);
        let mut kept = self.shared.lock();
        kept.until = until;
        let replaced = kept.value.replace(value);
        drop(kept);
        self.shared.changed.notify_all();
        drop(replaced);
    }

    /// The value, if its time is not up.
    pub(crate) fn peek(&self) -> Option<T>
    where
        T: Clone,
    {
        self.shared.lock().value.clone()
    }

    /// Lets the value go before its time.
    pub(crate) fn drop_now(&self) {
        // Dropped when the lock is free again.
        let value = self.shared.lock().value.take();
        drop(value);
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, Kept<T>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn expire(&self) {
        let mut kept = self.lock();
        while !kept.closed {
            let left = match (&kept.value, kept.until) {
                (Some(_), Some(until)) => Some(until.saturating_duration_since(Instant::now())),
                _ => None,
            };
            kept = match left {
                Some(Duration::ZERO) => {
                    let value = kept.value.take();
                    drop(kept);
                    // Nobody may wait for what a drop takes. One that panics has said so on stderr, and later values
                    // must go all the same.
                    let _ = catch_unwind(AssertUnwindSafe(|| drop(value)));
                    self.lock()
                }
                Some(left) => self.changed.wait_timeout(kept, left).unwrap_or_else(PoisonError::into_inner).0,
                None => self.changed.wait(kept).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

impl<T> Drop for Grace<T> {
    fn drop(&mut self) {
        if !self.process.is_current() {
            // The thread is the parent's, and may have held the lock at the fork.
            mem::forget((self.shared.clone(), self.thread.take()));
            return;
        }
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    fn until(condition: impl Fn() -> bool) {
        while !condition() {
            thread::yield_now();
        }
    }

    #[test]
    fn the_value_is_dropped_when_its_time_is_up() {
        let grace = Grace::start(Duration::from_millis(1)).unwrap();
        for _ in 0..3 {
            let value = Arc::new(());
            grace.keep(value.clone());
            until(|| Arc::strong_count(&value) == 1);
            assert_eq!(grace.peek(), None);
        }
    }

    #[test]
    fn it_is_kept_until_then() {
        for period in [LONG, Duration::MAX] {
            let grace = Grace::start(period).unwrap();
            let value = Arc::new(());
            grace.keep(value.clone());
            assert!(grace.peek().is_some());
            // The end of the keeper is the end of what it keeps, and of its thread.
            let thread = Arc::downgrade(&grace.shared);
            drop(grace);
            assert_eq!(Arc::strong_count(&value), 1);
            assert_eq!(thread.strong_count(), 0);
        }
    }

    #[test]
    fn a_value_whose_drop_panics_is_not_the_last_to_be_dropped() {
        struct Value {
            _counted: Arc<()>,
            ends_well: bool,
        }
        impl Drop for Value {
            fn drop(&mut self) {
                assert!(self.ends_well, "the first drop panics");
            }
        }
        let grace = Grace::start(Duration::from_millis(1)).unwrap();
        for ends_well in [false, true] {
            let value = Arc::new(());
            grace.keep(Value { _counted: value.clone(), ends_well });
            until(|| Arc::strong_count(&value) == 1);
        }
    }

    #[test]
    fn another_value_takes_its_place() {
        let grace = Grace::start(LONG).unwrap();
        let (first, second) = (Arc::new(1), Arc::new(2));
        grace.keep(first.clone());
        grace.keep(second.clone());
        assert_eq!(Arc::strong_count(&first), 1);
        assert_eq!(grace.peek(), Some(second.clone()));
        grace.drop_now();
        assert_eq!(grace.peek(), None);
        assert_eq!(Arc::strong_count(&second), 1);
    }
}
