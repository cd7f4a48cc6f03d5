//! The thread that counts ticks and stops what is overdue.

use std::{
    io, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel},
    thread::JoinHandle,
    time::Duration,
};

use kernelpack_memory::Lineage;

/// Calls a function at a fixed interval until it is dropped. Dropping waits for the thread, so none is forgotten.
#[derive(Debug)]
pub struct Ticker {
    // `None` only while dropping.
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    /// The process that has the thread: a forked child has none.
    process: Lineage,
}

impl Ticker {
    /// Starts ticking.
    ///
    /// # Errors
    /// The system has no thread to spare.
    pub fn start(interval: Duration, tick: impl Fn() + Send + 'static) -> io::Result<Self> {
        let (stop, stopped) = sync_channel::<()>(0);
        let thread = std::thread::Builder::new().name("kernelpack-epoch".to_owned()).spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(interval) {
                // A tick logs, and who listens may panic. That has said so on stderr; calls must be stopped all the same.
                let _ = catch_unwind(AssertUnwindSafe(&tick));
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread), process: Lineage::current() })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        if !self.process.is_current() {
            // The thread is the parent's, and the channel may be as it was in the middle of one of its steps.
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
