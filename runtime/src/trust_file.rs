//! Reading trust stores from their files.

use std::{fs::Metadata, path::Path};

use kernelpack_files::{Links, ReadError, open, read_open};
use kernelpack_manifest::{MAX_TRUST_STORE_BYTES, TrustStore, TrustStoreError};

use crate::{Error, TrustFileError};

/// Reads a trust store.
///
/// Symbolic links are followed, since orchestrators mount changing files that way. That is safe here, unlike in packs
/// that others made: the caller who names the path decides what is trusted.
///
/// # Errors
/// [`Error::TrustStore`] if it is not a regular file, if it is world-writable, or if [`TrustStore::parse`] rejects it;
/// [`Error::File`] if the system cannot read it.
pub fn read_trust_store(path: impl AsRef<Path>) -> Result<TrustStore, Error> {
    let path = path.as_ref();
    let failed = |error| Error::unread(path, error);
    let refused = |fault| Error::TrustStore(Box::new(TrustFileError { path: path.into(), fault }));
    let unread = |error| match error {
        ReadError::NotAFile => refused(TrustStoreError::NotAFile),
        ReadError::TooLarge { .. } => refused(TrustStoreError::TooLarge),
        ReadError::Io(error) => failed(error),
    };
    let file = open(path, Links::Follow).map_err(unread)?;
    check(&file.metadata().map_err(failed)?).map_err(refused)?;
    let bytes = read_open(&file, MAX_TRUST_STORE_BYTES as u64).map_err(unread)?;
    TrustStore::parse(&bytes).map_err(refused)
}

fn check(metadata: &Metadata) -> Result<(), TrustStoreError> {
    if !metadata.is_file() {
        return Err(TrustStoreError::NotAFile);
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o002 != 0 {
            return Err(TrustStoreError::WritableByAll { mode });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
