//! What the cache did for a module.

use std::io;

/// Where a module's code came from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheOutcome {
    /// Nothing was compiled: the module is interpreted, or is there as native code that its pack brings.
    NotCompiled,
    /// It was compiled; the runtime has no cache.
    Off,
    /// It was in the cache.
    Hit,
    /// It was not in the cache: it was compiled, and is there now.
    Miss,
    /// What the cache had in its place was not trusted and not used: it was compiled, and is there now.
    Replaced {
        /// What was wrong with the entry.
        fault: EntryFault,
    },
    /// It was compiled, and could not be put into the cache.
    NotStored {
        /// What was wrong with an entry in its place, if there was one.
        fault: Option<EntryFault>,
        /// The system's reason.
        error: io::ErrorKind,
    },
}

impl CacheOutcome {
    /// Of code that was compiled, and put into the cache or not.
    pub fn of_store(stored: io::Result<()>, fault: Option<EntryFault>) -> Self {
        match (stored, fault) {
            (Ok(()), None) => Self::Miss,
            (Ok(()), Some(fault)) => Self::Replaced { fault },
            (Err(error), fault) => Self::NotStored { fault, error: error.kind() },
        }
    }
}

/// Why an entry of the cache was not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryFault {
    /// A link, a folder, a pipe or a device.
    #[error("it is not a regular file")]
    NotAFile,
    /// Larger than the code of any module.
    #[error("it is too large")]
    TooLarge,
    /// Cut short, or in another format than this version's.
    #[error("it is cut short or in another format")]
    Malformed,
    /// The code of another module, or for another engine, version, configuration or processor.
    #[error("it belongs to another module or engine")]
    OfAnotherKey,
    /// Changed, or not made with this folder's secret.
    #[error("it was not made here or was changed since")]
    Forged,
    /// In order by all that can be told, and yet the engine does not take it.
    #[error("the engine does not take it")]
    RefusedByEngine,
    /// The system does not give it.
    #[error("it cannot be read: {0}")]
    Unreadable(io::ErrorKind),
}
