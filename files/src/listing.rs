//! Checks that a folder holds the files of a pack and nothing else.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use kernelpack_manifest::{MANIFEST_FILE, Manifest, Rejected, SIGNATURE_FILE};

/// A folder of a pack that cannot be listed.
#[derive(Debug)]
pub struct ListError {
    /// The folder.
    pub path: PathBuf,
    /// The system's error.
    pub error: io::Error,
}

/// Checks that a folder holds the files that a manifest names, the manifest, its signature, and nothing else.
///
/// Each file that is missing, unexpected or not a regular file is passed to `fault`, until that returns an error.
///
/// # Errors
/// The error that `fault` returned, or a [`ListError`] if the system cannot list a folder.
pub fn check_listing<E: From<ListError>>(
    dir: &Path,
    manifest: &Manifest,
    mut fault: impl FnMut(Rejected) -> Result<(), E>,
) -> Result<(), E> {
    let own = [MANIFEST_FILE, SIGNATURE_FILE];
    let mut expected: BTreeSet<&str> = manifest.files().chain(own).collect();
    let mut folders = vec![(PathBuf::from(dir), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        let failed = |error| ListError { path: folder.clone(), error };
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            // Names in a manifest are ASCII, so a name that changes here cannot be one of them.
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            // This is the type of the entry itself: a link to a folder does not count as a folder.
            let kind = entry.file_type().map_err(failed)?;
            let inside = format!("{path}/");
            // Only folders that contain expected files are read, so the manifest limits the depth.
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
