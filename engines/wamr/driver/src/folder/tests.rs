use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt as _, symlink},
};

use super::*;

#[test]
fn nobody_else_can_enter_it() {
    let folder = Folder::new().unwrap();
    assert_eq!(fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777, 0o700);
    folder.write("module.wasm", b"1234").unwrap();
    assert_eq!(folder.read("module.wasm", 4).unwrap(), b"1234");
    assert!(folder.write("module.wasm", b"5678").is_err(), "it was there already");
    let path = folder.path().to_owned();
    drop(folder);
    assert!(!path.exists());
}

#[test]
fn a_folder_that_others_can_enter_is_not_taken_for_it() {
    let dir = tempfile::tempdir().unwrap();
    for mode in [0o770, 0o707, 0o750, 0o701] {
        fs::set_permissions(dir.path(), Permissions::from_mode(mode)).unwrap();
        let refused = unix::open_own(dir.path()).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied, "{mode:o}");
    }
    fs::set_permissions(dir.path(), Permissions::from_mode(0o700)).unwrap();
    unix::open_own(dir.path()).unwrap();
    symlink(dir.path(), dir.path().join("link")).unwrap();
    assert!(unix::open_own(&dir.path().join("link")).is_err());
}

#[test]
fn what_is_put_under_its_path_later_is_not_read() {
    let folder = Folder::new().unwrap();
    folder.write("module.aot", b"ours").unwrap();
    let (path, away) = (folder.path().to_owned(), tempfile::tempdir().unwrap());
    fs::rename(&path, away.path().join("away")).unwrap();
    fs::create_dir(&path).unwrap();
    fs::write(path.join("module.aot"), "theirs").unwrap();
    assert_eq!(folder.read("module.aot", 10).unwrap(), b"ours");
}

#[test]
fn only_regular_files_within_the_limit_are_read() {
    let folder = Folder::new().unwrap();
    folder.write("file", b"12345").unwrap();
    assert_eq!(folder.read("file", 4).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    symlink("file", folder.path().join("link")).unwrap();
    fs::create_dir(folder.path().join("folder")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap();
    assert!(made.success());
    for name in ["link", "folder", "pipe", "no"] {
        assert!(folder.read(name, 10).is_err(), "{name}");
    }
}
