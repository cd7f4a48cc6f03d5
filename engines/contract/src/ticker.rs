//! The thread that counts ticks and stops overdue calls.

use std::{
    io, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel},
    thread::JoinHandle,
    time::Duration,
};

use kernelpack_memory::Lineage;

/// A thread that calls a function at a fixed interval until this is dropped. Dropping joins the thread, so no thread
/// outlives its ticker.
#[derive(Debug)]
pub struct Ticker {
    // `None` only while dropping.
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    /// The process that has the thread; a forked child does not have it.
    process: Lineage,
}

impl Ticker {
    /// Starts ticking.
    ///
    /// # Errors
    /// The system cannot start a thread.
    pub fn start(interval: Duration, tick: impl Fn() + Send + 'static) -> io::Result<Self> {
        let (stop, stopped) = sync_channel::<()>(0);
        let thread = std::thread::Builder::new().name("kernelpack-epoch".to_owned()).spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(interval) {
                // A tick logs, and a `tracing` subscriber may panic. The panic was printed to stderr, and ticks must go
                // on.
                let _ = catch_unwind(AssertUnwindSafe(&tick));
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread), process: Lineage::current() })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        if !self.process.is_current() {
            // The thread is the parent's, and the fork may have caught the channel in the middle of an operation.
            mem::forget((self.stop.take(), self.thread.take()));
            return;
        }
        // Closing the channel wakes the thread at once.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
