//! Checks that pairs of keys are written, never overwritten, and read back.

use std::{fs, path::Path, process::Command};

use kernelpack_packer::{KeygenError, generate, load_public_key, load_secret_key};

#[test]
fn a_pair_is_written_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let keys = generate(&folder.path().join("release.v1")).unwrap();
    assert_eq!(keys.secret, folder.path().join("release.v1.key"));
    assert_eq!(keys.public, folder.path().join("release.v1.pub"));
    assert_eq!(load_public_key(&keys.public).unwrap(), keys.key);
    let secret = load_secret_key(&keys.secret).unwrap();
    assert_eq!(secret.public(), keys.key);

    let another = generate(&folder.path().join("another")).unwrap();
    assert_ne!(another.key, keys.key);
}

#[cfg(unix)]
#[test]
fn only_its_owner_may_read_a_secret_key() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let keys = generate(&folder.path().join("k")).unwrap();
    assert_eq!(fs::metadata(&keys.secret).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn neither_file_is_ever_overwritten() {
    for existing in ["k.key", "k.pub"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(existing);
        fs::write(&path, "precious").unwrap();
        let error = generate(&folder.path().join("k")).unwrap_err();
        assert!(matches!(&error, KeygenError::Exists { path: found } if *found == path), "{error}");
        assert_eq!(
            error.to_string(),
            format!("{} already exists and will not be overwritten: choose another name", path.display())
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "something was left behind");
    }
}

#[test]
fn a_folder_that_does_not_exist_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = generate(&folder.path().join("missing/k")).unwrap_err().to_string();
    assert!(error.contains("missing/k.key"), "{error}");
}

#[test]
fn the_wrong_kind_of_key_is_told_apart_from_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let keys = generate(&folder.path().join("k")).unwrap();
    let other = folder.path().join("other");
    fs::write(&other, "hello").unwrap();

    let secret = |path: &Path| load_secret_key(path).unwrap_err().to_string();
    assert!(
        secret(&keys.public)
            .ends_with("k.pub holds a public key, but signing needs the secret one: give the .key file")
    );
    assert!(secret(&other).contains("no Ed25519 secret key"));
    assert!(secret(&folder.path().join("missing")).starts_with("cannot read "));

    let public = |path: &Path| load_public_key(path).unwrap_err().to_string();
    assert!(
        public(&keys.secret).ends_with("k.key holds a secret key, which must not be passed around: give the .pub file")
    );
    assert!(public(&other).contains("no Ed25519 public key"));
}

#[test]
fn a_file_that_is_too_large_for_a_key_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("k");
    fs::write(&path, vec![b'x'; 1 << 20]).unwrap();
    let error = load_public_key(&path).unwrap_err().to_string();
    assert_eq!(error, format!("cannot read {}: it has more than 65536 bytes", path.display()));
    fs::write(&path, b"\xff").unwrap();
    let error = load_secret_key(&path).unwrap_err().to_string();
    assert!(error.contains("contains no Ed25519 secret key in PEM"), "{error}");
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_hold_no_keys() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in [&pipe, Path::new("/dev/zero"), folder.path()] {
        let expected = format!("cannot read {}: it is not a regular file", path.display());
        assert_eq!(load_public_key(path).unwrap_err().to_string(), expected);
        assert_eq!(load_secret_key(path).unwrap_err().to_string(), expected);
    }
    let (keys, link) = (generate(&folder.path().join("k")).unwrap(), folder.path().join("link"));
    std::os::unix::fs::symlink(&keys.public, &link).unwrap();
    assert_eq!(load_public_key(&link).unwrap(), keys.key, "a link to a key is as good");
}

#[test]
fn openssl_reads_both_files() {
    if Command::new("openssl").arg("version").output().is_err() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let keys = generate(&folder.path().join("k")).unwrap();
    let derived = Command::new("openssl").args(["pkey", "-pubout", "-in"]).arg(&keys.secret).output().unwrap();
    assert!(derived.status.success(), "{}", String::from_utf8_lossy(&derived.stderr));
    assert_eq!(String::from_utf8(derived.stdout).unwrap(), fs::read_to_string(&keys.public).unwrap());
}
