//! Where things are in a store, and writing them so that they last.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use kernelpack_manifest::Digest;
use kernelpack_runtime::PackId;

use super::StoreError;

/// The state's file, in the store and while it is being written.
pub(super) const STATE: &str = "state.json";
/// A pack that is being written.
pub(super) const INSTALL: &str = "install";
/// A pack that is being removed.
pub(super) const DISCARD: &str = "discard";

/// Hexadecimal digits at the end of a pack's folder.
const DIGITS: usize = 12;
/// The most bytes that a folder's name has of a pack's name and of its version.
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

    /// Makes the folders that are not there.
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

/// The folder of a pack: readable for people, safe on every system, and another one for each content and signer.
fn folder_name(id: &PackId) -> String {
    let plain = |text: &str| -> String {
        let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '+') { c } else { '_' };
        text.chars().take(MAX_PART).map(safe).collect()
    };
    let PackId { name, version, digest, signed_by, .. } = id;
    // The signer counts: signed by another key, a pack lies beside the one that is active until it is active itself.
    let told_apart = Digest::of(&[&digest.0[..], signed_by.as_bytes()].concat());
    let digits: String = told_apart.0[..DIGITS / 2].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{digits}", plain(name), plain(&version.to_string()))
}

/// Whether a folder in `packs/` is called as a store calls them.
pub(super) fn is_pack_name(name: &str) -> bool {
    let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    name.rsplit_once('-')
        .is_some_and(|(front, digits)| front.contains('-') && digits.len() == DIGITS && digits.bytes().all(digit))
}

/// Checks that a path is a folder itself, not a link to one.
pub(super) fn check_folder(path: &Path) -> Result<(), StoreError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(StoreError::NotAFolder { path: path.to_owned() }),
        Err(source) => Err(StoreError::io("read", path)(source)),
    }
}

/// Writes a new file, down to the disk.
pub(super) fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    // One that is there is a leftover, which sweeping could not remove; never write through a link.
    let created = File::create_new(path);
    created
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .map_err(StoreError::io("write", path))
}

/// Makes the names in a folder last; a rename is durable only after this.
pub(super) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    // Elsewhere a folder cannot be opened as a file, and the system orders renames itself.
    if cfg!(unix) {
        File::open(path).and_then(|folder| folder.sync_all()).map_err(StoreError::io("sync", path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
