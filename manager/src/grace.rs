//! Keeps a value for a limited time.

use std::{
    io, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use kernelpack_memory::Lineage;

/// Keeps one value for a period, and then drops it on a thread of its own, which is joined when this is dropped.
pub(crate) struct Grace<T> {
    period: Duration,
    shared: Arc<Shared<T>>,
    // `None` only while dropping.
    thread: Option<JoinHandle<()>>,
    /// The process that has the thread; a forked child does not have it.
    process: Lineage,
}

struct Shared<T> {
    kept: Mutex<Kept<T>>,
    changed: Condvar,
}

struct Kept<T> {
    value: Option<T>,
    /// When the value expires; `None` if it never does.
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

    /// Keeps a value for the period, in place of any other.
    pub(crate) fn keep(&self, value: T) {
        // If the end of the period cannot be represented, the value never expires.
        let until = Instant::now().checked_add(self.period);
        let mut kept = self.shared.lock();
        kept.until = until;
        let replaced = kept.value.replace(value);
        drop(kept);
        self.shared.changed.notify_all();
        drop(replaced);
    }

    /// Returns the value, if it has not expired.
    pub(crate) fn peek(&self) -> Option<T>
    where
        T: Clone,
    {
        self.shared.lock().value.clone()
    }

    /// Drops the value before it expires.
    pub(crate) fn drop_now(&self) {
        // Dropped after the lock is released.
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
                    // Dropping may take long, so the lock is not held. The panic hook has already reported a panic, and
                    // the thread must go on to drop later values.
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
            // In a forked child, the thread does not exist, and the lock may have been held at the fork, so dropping
            // either could block.
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
mod tests;
