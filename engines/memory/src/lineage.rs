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
mod tests;
