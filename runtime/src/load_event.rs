//! Progress events of loading a pack.

use crate::CacheOutcome;

/// Progress that [`Runtime::open_with`](crate::Runtime::open_with) reports. Modules are numbered from 0, in the
/// manifest's order.
///
/// # Example: progress on a terminal
/// ```no_run
/// use kernelpack_host::{Error, Pack, Runtime, pack::LoadEvent};
///
/// fn open(runtime: &Runtime) -> Result<Pack, Error> {
///     runtime.open_with("my-pack", |event| {
///         if let LoadEvent::Finished { kernel, index, total, .. } = event {
///             eprintln!("{}/{total}: {kernel}", index + 1);
///         }
///     })
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadEvent<'a> {
    /// A module is about to be compiled or loaded from the compile cache.
    Started {
        /// The kernel's id.
        kernel: &'a str,
        /// The number of the module.
        index: usize,
        /// How many modules the pack has.
        total: usize,
    },
    /// A module's code is ready.
    Finished {
        /// The kernel's id.
        kernel: &'a str,
        /// The number of the module.
        index: usize,
        /// How many modules the pack has.
        total: usize,
        /// Where the code came from.
        cache: CacheOutcome,
    },
}
