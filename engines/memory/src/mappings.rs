//! How many mappings a process may have.
//!
//! Linux allows a process so many, and many a library ends the process where it gets no more: the C library does when it
//! starts a thread. So tensors and linear memories leave some for everybody else.

use std::{
    fs, io,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// Mappings of tensors and linear memories.
static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// Mappings that somebody has or is about to make, until this is dropped.
#[derive(Debug, Default)]
pub(super) struct Mappings(usize);

impl Mappings {
    /// For tensors, which have another place to go: up to a quarter of what the process may have, with linear memories.
    pub(super) fn for_tensors(&mut self, count: usize) -> io::Result<()> {
        self.add(count, 1)
    }

    /// For linear memories: up to three quarters, with tensors.
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

/// What the system allows a process; its usual limit where it does not tell.
fn all() -> usize {
    // Not a lock, which a fork could leave locked in the child.
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
