//! What the cache did for a module.

use std::io;

/// Where a module's code came from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheOutcome {
    /// Nothing was compiled: the module is interpreted, or the pack has native code for it.
    NotCompiled,
    /// It was compiled; the runtime has no cache.
    Off,
    /// It was in the cache.
    Hit,
    /// It was not in the cache: it was compiled and stored.
    Miss,
    /// The entry in the cache was not trusted and not used: the module was compiled and the entry replaced.
    Replaced {
        /// What was wrong with the entry.
        fault: EntryFault,
    },
    /// It was compiled, and could not be stored in the cache.
    NotStored {
        /// What was wrong with the existing entry, if there was one.
        fault: Option<EntryFault>,
        /// The system's error.
        error: io::ErrorKind,
    },
}

impl CacheOutcome {
    /// The outcome for compiled code, given the result of storing it.
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
    /// It is a link, a folder, a pipe or a device.
    #[error("it is not a regular file")]
    NotAFile,
    /// It is larger than the code of any module.
    #[error("it is too large")]
    TooLarge,
    /// It is cut short, or in the format of another version.
    #[error("it is cut short or in another format")]
    Malformed,
    /// It belongs to another module, or to another engine, version, configuration or processor.
    #[error("it belongs to another module or engine")]
    OfAnotherKey,
    /// It was changed, or was not made with this folder's secret.
    #[error("it was not made here or was changed since")]
    Forged,
    /// Its seal and key are valid, but the engine does not accept it.
    #[error("the engine does not take it")]
    RefusedByEngine,
    /// The system cannot read it.
    #[error("it cannot be read: {0}")]
    Unreadable(io::ErrorKind),
}
