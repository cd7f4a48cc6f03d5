//! Which process something belongs to: a forked child has what its parent had, but none of its threads.

use std::process;

#[cfg(target_os = "linux")]
use crate::forks;

/// A process, told apart from the one that forked it and from those that it forks.
///
/// The id does not do that by itself: the first process of a namespace has the id 1, and so has a child that it forks into
/// a namespace below. The generation does not either: a child that is made by the system call itself, past the C
/// library's `fork`, is not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lineage {
    id: u32,
    generation: u64,
}

impl Lineage {
    /// This process.
    pub fn current() -> Self {
        #[cfg(target_os = "linux")]
        if let Err(error) = forks::count() {
            tracing::warn!(target: "kernelpack", %error, "forked children are told from this process by their ids only");
        }
        Self { id: process::id(), generation: generation() }
    }

    /// Whether it is this process, and not one that this was forked from.
    pub fn is_current(self) -> bool {
        self.generation == generation() && self.id == process::id()
    }
}

#[cfg(target_os = "linux")]
fn generation() -> u64 {
    forks::generation()
}

/// Elsewhere no process has the id of its parent.
#[cfg(not(target_os = "linux"))]
fn generation() -> u64 {
    0
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    #[allow(unsafe_code, reason = "the standard library does not fork")]
    fn a_child_is_another_process_even_with_the_id_of_its_parent() {
        let parent = Lineage::current();
        assert!(parent.is_current());
        // SAFETY: the child reads numbers and ends by `_exit`.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let with_our_id = Lineage { id: process::id(), ..parent };
            let own = Lineage { id: process::id(), generation: generation() };
            let told_apart = !parent.is_current() && !with_our_id.is_current() && own.is_current();
            // SAFETY: it ends this process.
            unsafe { libc::_exit(if told_apart { 0 } else { 1 }) }
        }
        let mut status = 0;
        // SAFETY: the status is this function's.
        assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
        assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0);
        assert!(parent.is_current(), "a fork makes no other process of the parent");
    }
}
