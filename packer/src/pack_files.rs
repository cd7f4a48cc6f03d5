//! The files of a pack that lies in a folder, as strictly as a host reads them: regular files of bounded size, and none
//! that the manifest does not name.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use kernelpack_manifest::{MANIFEST_FILE, Manifest, Rejected, SIGNATURE_FILE};

use crate::{
    SignError,
    regular::{self, Links, ReadError},
};

/// Reads a file by its path inside the pack.
pub(crate) fn read(pack: &Path, name: &str, limit: usize) -> Result<Vec<u8>, SignError> {
    let path = pack.join(name);
    let named = || name.to_owned();
    match regular::read(&path, limit, Links::Refuse) {
        Ok(mut bytes) => Ok(std::mem::take(&mut *bytes)),
        Err(ReadError::NotAFile) => Err(SignError::refused(pack, Rejected::NotAFile { path: named() })),
        Err(ReadError::TooLarge) => {
            Err(SignError::refused(pack, Rejected::FileTooLarge { path: named(), limit: limit as u64 }))
        }
        Err(ReadError::Io(error)) if name == SIGNATURE_FILE && error.kind() == io::ErrorKind::NotFound => {
            Err(SignError::refused(pack, Rejected::MissingFile { path: named() }))
        }
        Err(ReadError::Io(error)) => Err(SignError::Io { action: "read", path, error }),
    }
}

/// Checks that the pack holds the manifest, the files that it names, perhaps a signature, and nothing else.
pub(crate) fn check_listing(pack: &Path, manifest: &Manifest) -> Result<(), SignError> {
    let refused = |fault| Err(SignError::refused(pack, fault));
    let mut missing: BTreeSet<&str> = manifest.files().chain([MANIFEST_FILE, SIGNATURE_FILE]).collect();
    let mut folders = vec![(PathBuf::from(pack), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        let failed = |error: io::Error| SignError::Io { action: "read", path: folder.clone(), error };
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            // The names in a manifest are ASCII, so one that is changed here is none of them.
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            // Of the entry itself, so a link to a folder is no folder.
            let kind = entry.file_type().map_err(failed)?;
            let inside = format!("{name}/");
            // A folder that no named file lies in is refused unread, so that depth is bounded by the manifest.
            if kind.is_dir() && manifest.files().any(|path| path.starts_with(&inside)) {
                folders.push((entry.path(), inside));
            } else if !missing.remove(name.as_str()) {
                return refused(Rejected::UnexpectedFile { path: name });
            } else if !kind.is_file() {
                return refused(Rejected::NotAFile { path: name });
            }
        }
    }
    missing.remove(SIGNATURE_FILE);
    match missing.first() {
        None => Ok(()),
        Some(&path) => refused(Rejected::MissingFile { path: path.into() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_that_nobody_signed_is_told_as_that() {
        let folder = tempfile::tempdir().unwrap();
        let said = |name| read(folder.path(), name, 64).unwrap_err().to_string();
        assert!(said(SIGNATURE_FILE).contains("nobody signed the pack"), "{}", said(SIGNATURE_FILE));
        assert!(said(MANIFEST_FILE).starts_with("cannot read "), "{}", said(MANIFEST_FILE));
    }
}
