use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::PathBuf,
    time::{Duration, SystemTime},
};

use super::*;

fn key(module: u8) -> Key {
    Key::of([module; 32], Fingerprint::new("engine", &semver::Version::new(1, 0, 0), 0))
}

fn open(dir: &Path) -> CompileCache {
    CompileCache::open(dir, DEFAULT_LIMIT).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn entry(dir: &Path, module: u8) -> PathBuf {
    dir.join(name(&key(module)))
}

/// Returns the fault of an entry, if there is one.
fn fault(cache: &CompileCache, module: u8) -> EntryFault {
    cache.load(&key(module)).unwrap_err()
}

#[test]
fn what_was_stored_is_there_for_others_with_the_same_folder() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("deep/cache");
    let cache = open(&dir);
    assert!(cache.load(&key(1)).unwrap().is_none());
    cache.store(&key(1), b"one").unwrap();
    cache.store(&key(2), b"two").unwrap();
    cache.store(&key(1), b"one again").unwrap();
    let other = open(&dir);
    assert_eq!(other.load(&key(1)).unwrap().unwrap().code(), b"one again");
    assert_eq!(other.load(&key(2)).unwrap().unwrap().code(), b"two");
    assert_eq!(names(&dir).len(), 3, "two entries and the secret");
    assert_eq!((mode(&dir), mode(&dir.join("secret")), mode(&entry(&dir, 1))), (0o700, 0o600, 0o600));
    assert_eq!(fs::metadata(dir.join("secret")).unwrap().len(), 32);
}

#[test]
fn folders_that_others_can_write_to_are_refused() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("cache");
    fs::create_dir(&dir).unwrap();
    for bad in [0o777, 0o770, 0o702, 0o720, 0o1777, 0o2770] {
        set_mode(&dir, bad);
        match CompileCache::open(&dir, DEFAULT_LIMIT).unwrap_err() {
            CacheError::WritableByOthers { path, mode } => assert_eq!((path, mode), (dir.clone(), bad)),
            other => panic!("{other}"),
        }
        assert!(names(&dir).is_empty(), "something was written to it");
    }
    for good in [0o700, 0o755, 0o750] {
        set_mode(&dir, good);
        open(&dir);
    }
}

#[test]
fn folders_of_others_are_refused() {
    // The root folder belongs to root, and root can give a folder away: one of the two works for any user.
    let temp = tempfile::tempdir().unwrap();
    let other = match std::os::unix::fs::chown(temp.path(), Some(12345), None) {
        Ok(()) => temp.path(),
        Err(_) => Path::new("/"),
    };
    let refused = CompileCache::open(other, DEFAULT_LIMIT).unwrap_err();
    assert!(matches!(refused, CacheError::OfAnotherUser { owner, user, .. } if owner != user), "{refused}");
}

#[test]
fn links_and_files_are_no_folders() {
    let temp = tempfile::tempdir().unwrap();
    let (dir, link, file) = (temp.path().join("cache"), temp.path().join("link"), temp.path().join("file"));
    fs::create_dir(&dir).unwrap();
    symlink(&dir, &link).unwrap();
    symlink(temp.path().join("nothing"), temp.path().join("dangling")).unwrap();
    fs::write(&file, "").unwrap();
    for path in [&link, &link.join(""), &link.join("."), &file, &temp.path().join("dangling")] {
        let refused = CompileCache::open(path, DEFAULT_LIMIT).unwrap_err();
        assert!(matches!(refused, CacheError::NotAFolder { .. }), "{}: {refused}", path.display());
    }
    assert!(names(&dir).is_empty(), "something was written to it");
    let inside = CompileCache::open(&file.join("cache"), DEFAULT_LIMIT).unwrap_err();
    assert!(matches!(inside, CacheError::Io { .. } | CacheError::NotAFolder { .. }), "{inside}");
}

#[test]
fn entries_that_are_no_files_are_refused_without_waiting() {
    let temp = tempfile::tempdir().unwrap();
    let cache = open(temp.path());
    let at = |module| entry(temp.path(), module);
    cache.store(&key(1), b"one").unwrap();
    symlink(at(1), at(2)).unwrap();
    fs::create_dir(at(3)).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(at(4)).status().unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(at(5));
    symlink("/dev/zero", at(6)).unwrap();
    for module in 2..=6 {
        if fs::symlink_metadata(at(module)).is_ok() {
            assert_eq!(fault(&cache, module), EntryFault::NotAFile, "{module}");
        }
    }
    // Anything but a folder is replaced, and the target of a link is left alone.
    for module in [2, 4, 6] {
        cache.store(&key(module), b"new").unwrap();
        assert_eq!(cache.load(&key(module)).unwrap().unwrap().code(), b"new");
    }
    assert_eq!(cache.load(&key(1)).unwrap().unwrap().code(), b"one");
    cache.store(&key(3), b"new").unwrap_err();
    assert!(names(temp.path()).iter().all(|name| !name.starts_with(".new-")), "something was left behind");
}

