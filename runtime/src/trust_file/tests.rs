use std::fs;

use super::*;
use crate::FileError;

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
    assert!(matches!(read_trust_store(at("no")), Err(Error::File(FileError::Read { .. }))));
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
    assert!(matches!(read_trust_store(at("broken")), Err(Error::File(FileError::Read { .. }))));

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
