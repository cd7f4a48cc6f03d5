//! Changing a trust store's file, so that no change is lost to another one or to a failure.

use std::{
    error::Error,
    fs::File,
    io,
    path::{Path, PathBuf},
};

use kernelpack_host::{
    error::{TrustFileError, TrustStoreError},
    trust::{TrustStore, read_trust_store},
};

use crate::{
    print,
    replace_file::{self, replace_file_with},
};

/// What to do where there is no file yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    Make,
    Refuse,
}

/// What became of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    Made,
    Changed,
}

/// Reads a trust store, changes it and writes it, whole or not at all, while nobody else does the same.
///
/// # Errors
/// The file cannot be read or written, or the change is refused; then it is as it was.
pub(super) fn change(
    path: &Path,
    missing: Missing,
    change: impl FnOnce(&mut TrustStore) -> Result<(), TrustStoreError>,
) -> Result<Written, Box<dyn Error>> {
    let _lock = lock(path);
    let (mut store, written) = match missing {
        // A link that leads nowhere is read, too, and the system says what is wrong with it.
        Missing::Make if path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) => {
            (TrustStore::default(), Written::Made)
        }
        _ => (read_trust_store(path)?, Written::Changed),
    };
    change(&mut store).map_err(|fault| TrustFileError { path: path.into(), fault })?;
    // Hosts refuse a store that everybody can write to, so none is made under any umask.
    replace_file_with(path, &store.to_json(), 0o644)
        .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    Ok(written)
}

/// Waits until nobody else changes a store in the file's folder, and keeps others waiting until it is dropped.
///
/// The file itself cannot be locked, since it is replaced; a file beside it would stay behind.
fn lock(path: &Path) -> Option<File> {
    let place: PathBuf = path.canonicalize().unwrap_or_else(|_| path.into());
    let folder = replace_file::folder(&place);
    match File::open(folder).and_then(|folder| folder.lock().map(|()| folder)) {
        Ok(lock) => Some(lock),
        // A folder that is not there is told of when the file is written; some systems cannot lock folders.
        Err(error) => {
            if folder.exists() {
                print::note(format_args!(
                    "warning: {} cannot be locked ({error}): do not change a trust store there from anywhere else meanwhile",
                    folder.display()
                ));
            }
            None
        }
    }
}
