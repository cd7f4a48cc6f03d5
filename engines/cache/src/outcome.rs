//! The outcomes of looking up a module's code in the cache.

use std::io;

/// The origin of a module's code.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheOutcome {
    /// Nothing was compiled: the module is interpreted, or the pack has native code for it.
    NotCompiled,
    /// The module was compiled; the runtime has no cache.
    Off,
    /// The code was in the cache.
    Hit,
    /// The code was not in the cache: the module was compiled and the code stored.
    Miss,
    /// The entry in the cache was not trusted and not used: the module was compiled and the entry replaced.
    Replaced {
        /// What was wrong with the entry.
        fault: EntryFault,
    },
    /// The module was compiled, but the code could not be stored in the cache.
    NotStored {
        /// What was wrong with the existing entry, if there was one.
        fault: Option<EntryFault>,
        /// The system's error.
        error: io::ErrorKind,
    },
}

impl CacheOutcome {
    /// Returns the outcome for compiled code, given the result of storing it.
    pub fn of_store(stored: io::Result<()>, fault: Option<EntryFault>) -> Self {
        match (stored, fault) {
            (Ok(()), None) => Self::Miss,
            (Ok(()), Some(fault)) => Self::Replaced { fault },
            (Err(error), fault) => Self::NotStored { fault, error: error.kind() },
        }
    }
}

/// The reason why an entry of the cache was not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryFault {
    /// The entry is a link, a folder, a pipe or a device.
    #[error("it is not a regular file")]
    NotAFile,
    /// The entry is larger than the code of any module.
    #[error("it is too large")]
    TooLarge,
    /// The entry is cut short, or in the format of another version.
    #[error("it is cut short or in another format")]
    Malformed,
    /// The entry belongs to another module, or to another engine, version, configuration or processor.
    #[error("it belongs to another module or engine")]
    OfAnotherKey,
    /// The entry was changed, or was not made with this folder's secret.
    #[error("it was not made here or was changed since")]
    Forged,
    /// The entry's seal and key are valid, but the engine rejects its code.
    #[error("the engine does not take it")]
    RefusedByEngine,
    /// The system cannot read the entry.
    #[error("it cannot be read: {0}")]
    Unreadable(io::ErrorKind),
}
