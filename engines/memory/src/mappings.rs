//! Limits the number of mappings.
//!
//! Linux limits the mappings of a process, and many libraries abort when they get no more: the C library does when it
//! starts a thread. So tensors and linear memories leave some for everything else.

use std::{
    fs, io,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// Mappings of tensors and linear memories.
static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// Mappings that exist or are about to be made, counted until this is dropped.
#[derive(Debug, Default)]
pub(super) struct Mappings(usize);

impl Mappings {
    /// Counts mappings of tensors, which can be copied instead: up to a quarter of the process's limit, including
    /// linear memories.
    pub(super) fn for_tensors(&mut self, count: usize) -> io::Result<()> {
        self.add(count, 1)
    }

    /// Counts mappings of linear memories: up to three quarters of the limit, including tensors.
    pub(super) fn for_memories(&mut self, count: usize) -> io::Result<()> {
        self.add(count, 3)
    }

    fn add(&mut self, count: usize, quarters: usize) -> io::Result<()> {
        let limit = all() / 4 * quarters;
        let more = |taken: usize| taken.checked_add(count).filter(|taken| *taken <= limit);
        TAKEN.fetch_update(Relaxed, Relaxed, more).map_err(|taken| {
            io::Error::other(format!(
                "tensors and linear memories have {taken} mappings, the limit is {limit}; drop some, or raise \
                 vm.max_map_count"
            ))
        })?;
        self.0 += count;
        Ok(())
    }
}

impl Drop for Mappings {
    fn drop(&mut self) {
        TAKEN.fetch_sub(self.0, Relaxed);
    }
}

/// Returns the system's limit for a process, or the usual default if it is unknown.
fn all() -> usize {
    // An atomic, since a fork could leave a lock locked in the child.
    static ALL: AtomicUsize = AtomicUsize::new(0);
    let read = || fs::read_to_string("/proc/sys/vm/max_map_count").ok()?.trim().parse().ok();
    match ALL.load(Relaxed) {
        0 => {
            let all = read().unwrap_or(65_530);
            ALL.store(all, Relaxed);
            all
        }
        all => all,
    }
}
