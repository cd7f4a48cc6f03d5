//! A folder of packs: versions side by side, and which of them is active.
//!
//! ```text
//! lock            held by whoever changes anything
//! state.json      which pack is active, which one was before, what was accepted so far
//! packs/          NAME-VERSION-DIGEST12, a whole pack each
//! staging/        what is being written; worth nothing
//! ```
//!
//! The invariant: whatever is in `packs/` was written whole and synced before it was renamed into place, and
//! `state.json` is replaced in one step, so that a process killed at any moment leaves the old state or the new one.
//! Nobody vouches for what lies in the folder: the signature and every digest are checked again at each opening, folder
//! names are made from the state and never read from it, and links are not followed.

mod collect;
mod error;
mod former;
mod install;
mod layout;
mod read;
mod state;

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::ErrorKind,
    path::{Path, PathBuf},
};

pub use error::StoreError;
pub(crate) use install::{StageError, Staged};
pub(crate) use state::Accepted;
pub use state::StoreState;

use kernelpack_manifest::{Digest, MANIFEST_FILE, MAX_MANIFEST_BYTES, Manifest};

use kernelpack_runtime::{PackId, read_pack_file};
use layout::Layout;

/// A folder with the versions of a pack, of which one is active.
///
/// Reading needs no lock: what is active is replaced in one step. A [`KernelManager`](crate::KernelManager) changes it.
#[derive(Clone, Debug)]
pub struct PackStore {
    layout: Layout,
}

/// The right to change a store; other processes and managers have to wait until it is dropped.
pub(crate) struct StoreLock {
    file: File,
}

impl Drop for StoreLock {
    fn drop(&mut self) {
        // Closing the file would do, were it not for processes that are being started from another thread, and have a
        // copy of it until they run their program. Whatever fails here, the end of the process gives the lock up.
        let _ = self.file.unlock();
    }
}

impl PackStore {
    /// Opens a store, and makes it where there is none. What a killed process left behind is removed, unless somebody
    /// is changing the store right now.
    ///
    /// # Errors
    /// The folder cannot be made or read, or something else has the name of a folder of the store.
    pub fn open(root: impl AsRef<Path>) -> Result<Self, StoreError> {
        let layout = Layout::new(root.as_ref());
        layout.make()?;
        let store = Self { layout };
        // Only tidying: a store that cannot be written can still be read.
        match store.lock() {
            // Where the state is lost or names what is not there, who is to say what is superfluous? The next upgrade.
            Ok(lock) => match store.state() {
                Ok(state) if state.active().is_some_and(|id| store.installed(id).is_ok()) => {
                    store.collect(&lock, &state);
                }
                _ => {}
            },
            Err(error) => tracing::debug!(store = %store.root().display(), %error, "left untidied"),
        }
        Ok(store)
    }

    /// The store's folder.
    pub fn root(&self) -> &Path {
        &self.layout.root
    }

    /// What is active, and what was accepted so far.
    ///
    /// # Errors
    /// The state cannot be read, or is not one that this build understands.
    pub fn state(&self) -> Result<StoreState, StoreError> {
        let path = self.layout.state();
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(StoreState::default()),
            Err(source) => return Err(StoreError::io("read", &path)(source)),
            Ok(metadata) if !metadata.is_file() => return Err(StoreError::NotAFile { path }),
            Ok(metadata) if metadata.len() > state::MAX_BYTES => {
                let message = format!("it has {} bytes, the limit is {}", metadata.len(), state::MAX_BYTES);
                return Err(StoreError::BadState { path, message });
            }
            Ok(_) => {}
        }
        let bytes = fs::read(&path).map_err(StoreError::io("read", &path))?;
        let content = |id: &PackId| self.content(id);
        StoreState::parse(&bytes, content).map_err(|message| StoreError::BadState { path, message })
    }

    /// The content of an installed pack, if its manifest is the one that the state names; who signed it has been asked
    /// when it was installed and will be when it is opened.
    fn content(&self, id: &PackId) -> Option<Digest> {
        let manifest = read_pack_file(&self.installed(id).ok()?, MANIFEST_FILE, MAX_MANIFEST_BYTES as u64).ok()?;
        if Digest::of(&manifest) != id.digest {
            return None;
        }
        Manifest::content(&manifest).ok()
    }

    /// The folder of an installed pack.
    ///
    /// # Errors
    /// It is no folder: the pack is not installed, or a link has its name.
    pub(crate) fn installed(&self, id: &PackId) -> Result<PathBuf, StoreError> {
        let path = self.layout.pack(id);
        layout::check_folder(&path)?;
        Ok(path)
    }

    /// Makes this the only process that may change the store, and removes what another one left half-written.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if somebody else is changing it; or the lock cannot be opened.
    pub(crate) fn lock(&self) -> Result<StoreLock, StoreError> {
        let path = self.layout.lock();
        match fs::symlink_metadata(&path) {
            Ok(metadata) if !metadata.is_file() => return Err(StoreError::NotAFile { path }),
            _ => {}
        }
        let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = opened.map_err(StoreError::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::Busy { path: self.layout.root.clone() }),
            Err(TryLockError::Error(source)) => return Err(StoreError::io("lock", &path)(source)),
        }
        let lock = StoreLock { file };
        self.sweep(&lock);
        Ok(lock)
    }

    /// Replaces the state in one step; what it was is what it stays if this fails before that step.
    pub(crate) fn write_state(&self, _: &StoreLock, state: &StoreState) -> Result<(), StoreError> {
        let staged = self.layout.staged(layout::STATE);
        layout::write_synced(&staged, &state.to_json())?;
        let path = self.layout.state();
        fs::rename(&staged, &path).map_err(StoreError::io("replace", &path))?;
        layout::sync_folder(&self.layout.root)
    }
}
