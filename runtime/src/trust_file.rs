//! Reading trust stores from their files.

use std::{fs::Metadata, path::Path};

use kernelpack_files::{Links, ReadError, open, read_open};
use kernelpack_manifest::{MAX_TRUST_STORE_BYTES, TrustStore, TrustStoreError};

use crate::{EngineError, Error, TrustFileError};

/// Reads a trust store.
///
/// Symbolic links are followed, since orchestrators mount changing files that way. That is safe here, unlike in packs
/// that others made: the caller who names the path decides what is trusted.
///
/// # Errors
/// [`Error::TrustStore`] if it is not a regular file, if everybody may write to it, or if [`TrustStore::parse`] rejects
/// it; [`Error::Engine`] if the system cannot read it.
pub fn read_trust_store(path: impl AsRef<Path>) -> Result<TrustStore, Error> {
    let path = path.as_ref();
    let failed = |source| Error::from(EngineError::Read { path: path.into(), source });
    let refused = |fault| Error::TrustStore(Box::new(TrustFileError { path: path.into(), fault }));
    let unread = |error| match error {
        ReadError::NotAFile => refused(TrustStoreError::NotAFile),
        ReadError::TooLarge { .. } => refused(TrustStoreError::TooLarge),
        ReadError::Io(source) => failed(source),
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
mod tests {
    use std::fs;

    use super::*;

    const EMPTY: &[u8] = b"{\"version\": 1, \"keys\": []}";

    fn refused(path: &Path) -> TrustStoreError {
        match read_trust_store(path) {
            Err(Error::TrustStore(refused)) => {
                assert_eq!(refused.path, path);
                refused.fault
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_no_file_of_a_store_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert_eq!(refused(folder.path()), TrustStoreError::NotAFile);
        assert!(matches!(read_trust_store(at("no")), Err(Error::Engine(EngineError::Read { .. }))));
        fs::write(at("store"), [EMPTY, b"x"].concat()).unwrap();
        assert!(matches!(refused(&at("store")), TrustStoreError::Json(_)));
        fs::write(at("store"), vec![b' '; MAX_TRUST_STORE_BYTES + 1]).unwrap();
        assert_eq!(refused(&at("store")), TrustStoreError::TooLarge);
        fs::write(at("store"), EMPTY).unwrap();
        assert_eq!(read_trust_store(at("store")).unwrap(), TrustStore::default());
    }

    #[cfg(unix)]
    #[test]
    fn pipes_are_not_waited_for_and_links_are_followed() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};

        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert!(std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
        for path in [at("pipe"), "/dev/zero".into()] {
            assert_eq!(refused(&path), TrustStoreError::NotAFile);
        }
        fs::write(at("store"), EMPTY).unwrap();
        symlink(at("store"), at("link")).unwrap();
        symlink(at("pipe"), at("link to a pipe")).unwrap();
        symlink(at("nothing"), at("broken")).unwrap();
        assert_eq!(read_trust_store(at("link")).unwrap(), TrustStore::default());
        assert_eq!(refused(&at("link to a pipe")), TrustStoreError::NotAFile);
        assert!(matches!(read_trust_store(at("broken")), Err(Error::Engine(_))));

        for (mode, refusal) in [(0o664, None), (0o666, Some(0o666)), (0o602, Some(0o602))] {
            fs::set_permissions(at("store"), fs::Permissions::from_mode(mode)).unwrap();
            for path in [at("store"), at("link")] {
                match refusal {
                    None => assert_eq!(read_trust_store(path).unwrap(), TrustStore::default()),
                    Some(mode) => assert_eq!(refused(&path), TrustStoreError::WritableByAll { mode }),
                }
            }
        }
    }
}
