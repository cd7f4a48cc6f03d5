//! Reading a pack's files: regular files only, and none that the manifest does not name.

use std::{
    collections::BTreeSet,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use kernelpack_manifest::{FileBytes, MANIFEST_FILE, Manifest, Rejected, SIGNATURE_FILE};

use crate::{
    EngineError, Error,
    engine::Engine,
    regular::{self, ReadError},
};

/// Reads a file of a pack without verifying anything.
///
/// # Errors
/// [`Error::Rejected`] if it is missing, no regular file or larger than `limit` bytes; [`Error::Engine`] if the system
/// cannot read it.
pub fn read_pack_file(dir: &Path, name: &str, limit: u64) -> Result<Vec<u8>, Error> {
    let path = dir.join(name);
    regular::read(&path, limit).map_err(|error| unread(path, name, limit, error))
}

/// The same, into memory that an engine can spare.
pub(crate) fn read_for(engine: Option<&dyn Engine>, dir: &Path, name: &str, limit: u64) -> Result<FileBytes, Error> {
    let path = dir.join(name);
    let lend = |bytes| engine?.lend(bytes).map(FileBytes::lent);
    regular::read_into(&path, limit, lend).map_err(|error| unread(path, name, limit, error))
}

fn unread(path: PathBuf, name: &str, limit: u64, error: ReadError) -> Error {
    let path_in_pack = name.to_owned();
    match error {
        ReadError::NotAFile => Rejected::NotAFile { path: path_in_pack }.into(),
        ReadError::TooLarge => Rejected::FileTooLarge { path: path_in_pack, limit }.into(),
        ReadError::Io(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Rejected::MissingFile { path: path_in_pack }.into()
        }
        ReadError::Io(source) => EngineError::Read { path, source }.into(),
    }
}

/// Checks that a pack holds the files that its manifest names and nothing else, and hands over whatever is missing, too
/// much, or no regular file, until `fault` makes an error of one.
///
/// # Errors
/// That of `fault`; or [`Error::Engine`] if the system cannot list a folder.
pub fn check_pack_files(
    dir: &Path,
    manifest: &Manifest,
    mut fault: impl FnMut(Rejected) -> Result<(), Error>,
) -> Result<(), Error> {
    let own = [MANIFEST_FILE, SIGNATURE_FILE];
    let mut expected: BTreeSet<&str> = manifest.files().chain(own).collect();
    let mut folders = vec![(PathBuf::from(dir), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        let failed = |source| EngineError::Read { path: folder.clone(), source };
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type().map_err(failed)?;
            let inside = format!("{path}/");
            // A folder that no expected file lies in is refused unread, so that depth is bounded by the manifest.
            if kind.is_dir() && expected.iter().any(|path| path.starts_with(&inside)) {
                folders.push((entry.path(), inside));
            } else if !expected.remove(path.as_str()) {
                fault(Rejected::UnexpectedFile { path })?;
            } else if !kind.is_file() {
                fault(Rejected::NotAFile { path })?;
            }
        }
    }
    expected.into_iter().try_for_each(|path| fault(Rejected::MissingFile { path: path.to_owned() }))
}
