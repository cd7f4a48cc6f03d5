//! Reads the files of packs. Only regular files that the manifest names are accepted.

use std::path::{Path, PathBuf};

use kernelpack_engine::Engine;
use kernelpack_files::{Links, ListError, ReadError};
use kernelpack_manifest::{FileBytes, Manifest, Part, Rejected};

use crate::Error;

/// Reads a file of a pack without verifying anything.
///
/// # Errors
/// [`Error::Rejected`] if it is missing, not a regular file or larger than `limit` bytes; [`Error::File`] or
/// [`Error::Resources`] if the system cannot read it.
pub fn read_pack_file(dir: &Path, name: &str, limit: u64) -> Result<Vec<u8>, Error> {
    let path = dir.join(name);
    kernelpack_files::read(&path, limit, Links::Refuse).map_err(|error| unread(path, name, error))
}

/// Reads a file that the manifest names into memory that the engine lends, if it lends any.
pub(crate) fn read_part(engine: Option<&dyn Engine>, dir: &Path, part: Part<'_>) -> Result<FileBytes, Error> {
    let path = dir.join(part.path());
    let lend = |bytes| engine?.as_lender()?.lend(bytes).map(FileBytes::lent);
    kernelpack_files::read_into(&path, part.max_bytes() as u64, lend).map_err(|error| unread(path, part.path(), error))
}

fn unread(path: PathBuf, name: &str, error: ReadError) -> Error {
    match error.into_rejected(name) {
        Ok(rejected) => rejected.into(),
        Err(error) => Error::unread(path, error),
    }
}

impl From<ListError> for Error {
    fn from(error: ListError) -> Self {
        Self::unread(error.path, error.error)
    }
}

/// Checks that a pack holds the files that its manifest names and nothing else. Reports each file that is missing,
/// unexpected or not a regular file to `fault`, until `fault` returns an error.
///
/// # Errors
/// The error that `fault` returned, or [`Error::File`] if the system cannot list a folder.
pub fn check_pack_files(
    dir: &Path,
    manifest: &Manifest,
    fault: impl FnMut(Rejected) -> Result<(), Error>,
) -> Result<(), Error> {
    kernelpack_files::check_listing(dir, manifest, fault)
}
