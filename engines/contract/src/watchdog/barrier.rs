//! An asymmetric memory barrier: cheap on the frequent side, expensive on the rare side.
#![allow(unsafe_code, reason = "a system call that no crate in use offers")]

use std::{
    io,
    sync::atomic::{Ordering::SeqCst, compiler_fence, fence},
};

/// Orders what two threads store and then load: if one [meets](Self::meet) the barrier between its store and its load,
/// and the other [passes](Self::pass) it between its own, at least one of them loads what the other stored.
///
/// Where the system has [membarrier(2)](https://man7.org/linux/man-pages/man2/membarrier.2.html), meeting costs nothing
/// and passing interrupts every processor that runs a thread of this process; elsewhere both are fences.
#[derive(Debug)]
pub(super) struct Barrier {
    /// Whether this process is registered for barriers on all of its threads.
    on_all_threads: bool,
}

impl Default for Barrier {
    fn default() -> Self {
        Self { on_all_threads: system::register().is_ok() }
    }
}

impl Barrier {
    /// Orders the caller's store before its load, cheaply, on the frequent side.
    #[inline]
    pub(super) fn meet(&self) {
        if self.on_all_threads {
            compiler_fence(SeqCst);
        } else {
            fence(SeqCst);
        }
    }

    /// Orders the caller's store before its load, on the rare side.
    ///
    /// # Errors
    /// The system refuses, which does not happen to a registered process; nothing is ordered in that case.
    pub(super) fn pass(&self) -> io::Result<()> {
        fence(SeqCst);
        if self.on_all_threads { system::pass() } else { Ok(()) }
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::io;

    pub(super) fn register() -> io::Result<()> {
        membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)
    }

    pub(super) fn pass() -> io::Result<()> {
        membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
    }

    fn membarrier(command: libc::c_int) -> io::Result<()> {
        // SAFETY: the call takes only numbers and changes no memory.
        match unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::io;

    pub(super) fn register() -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn pass() -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(test)]
mod tests;