#[test]
fn large_entries_are_not_read() {
    let temp = tempfile::tempdir().unwrap();
    let cache = open(temp.path());
    fs::File::create(entry(temp.path(), 1)).unwrap().set_len(MAX_ENTRY + 1).unwrap();
    assert_eq!(fault(&cache, 1), EntryFault::TooLarge);
    let small = CompileCache::open(temp.path(), 200).unwrap();
    assert_eq!(small.store(&key(2), &[0; 200]).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
}

#[test]
fn entries_of_another_secret_are_forged() {
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    open(theirs.path()).store(&key(1), b"theirs").unwrap();
    fs::copy(entry(theirs.path(), 1), entry(ours.path(), 1)).unwrap();
    assert_eq!(fault(&open(ours.path()), 1), EntryFault::Forged);
}

#[test]
fn a_secret_that_is_not_one_is_replaced() {
    let temp = tempfile::tempdir().unwrap();
    let secret = temp.path().join("secret");
    let known = tempfile::NamedTempFile::new().unwrap();
    fs::write(&known, [0; 32]).unwrap();
    let spoil: [&dyn Fn(); 5] = [
        &|| set_mode(&secret, 0o644),
        &|| set_mode(&secret, 0o620),
        &|| fs::write(&secret, [0; 31]).unwrap(),
        &|| fs::write(&secret, [0; 33]).unwrap(),
        &|| {
            fs::remove_file(&secret).unwrap();
            symlink(known.path(), &secret).unwrap();
        },
    ];
    for (round, spoil) in spoil.iter().enumerate() {
        open(temp.path()).store(&key(1), b"one").unwrap();
        let before = fs::read(&secret).unwrap();
        spoil();
        let cache = open(temp.path());
        let after = fs::read(&secret).unwrap();
        assert!(fs::symlink_metadata(&secret).unwrap().is_file() && mode(&secret) == 0o600, "{round}");
        assert!(after.len() == 32 && after != before && after != [0; 32], "{round}");
        assert_eq!(fault(&cache, 1), EntryFault::Forged, "{round}");
    }
    assert_eq!(fs::read(&known).unwrap(), [0; 32]);
    // A secret that cannot be replaced is an error, since the cache never works without a secret.
    fs::remove_file(&secret).unwrap();
    fs::create_dir(&secret).unwrap();
    assert!(matches!(CompileCache::open(temp.path(), DEFAULT_LIMIT).unwrap_err(), CacheError::Io { .. }));
}

#[test]
fn many_who_begin_at_once_share_one_secret() {
    for _ in 0..20 {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("cache");
        let begin = std::sync::Barrier::new(8);
        let caches: Vec<_> = std::thread::scope(|scope| {
            let opened: Vec<_> = (0..8u8)
                .map(|module| {
                    let (dir, begin) = (&dir, &begin);
                    scope.spawn(move || {
                        begin.wait();
                        let cache = open(dir);
                        cache.store(&key(module), &[module; 100]).unwrap();
                        cache.store(&key(100), &[module; 100]).unwrap();
                        cache
                    })
                })
                .collect();
            opened.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for cache in &caches {
            for module in 0..8 {
                assert_eq!(cache.load(&key(module)).unwrap().unwrap().code(), [module; 100]);
            }
            let shared = cache.load(&key(100)).unwrap().unwrap();
            assert!(shared.code().len() == 100 && shared.code().iter().all(|byte| *byte == shared.code()[0]));
        }
        assert_eq!(names(&dir).len(), 10);
    }
}

#[test]
fn room_is_made_by_removing_what_was_not_used_for_longest() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let size = entry::seal(&[0; 1000], &key(0), &Secret::new([0; 32])).len() as u64;
    let cache = CompileCache::open(dir, 3 * size).unwrap();
    let age = |path: &Path, seconds| {
        let time = SystemTime::now() - Duration::from_secs(seconds);
        fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    };
    fs::write(dir.join("notes.txt"), [0; 5000]).unwrap();
    for (module, seconds) in [(1, 50), (2, 400), (3, 300)] {
        cache.store(&key(module), &[module; 1000]).unwrap();
        age(&entry(dir, module), seconds);
    }
    // Reading an entry makes it the most recently used.
    assert!(cache.load(&key(2)).unwrap().is_some());
    fs::write(dir.join(".new-old"), "").unwrap();
    age(&dir.join(".new-old"), 4000);
    fs::write(dir.join(".new-young"), "").unwrap();
    age(&dir.join(".new-young"), 40);

    cache.store(&key(4), &[4; 1000]).unwrap();
    let there = |module| cache.load(&key(module)).unwrap().is_some();
    assert_eq!([1, 2, 3, 4].map(there), [true, true, false, true]);
    assert!(!dir.join(".new-old").exists() && dir.join(".new-young").exists());
    assert!(dir.join("notes.txt").exists() && dir.join("secret").exists());
}

#[test]
fn a_folder_that_takes_nothing_still_gives() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("cache");
    let cache = open(&dir);
    cache.store(&key(1), b"one").unwrap();
    // Root can write anywhere, so a removed folder takes the place of a read-only one.
    fs::remove_dir_all(&dir).unwrap();
    assert!(cache.load(&key(1)).unwrap().is_none());
    cache.store(&key(1), b"one").unwrap_err();

    let cache = open(&dir);
    cache.store(&key(1), b"one").unwrap();
    set_mode(&dir, 0o500);
    let read_only = open(&dir);
    assert_eq!(read_only.load(&key(1)).unwrap().unwrap().code(), b"one");
    let stored = read_only.store(&key(2), b"two").is_ok();
    assert_eq!(read_only.load(&key(2)).unwrap().is_some(), stored);
    set_mode(&dir, 0o700);
}
