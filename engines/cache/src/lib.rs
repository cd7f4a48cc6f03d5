//! The compile cache: what an engine made of verified modules, kept in a folder for the processes to come.
//!
//! Loading compiled code means running it outside of any sandbox, so the one invariant is: bytes leave this crate as a
//! [`TrustedArtifact`] only, and that is made only of an entry which the holder of the folder's secret sealed for this
//! very module and this very engine. Whatever else lies in the folder is as good as nothing: the module is compiled
//! anew. Three things guard this, each alone enough against those who are not this user:
//!
//! - the folder is this user's and nobody else can write to it, or the cache is refused;
//! - each entry is sealed with a secret that only this user can read;
//! - an entry names the SHA-256 of the module and the engine's fingerprint under that seal ([`Key`]).
//!
//! Entries appear by renaming, so processes that share the folder, and those that are killed, leave whole ones only.

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

/// What a cache may hold, unless its builder says otherwise: 512 MiB.
pub const DEFAULT_LIMIT: u64 = 512 << 20;

/// The largest entry that is read or written: the code of a module of the largest size is smaller.
const MAX_ENTRY: u64 = 1 << 30;

/// Ends the names of entries.
const ENTRY_SUFFIX: &str = ".code";

/// A folder of compiled modules.
#[derive(Debug)]
pub struct CompileCache {
    folder: Folder,
    secret: Secret,
    limit: u64,
}

impl CompileCache {
    /// Opens the cache in this folder, which is made if there is none; it holds at most `limit` bytes.
    pub fn open(dir: &Path, limit: u64) -> Result<Self, CacheError> {
        let folder = Folder::open(dir)?;
        let secret = Secret::of(&folder).map_err(|source| CacheError::Io { path: dir.into(), source })?;
        Ok(Self { folder, secret, limit })
    }

    /// The entry of this key; `None` if there is none.
    pub fn load(&self, key: &Key) -> Result<Option<TrustedArtifact>, EntryFault> {
        match self.folder.read(&name(key), MAX_ENTRY)? {
            Some(entry) => entry::open(entry, key, &self.secret).map(Some),
            None => Ok(None),
        }
    }

    /// Puts an entry in its place, and makes room for it.
    pub fn store(&self, key: &Key, artifact: &[u8]) -> io::Result<()> {
        let entry = entry::seal(artifact, key, &self.secret);
        if entry.len() as u64 > self.limit.min(MAX_ENTRY) {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.folder.replace(&name(key), &entry)?;
        // Room is a matter of tidiness: what was stored is good without it.
        let _ = self.folder.trim(ENTRY_SUFFIX, self.limit);
        Ok(())
    }
}

fn name(key: &Key) -> String {
    format!("{}{ENTRY_SUFFIX}", key.name())
}
