use std::fs;

use super::*;

#[test]
fn no_more_than_the_limit_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    fs::write(&path, "12345").unwrap();
    for links in [Links::Follow, Links::Refuse] {
        assert_eq!(read(&path, 5, links).unwrap(), b"12345");
        assert_eq!(read_secret(&path, 5, links).unwrap().as_slice(), b"12345");
        assert!(matches!(read(&path, 4, links), Err(ReadError::TooLarge { limit: 4 })));
        assert!(matches!(read(folder.path(), 4, links), Err(ReadError::NotAFile)));
        let missing = read(&folder.path().join("no"), 4, links);
        assert!(matches!(missing, Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound));
    }
}

#[cfg(unix)]
#[test]
fn what_is_not_a_file_is_neither_read_nor_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("file"), "12345").unwrap();
    std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    let open_folder = File::open(folder.path()).unwrap();
    for path in [at("pipe"), at("socket"), "/dev/zero".into()] {
        for links in [Links::Follow, Links::Refuse] {
            assert!(matches!(read(&path, 5, links), Err(ReadError::NotAFile)), "{}", path.display());
        }
        let opened = open_in(&open_folder, &path).and_then(|file| read_open(&file, 5));
        assert!(matches!(opened, Err(ReadError::NotAFile)), "{}", path.display());
    }
    assert!(matches!(read(&at("link"), 5, Links::Refuse), Err(ReadError::NotAFile)));
    assert!(matches!(open_in(&open_folder, Path::new("link")), Err(ReadError::NotAFile)));
    assert_eq!(read(&at("link"), 5, Links::Follow).unwrap(), b"12345");
}

#[test]
fn a_file_goes_where_there_is_memory_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, b"content").unwrap();
    for lend in [|len| Some(vec![0xFF; len].into()), |_| None] {
        assert_eq!(*read_into(&path, 7, lend).unwrap(), *b"content");
    }
    // Memory is requested only if the file may be read.
    let never = |_| -> Option<FileBytes> { panic!("nothing is to be read") };
    assert!(matches!(read_into(&path, 6, never), Err(ReadError::TooLarge { limit: 6 })));
    assert!(matches!(read_into(folder.path(), 6, never), Err(ReadError::NotAFile | ReadError::Io(_))));
    // The file is shorter than expected.
    let long = |len| Some(vec![0; len + 1].into());
    assert!(matches!(read_into(&path, 7, long), Err(ReadError::Io(_))));
}
