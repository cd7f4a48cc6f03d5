//! Whether the process has forked, which a child and its parent both know of a mapping that they share.
#![allow(unsafe_code, reason = "a function of the C library that no crate in use offers")]

use std::{
    io,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
};

/// Forks that began and that ended in this process or those before it.
static BEGUN: AtomicU64 = AtomicU64::new(0);
static ENDED: AtomicU64 = AtomicU64::new(0);
/// Raised in each child.
static GENERATION: AtomicU64 = AtomicU64::new(0);

extern "C" fn begin() {
    BEGUN.fetch_add(1, SeqCst);
}

extern "C" fn end() {
    ENDED.fetch_add(1, SeqCst);
}

/// In the child, where no thread is left that was amid another fork.
extern "C" fn end_in_child() {
    ENDED.store(BEGUN.load(SeqCst), SeqCst);
    GENERATION.fetch_add(1, SeqCst);
}

/// Counts the forks from here on; to be called before the first [`Moment`] and the first [`generation`].
pub(crate) fn count() -> io::Result<()> {
    static COUNTED: AtomicBool = AtomicBool::new(false);
    // Forks that are counted twice, because two threads were here at once, are forks all the same.
    if !COUNTED.load(SeqCst) {
        // SAFETY: the functions do nothing but read and write numbers, which is allowed wherever they are called.
        match unsafe { libc::pthread_atfork(Some(begin), Some(end), Some(end_in_child)) } {
            0 => COUNTED.store(true, SeqCst),
            error => return Err(io::Error::from_raw_os_error(error)),
        }
    }
    Ok(())
}

/// A number that no process has in common with one that it was forked from.
pub(crate) fn generation() -> u64 {
    GENERATION.load(SeqCst)
}

/// A moment between two forks; none if one was under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment(Option<u64>);

impl Moment {
    pub(super) fn now() -> Self {
        // In this order: what began in between is taken to be under way.
        let ended = ENDED.load(SeqCst);
        let begun = BEGUN.load(SeqCst);
        Self((begun == ended).then_some(begun))
    }

    /// Whether no fork has begun since, so that no child has what was mapped after this moment and is not any more.
    pub(super) fn has_no_child(self) -> bool {
        self.0 == Some(BEGUN.load(SeqCst))
    }
}
