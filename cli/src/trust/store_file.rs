//! Changes the file of a trust store, so that neither another change nor a failure undoes a change.

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

/// The action if there is no file yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    Make,
    Refuse,
}

/// The effect on the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    Made,
    Changed,
}

/// Reads a trust store, changes it, and writes it completely or not at all, while no other process does the same.
///
/// # Errors
/// The file cannot be read or written, or the change is refused; then the file is unchanged.
pub(super) fn change(
    path: &Path,
    missing: Missing,
    change: impl FnOnce(&mut TrustStore) -> Result<(), TrustStoreError>,
) -> Result<Written, Box<dyn Error>> {
    let _lock = lock(path);
    let (mut store, written) = match missing {
        // A broken link is also read, so that the system's error explains what is wrong with it.
        Missing::Make if path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) => {
            (TrustStore::default(), Written::Made)
        }
        _ => (read_trust_store(path)?, Written::Changed),
    };
    change(&mut store).map_err(|fault| TrustFileError { path: path.into(), fault })?;
    // Hosts refuse a store that everybody can write to, so none is created, whatever the umask.
    replace_file_with(path, &store.to_json(), 0o644)
        .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    Ok(written)
}

/// Waits until no other process changes a store in the file's folder, and blocks others until the result is dropped.
///
/// The file itself cannot be locked, since it is replaced, and a lock file next to it would remain.
fn lock(path: &Path) -> Option<File> {
    let place: PathBuf = path.canonicalize().unwrap_or_else(|_| path.into());
    let folder = replace_file::folder(&place);
    match File::open(folder).and_then(|folder| folder.lock().map(|()| folder)) {
        Ok(lock) => Some(lock),
        // A missing folder is reported when the file is written; some systems cannot lock folders.
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
