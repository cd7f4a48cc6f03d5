//! Reads the files of a pack as strictly as a host does: only regular files of bounded size that the manifest names.

use std::{io, path::Path};

use kernelpack_files::{Links, ListError, ReadError};
use kernelpack_manifest::{Manifest, Rejected, SIGNATURE_FILE};

use crate::sign_error::SignError;

/// Reads a file by its path inside the pack.
pub(crate) fn read(pack: &Path, name: &str, limit: u64) -> Result<Vec<u8>, SignError> {
    let path = pack.join(name);
    let failed = |error| SignError::Io { action: "read", path: path.clone(), error };
    match kernelpack_files::read(&path, limit, Links::Refuse) {
        Ok(bytes) => Ok(bytes),
        // A missing signature is a fault of the pack. For any other missing file, the user may have mistyped the path,
        // so the error names it.
        Err(ReadError::Io(error)) if name != SIGNATURE_FILE || error.kind() != io::ErrorKind::NotFound => {
            Err(failed(error))
        }
        Err(error) => Err(error.into_rejected(name).map_or_else(failed, |fault| SignError::refused(pack, fault))),
    }
}

/// Checks that the pack contains the manifest, the files that it names, optionally a signature, and nothing else.
pub(crate) fn check_listing(pack: &Path, manifest: &Manifest) -> Result<(), SignError> {
    kernelpack_files::check_listing(pack, manifest, |fault| match fault {
        Rejected::MissingFile { path } if path == SIGNATURE_FILE => Ok(()),
        fault => Err(SignError::refused(pack, fault)),
    })
}

impl From<ListError> for SignError {
    fn from(error: ListError) -> Self {
        Self::Io { action: "read", path: error.path, error: error.error }
    }
}

#[cfg(test)]
mod tests;
