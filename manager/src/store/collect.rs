//! Removes leftovers from a store, and versions other than the active and the previous one.
//!
//! Only what a store itself could have made is touched; everything else in its folders is kept, and links are not
//! followed.

use std::{fs, io::ErrorKind};

use super::{
    PackStore, StoreLock, StoreState, install,
    layout::{self, DISCARD, INSTALL, STATE},
};

impl PackStore {
    /// Removes partly written packs. Only the holder of the lock can be writing one.
    pub(super) fn sweep(&self, _: &StoreLock) {
        for name in [INSTALL, DISCARD, STATE] {
            let path = self.layout.staged(name);
            match install::remove(&path) {
                Ok(()) => tracing::debug!(path = %path.display(), "removed what was left half-written"),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                // The error is only logged here; code that needs the path reports it.
                Err(error) => tracing::warn!(path = %path.display(), %error, "cannot remove what was left"),
            }
        }
    }

    /// Removes the packs that are neither active nor previous. Anything that cannot be removed is tried again next
    /// time.
    pub(crate) fn collect(&self, lock: &StoreLock, state: &StoreState) {
        let kept = [state.active(), state.previous()].map(|id| id.map(|id| self.layout.pack(id)));
        let Ok(entries) = fs::read_dir(self.layout.packs()) else { return };
        for entry in entries.flatten() {
            let (name, path) = (entry.file_name(), entry.path());
            let own = name.to_str().is_some_and(layout::is_pack_name);
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if own && is_folder && !kept.contains(&Some(path.clone())) {
                match self.discard(lock, &path) {
                    Ok(()) => tracing::debug!(path = %path.display(), "removed a pack that is no longer needed"),
                    Err(error) => tracing::warn!(%error, "cannot remove a pack that is no longer needed"),
                }
            }
        }
    }
}
