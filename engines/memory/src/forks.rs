//! Detects forks of the process, after which a parent and its child share mappings.
#![allow(unsafe_code, reason = "a function of the C library that no crate in use offers")]

use std::{
    io,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
};

/// Forks that started, and that finished, in this process and its ancestors.
static BEGUN: AtomicU64 = AtomicU64::new(0);
static ENDED: AtomicU64 = AtomicU64::new(0);
/// Incremented in each child.
static GENERATION: AtomicU64 = AtomicU64::new(0);

extern "C" fn begin() {
    BEGUN.fetch_add(1, SeqCst);
}

extern "C" fn end() {
    ENDED.fetch_add(1, SeqCst);
}

/// Runs in the child, where no other thread is in the middle of a fork.
extern "C" fn end_in_child() {
    ENDED.store(BEGUN.load(SeqCst), SeqCst);
    GENERATION.fetch_add(1, SeqCst);
}

/// Counts forks from now on; must be called before the first [`Moment`] and the first [`generation`].
pub(crate) fn count() -> io::Result<()> {
    static COUNTED: AtomicBool = AtomicBool::new(false);
    // If two threads get here at once, forks are counted twice, which does no harm.
    if !COUNTED.load(SeqCst) {
        // SAFETY: the functions only read and write numbers, which is allowed in any context.
        match unsafe { libc::pthread_atfork(Some(begin), Some(end), Some(end_in_child)) } {
            0 => COUNTED.store(true, SeqCst),
            error => return Err(io::Error::from_raw_os_error(error)),
        }
    }
    Ok(())
}

/// Returns a number that differs between a process and the one that it was forked from.
pub(crate) fn generation() -> u64 {
    GENERATION.load(SeqCst)
}

/// A moment between two forks; `None` if a fork was in progress.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment(Option<u64>);

impl Moment {
    pub(super) fn now() -> Self {
        // In this order, a fork that starts in between counts as in progress.
        let ended = ENDED.load(SeqCst);
        let begun = BEGUN.load(SeqCst);
        Self((begun == ended).then_some(begun))
    }

    /// Returns whether no fork has started since, so that no child has a mapping that was made after this moment and is
    /// gone by now.
    pub(super) fn has_no_child(self) -> bool {
        self.0 == Some(BEGUN.load(SeqCst))
    }
}
