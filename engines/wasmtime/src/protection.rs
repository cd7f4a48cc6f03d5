//! Linear memories that the watchdog can close, which makes them inaccessible.

use std::{io, ops::Range, sync::Arc};

use kernelpack_engine::{Watch, Watchdog};
use kernelpack_memory::{Region, SharedPart};
use wasmtime::Config;

use crate::memory::Memories;

/// The linear memories of an engine, and the watchdog that closes those of overdue calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct Protection {
    memories: Memories,
    watchdog: Arc<Watchdog<Arc<Region>>>,
}

/// One linear memory, watched or not.
#[derive(Debug)]
pub(crate) struct Protected {
    // Fields drop in order: the watchdog must release the memory first.
    watch: Option<Watch<Arc<Region>>>,
    region: Arc<Region>,
}

impl Protection {
    /// Makes Wasmtime take its linear memories from here.
    pub(crate) fn configure(&self, config: &mut Config) {
        config.with_host_memory(Arc::new(self.memories.clone()));
        // Wasmtime maps images of data segments into its own memories only.
        config.memory_init_cow(false);
    }

    /// Starts the next tick, and closes the memories of overdue calls.
    pub(crate) fn tick(&self) {
        self.watchdog.tick();
    }

    /// Returns the memory that starts at this address, watched if requested.
    pub(crate) fn protect(&self, base: *const u8, watched: bool) -> wasmtime::Result<Protected> {
        let region = self.memories.region(base).ok_or_else(|| wasmtime::Error::msg("the memory is not one of ours"))?;
        Ok(Protected { watch: watched.then(|| self.watchdog.watch(region.clone())), region })
    }

    /// Returns the number of linear memories, and of those that are watched.
    pub(crate) fn count(&self) -> (usize, usize) {
        (self.memories.count(), self.watchdog.count())
    }
}

impl Protected {
    /// Gives the call that starts now this many ticks; returns `false` if the memory is not watched.
    #[inline]
    pub(crate) fn arm(&self, ticks: u32) -> bool {
        if let Some(watch) = &self.watch {
            watch.arm(ticks);
        }
        self.watch.is_some()
    }

    /// Ends the call's budget, and returns whether the call was left alone, which is always true if the memory is not
    /// watched.
    #[inline]
    pub(crate) fn disarm(&self) -> bool {
        self.watch.as_ref().is_none_or(Watch::disarm)
    }

    /// Makes a range of the linear memory inaccessible.
    pub(crate) fn close(&self, range: Range<usize>) -> io::Result<()> {
        self.region.hide(range)
    }

    /// Maps shared memory into the linear memory.
    pub(crate) fn map(&self, at: usize, part: &SharedPart, writable: bool) -> io::Result<()> {
        self.region.map(at, part, writable)
    }
}
