//! What happens while a pack is loaded.

use crate::CacheOutcome;

/// What [`Runtime::open_with`](crate::Runtime::open_with) tells; modules count from 0, in the manifest's order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadEvent<'a> {
    /// A module's code is being looked for or made.
    Started {
        /// The kernel's id.
        kernel: &'a str,
        /// Which module it is.
        index: usize,
        /// How many there are.
        total: usize,
    },
    /// A module's code is there.
    Finished {
        /// The kernel's id.
        kernel: &'a str,
        /// Which module it is.
        index: usize,
        /// How many there are.
        total: usize,
        /// Where the code came from.
        cache: CacheOutcome,
    },
}
