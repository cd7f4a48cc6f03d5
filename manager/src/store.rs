//! A folder that holds versions of packs, one of them active.
//!
//! ```text
//! lock            held while something is being changed
//! state.json      the active pack, the previous one, and the versions accepted so far
//! packs/          NAME-VERSION-DIGEST12, one whole pack each
//! staging/        files that are being written; can be deleted
//! ```
//!
//! The invariant: everything in `packs/` was written completely and synced before it was renamed into place, and
//! `state.json` is replaced atomically, so a process killed at any moment leaves either the old state or the new one.
//! The folder's contents are not trusted: the signature and every digest are checked again at each opening, folder
//! names are computed from the state and never read from the file system, and links are not followed.

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

/// A folder with versions of a pack, one of them active.
///
/// Reading needs no lock, since the state is replaced atomically. A [`KernelManager`](crate::KernelManager) changes the
/// store.
///
/// # Example: what is active in a store of another process
/// ```no_run
/// use kernelpack_host::manager::{PackStore, StoreError};
///
/// fn report() -> Result<(), StoreError> {
///     let state = PackStore::open("/var/lib/engine/packs")?.state()?;
///     match state.active() {
///         Some(pack) => println!("{pack} is active"),
///         None => println!("no pack is active"),
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct PackStore {
    layout: Layout,
}

/// The right to change a store; other processes and managers wait until it is dropped.
pub(crate) struct StoreLock {
    file: File,
}

impl Drop for StoreLock {
    fn drop(&mut self) {
        // Closing the file would be enough, except that child processes which another thread is starting inherit it
        // until they run their program. If unlocking fails, the end of the process releases the lock.
        let _ = self.file.unlock();
    }
}

impl PackStore {
    /// Opens a store, and creates it if it does not exist. Leftovers of killed processes are removed, unless another
    /// process is changing the store right now.
    ///
    /// # Errors
    /// The folder cannot be created or read, or something that is not a folder has the name of one of the store's
    /// folders.
    pub fn open(root: impl AsRef<Path>) -> Result<Self, StoreError> {
        let layout = Layout::new(root.as_ref());
        layout.make()?;
        let store = Self { layout };
        // An error is not returned here, since this only removes leftovers, and a read-only store can still be read.
        match store.lock() {
            // If the state is lost or names packs that do not exist, it is unknown which packs are superfluous, so
            // nothing is removed until the next upgrade.
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

    /// Returns the store's folder.
    pub fn root(&self) -> &Path {
        &self.layout.root
    }

    /// Returns the active pack, and the versions accepted so far.
    ///
    /// # Errors
    /// The state cannot be read, or is in a format that this build does not understand.
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

    /// Returns the content of an installed pack, if its manifest is the one that the state names. Its signature was
    /// checked when it was installed, and is checked again when it is opened.
    fn content(&self, id: &PackId) -> Option<Digest> {
        let manifest = read_pack_file(&self.installed(id).ok()?, MANIFEST_FILE, MAX_MANIFEST_BYTES as u64).ok()?;
        if Digest::of(&manifest) != id.digest {
            return None;
        }
        Manifest::content(&manifest).ok()
    }

    /// Returns the folder of an installed pack.
    ///
    /// # Errors
    /// The path is not a folder: the pack is not installed, or a link has its name.
    pub(crate) fn installed(&self, id: &PackId) -> Result<PathBuf, StoreError> {
        let path = self.layout.pack(id);
        layout::check_folder(&path)?;
        Ok(path)
    }

    /// Takes the lock for changing the store, and removes leftovers of other processes.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if another process is changing the store; or the lock cannot be opened.
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

    /// Replaces the state atomically; after an error, the old state stays.
    pub(crate) fn write_state(&self, _: &StoreLock, state: &StoreState) -> Result<(), StoreError> {
        let staged = self.layout.staged(layout::STATE);
        layout::write_synced(&staged, &state.to_json())?;
        let path = self.layout.state();
        fs::rename(&staged, &path).map_err(StoreError::io("replace", &path))?;
        layout::sync_folder(&self.layout.root)
    }
}
