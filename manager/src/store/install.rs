//! Installs a pack in a store: the files are copied to a staging folder, synced, and renamed.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use kernelpack_manifest::{MAX_MANIFEST_BYTES, MAX_MODULE_BYTES};
use kernelpack_runtime::{Error, PackId, read_pack_file};

use super::{
    PackStore, StoreError, StoreLock,
    layout::{self, DISCARD, INSTALL},
};

/// The size limit of each file of a pack.
const MAX_FILE_BYTES: u64 =
    if MAX_MODULE_BYTES > MAX_MANIFEST_BYTES { MAX_MODULE_BYTES } else { MAX_MANIFEST_BYTES } as u64;

/// A staged copy of a pack, which is removed again unless it is installed.
pub(crate) struct Staged<'a> {
    store: &'a PackStore,
    lock: &'a StoreLock,
    dir: PathBuf,
}

/// The reason why a pack could not be copied.
pub(crate) enum StageError {
    /// The pack cannot be read, or has changed since it was verified.
    Source(Error),
    /// The store cannot be written.
    Store(StoreError),
}

impl<'a> Staged<'a> {
    /// Copies these files of a pack, and syncs them. The copy must be verified again, since the pack may have changed
    /// after its verification.
    pub(crate) fn copy(
        store: &'a PackStore,
        lock: &'a StoreLock,
        source: &Path,
        names: &BTreeSet<String>,
    ) -> Result<Self, StageError> {
        let dir = store.layout.staged(INSTALL);
        fs::create_dir(&dir).map_err(StoreError::io("make", &dir)).map_err(StageError::Store)?;
        // The guard is made before anything is written, so that dropping it removes the copy after any failure.
        let staged = Self { store, lock, dir };
        let mut folders = BTreeSet::from([staged.dir.clone()]);
        for name in names {
            let bytes = read_pack_file(source, name, MAX_FILE_BYTES).map_err(StageError::Source)?;
            staged.write(name, &bytes, &mut folders).map_err(StageError::Store)?;
        }
        for folder in &folders {
            layout::sync_folder(folder).map_err(StageError::Store)?;
        }
        Ok(staged)
    }

    fn write(&self, name: &str, bytes: &[u8], folders: &mut BTreeSet<PathBuf>) -> Result<(), StoreError> {
        let path = self.dir.join(name);
        // Names in a verified pack are relative and without "..".
        for folder in path.ancestors().skip(1).take_while(|folder| *folder != self.dir) {
            folders.insert(folder.to_owned());
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(StoreError::io("make", folder))?;
        }
        layout::write_synced(&path, bytes)
    }

    /// Returns the folder of the copy.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Moves the copy into place atomically. An existing folder of that name stays if `is_whole` confirms that it is
    /// the same pack; otherwise it is removed.
    pub(crate) fn install(&self, id: &PackId, is_whole: impl FnOnce(&Path) -> bool) -> Result<(), StoreError> {
        let path = self.store.layout.pack(id);
        if fs::symlink_metadata(&path).is_ok() {
            if layout::check_folder(&path).is_ok() && is_whole(&path) {
                return Ok(());
            }
            self.store.discard(self.lock, &path)?;
        }
        fs::rename(&self.dir, &path).map_err(StoreError::io("install", &path))?;
        layout::sync_folder(&self.store.layout.packs())
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        // After an installation, the folder no longer exists. If it cannot be removed now, the next process that
        // changes the store removes it.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

impl PackStore {
    /// Moves something out of `packs/` atomically, and then removes it.
    pub(super) fn discard(&self, _: &StoreLock, path: &Path) -> Result<(), StoreError> {
        let aside = self.layout.staged(DISCARD);
        fs::rename(path, &aside).map_err(StoreError::io("remove", path))?;
        remove(&aside).map_err(StoreError::io("remove", &aside))
    }
}

/// Removes a file, a link or a folder with its contents; links are not followed.
pub(super) fn remove(path: &Path) -> std::io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}
