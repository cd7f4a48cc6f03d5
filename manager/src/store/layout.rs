//! The layout of a store, and durable writes.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use kernelpack_manifest::Digest;
use kernelpack_runtime::PackId;

use super::StoreError;

/// The name of the state file, in the store and in staging.
pub(super) const STATE: &str = "state.json";
/// The staging name of a pack that is being installed.
pub(super) const INSTALL: &str = "install";
/// The staging name of a pack that is being removed.
pub(super) const DISCARD: &str = "discard";

/// Hexadecimal digits at the end of a pack's folder.
const DIGITS: usize = 12;
/// The longest part of a folder's name that comes from a pack's name or version, in bytes.
const MAX_PART: usize = 64;

/// The paths of a store.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) root: PathBuf,
}

impl Layout {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Creates the folders that do not exist.
    pub(super) fn make(&self) -> Result<(), StoreError> {
        fs::create_dir_all(&self.root).map_err(StoreError::io("make", &self.root))?;
        for folder in [self.packs(), self.staging()] {
            match fs::create_dir(&folder) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => check_folder(&folder)?,
                Err(source) => return Err(StoreError::io("make", &folder)(source)),
            }
        }
        Ok(())
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    pub(super) fn state(&self) -> PathBuf {
        self.root.join(STATE)
    }

    pub(super) fn packs(&self) -> PathBuf {
        self.root.join("packs")
    }

    pub(super) fn pack(&self, id: &PackId) -> PathBuf {
        self.packs().join(folder_name(id))
    }

    pub(super) fn staging(&self) -> PathBuf {
        self.root.join("staging")
    }

    pub(super) fn staged(&self, name: &str) -> PathBuf {
        self.staging().join(name)
    }
}

/// Returns the name of a pack's folder: readable, valid on every system, and different for each content and signer.
fn folder_name(id: &PackId) -> String {
    let plain = |text: &str| -> String {
        let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '+') { c } else { '_' };
        text.chars().take(MAX_PART).map(safe).collect()
    };
    let PackId { name, version, digest, signed_by, .. } = id;
    // The name depends on the signer too, since a pack signed by another key is stored next to the active one until it
    // becomes active itself.
    let told_apart = Digest::of(&[&digest.0[..], signed_by.as_bytes()].concat());
    let digits: String = told_apart.0[..DIGITS / 2].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{digits}", plain(name), plain(&version.to_string()))
}

/// Returns whether a store could have given this name to a folder in `packs/`.
pub(super) fn is_pack_name(name: &str) -> bool {
    let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    name.rsplit_once('-')
        .is_some_and(|(front, digits)| front.contains('-') && digits.len() == DIGITS && digits.bytes().all(digit))
}

/// Checks that a path is a folder, and not a link to one.
pub(super) fn check_folder(path: &Path) -> Result<(), StoreError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(StoreError::NotAFolder { path: path.to_owned() }),
        Err(source) => Err(StoreError::io("read", path)(source)),
    }
}

/// Writes a new file and syncs it.
pub(super) fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    // `create_new` fails if the file exists, which is then a leftover that could not be removed, and does not follow
    // links.
    let created = File::create_new(path);
    created
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .map_err(StoreError::io("write", path))
}

/// Syncs the names in a folder, which makes a rename durable.
pub(super) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    // On other systems a folder cannot be opened as a file, and the system orders renames itself.
    if cfg!(unix) {
        File::open(path).and_then(|folder| folder.sync_all()).map_err(StoreError::io("sync", path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
