//! Reading a pack's files: each once, regular files only, and none that the manifest does not name.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};

use kernelpack_manifest::Rejected;

use crate::{EngineError, Error};

/// Reads a file of the pack.
///
/// # Errors
/// It is missing, no regular file or larger than `limit`; or the system cannot read it.
pub(crate) fn read(dir: &Path, name: &str, limit: u64) -> Result<Vec<u8>, Error> {
    let path = dir.join(name);
    let named = || name.to_owned();
    let failed = |source| EngineError::Read { path: path.clone(), source };
    let kind = match fs::symlink_metadata(&path) {
        Ok(metadata) => metadata.file_type(),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Err(Rejected::MissingFile { path: named() }.into());
        }
        Err(error) => return Err(failed(error).into()),
    };
    if !kind.is_file() {
        return Err(Rejected::NotAFile { path: named() }.into());
    }
    let mut bytes = Vec::new();
    // One byte over the limit tells that there is more, however large the file claims to be.
    File::open(&path).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(Rejected::FileTooLarge { path: named(), limit }.into());
    }
    Ok(bytes)
}

/// Checks that the pack holds the files of this set and nothing else.
///
/// # Errors
/// The first file that is missing, too much, or no regular file.
pub(super) fn check_listing(dir: &Path, expected: &BTreeSet<String>) -> Result<(), Error> {
    let mut found = BTreeSet::new();
    let mut folders = vec![(PathBuf::from(dir), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        let failed = |source| EngineError::Read { path: folder.clone(), source };
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() {
                let inside = format!("{name}/");
                // A folder that no expected file lies in is refused unread, so that depth is bounded by the manifest.
                if !expected.iter().any(|path| path.starts_with(&inside)) {
                    return Err(Rejected::UnexpectedFile { path: name }.into());
                }
                folders.push((entry.path(), inside));
            } else if !expected.contains(&name) {
                return Err(Rejected::UnexpectedFile { path: name }.into());
            } else if !kind.is_file() {
                return Err(Rejected::NotAFile { path: name }.into());
            } else {
                found.insert(name);
            }
        }
    }
    match expected.difference(&found).next() {
        None => Ok(()),
        Some(missing) => Err(Rejected::MissingFile { path: missing.clone() }.into()),
    }
}
