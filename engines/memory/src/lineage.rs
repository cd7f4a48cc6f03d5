//! Identifies the process that something belongs to: a forked child has its parent's memory, but none of its threads.

use std::process;

#[cfg(target_os = "linux")]
use crate::forks;

/// Identifies a process, and distinguishes it from its parent and its children.
///
/// The process id is not enough: the first process of a namespace has the id 1, and so has a child that it forks into a
/// nested namespace. The generation is not enough either: a child that is made by the raw system call, past the C
/// library's `fork`, is not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lineage {
    id: u32,
    generation: u64,
}

impl Lineage {
    /// Returns the identity of the current process.
    pub fn current() -> Self {
        #[cfg(target_os = "linux")]
        if let Err(error) = forks::count() {
            tracing::warn!(target: "kernelpack", %error, "forked children are told from this process by their ids only");
        }
        Self { id: process::id(), generation: generation() }
    }

    /// Returns whether this is the current process, rather than one that it was forked from.
    pub fn is_current(self) -> bool {
        self.generation == generation() && self.id == process::id()
    }
}

#[cfg(target_os = "linux")]
fn generation() -> u64 {
    forks::generation()
}

/// Returns 0: on other systems the process id is enough, since no process has its parent's id.
#[cfg(not(target_os = "linux"))]
fn generation() -> u64 {
    0
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
