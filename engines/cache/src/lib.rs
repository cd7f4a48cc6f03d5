//! The compile cache: a folder that keeps compiled modules for later processes.
//!
//! Loading compiled code means running it outside of any sandbox, so the one invariant is: code leaves this crate only
//! as a [`TrustedArtifact`], which is made only from an entry that the holder of the folder's secret sealed for this
//! module and this engine. Anything else in the folder is ignored, and the module is compiled again. Three measures
//! ensure this, each sufficient against other users:
//!
//! - the folder belongs to this user and nobody else can write to it, or the cache is refused;
//! - each entry is sealed with a secret that only this user can read;
//! - an entry names the SHA-256 of the module and the engine's fingerprint under that seal ([`Key`]).
//!
//! Entries are renamed into place, so processes that share the folder or are killed only ever leave whole entries.

#![forbid(unsafe_code)]

mod entry;
mod error;
#[cfg(unix)]
mod folder;
#[cfg(not(unix))]
#[path = "folder_unsupported.rs"]
mod folder;
mod key;
mod outcome;
mod secret;
#[cfg(all(test, unix))]
mod tests;

use std::{io, path::Path};

pub use entry::TrustedArtifact;
pub use error::CacheError;
pub use key::{Fingerprint, Key};
pub use outcome::{CacheOutcome, EntryFault};

use folder::Folder;
use secret::Secret;

/// The default size limit of a cache: 512 MiB.
pub const DEFAULT_LIMIT: u64 = 512 << 20;

/// The largest entry that is read or written; the code of the largest module is smaller.
const MAX_ENTRY: u64 = 1 << 30;

/// The suffix of entries.
const ENTRY_SUFFIX: &str = ".code";

/// A folder of compiled modules.
#[derive(Debug)]
pub struct CompileCache {
    folder: Folder,
    secret: Secret,
    limit: u64,
}

impl CompileCache {
    /// Opens the cache in this folder, which is created if it does not exist; it holds at most `limit` bytes.
    pub fn open(dir: &Path, limit: u64) -> Result<Self, CacheError> {
        let folder = Folder::open(dir)?;
        let secret = Secret::of(&folder).map_err(|error| CacheError::Io { path: dir.into(), error })?;
        Ok(Self { folder, secret, limit })
    }

    /// Loads the entry of this key; `None` if there is none.
    pub fn load(&self, key: &Key) -> Result<Option<TrustedArtifact>, EntryFault> {
        match self.folder.read(&name(key), MAX_ENTRY)? {
            Some(entry) => entry::open(entry, key, &self.secret).map(Some),
            None => Ok(None),
        }
    }

    /// Stores an entry, and evicts others if there is too little room.
    pub fn store(&self, key: &Key, artifact: &[u8]) -> io::Result<()> {
        let entry = entry::seal(artifact, key, &self.secret);
        if entry.len() as u64 > self.limit.min(MAX_ENTRY) {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.folder.replace(&name(key), &entry)?;
        // A failed eviction does not affect the stored entry.
        let _ = self.folder.trim(ENTRY_SUFFIX, self.limit);
        Ok(())
    }
}

fn name(key: &Key) -> String {
    format!("{}{ENTRY_SUFFIX}", key.name())
}
