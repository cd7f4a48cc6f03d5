//! The folder of a cache, which only this user can write to.
//!
//! The folder is opened and checked once; all later operations go through its file descriptor, so replacing what is at
//! its path has no effect. Files appear in it atomically: they are written under another name and renamed. Nothing is
//! synced to the disk, since an entry that a power failure cut short is detected like any other corrupted entry.

use std::{
    fs::{DirBuilder, File},
    io::{self, Write as _},
    os::{
        fd::OwnedFd,
        unix::fs::{DirBuilderExt as _, MetadataExt as _},
    },
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use kernelpack_files::{ReadError, open_in, read_open};
use rustix::{
    fs::{AtFlags, CWD, Dir, Mode, OFlags, linkat, openat, renameat, unlinkat},
    io::Errno,
    process::geteuid,
};

use super::{CacheError, EntryFault, key::hex};

/// The prefix of files that are being written.
const TEMPORARY: &str = ".new-";

/// The age at which a file that is being written counts as left behind by a killed process.
const ABANDONED: Duration = Duration::from_secs(3600);

/// A folder that only this user can write to.
#[derive(Debug)]
pub(super) struct Folder {
    fd: OwnedFd,
}

impl Folder {
    /// Opens the folder, and creates it if it does not exist.
    pub(super) fn open(path: &Path) -> Result<Self, CacheError> {
        // A slash at the end would make the system follow a link.
        let path: PathBuf = path.components().collect();
        let failed = |error| CacheError::Io { path: path.clone(), error };
        DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => CacheError::NotAFolder { path: path.clone() },
            _ => failed(error),
        })?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = openat(CWD, &path, flags, Mode::empty()).map_err(|error| match error {
            Errno::LOOP | Errno::MLINK | Errno::NOTDIR => CacheError::NotAFolder { path: path.clone() },
            error => failed(error.into()),
        })?;
        let folder = File::from(folder);
        let metadata = folder.metadata().map_err(failed)?;
        let (owner, user) = (metadata.uid(), geteuid().as_raw());
        if owner != user {
            return Err(CacheError::OfAnotherUser { path, owner, user });
        }
        // With an access control list, the group's bits are the mask of all that the list grants.
        let mode = metadata.mode() & 0o7777;
        if mode & 0o022 != 0 {
            return Err(CacheError::WritableByOthers { path, mode });
        }
        Ok(Self { fd: folder.into() })
    }

    /// Reads a regular file of at most `limit` bytes, and marks it as used; `None` if it does not exist.
    pub(super) fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, EntryFault> {
        let Some(file) = self.open_file(name)? else { return Ok(None) };
        let bytes = read_open(&file, limit)?;
        // Eviction orders entries by this time; a failure only makes the order less accurate.
        let _ = file.set_modified(SystemTime::now());
        Ok(Some(bytes))
    }

    /// Like [`read`](Self::read), for a file that others must not be able to read or write.
    pub(super) fn read_private(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, EntryFault> {
        let Some(file) = self.open_file(name)? else { return Ok(None) };
        let metadata = file.metadata().map_err(ReadError::Io)?;
        if metadata.uid() != geteuid().as_raw() || metadata.mode() & 0o077 != 0 {
            return Err(EntryFault::Forged);
        }
        Ok(Some(read_open(&file, limit)?))
    }

    fn open_file(&self, name: &str) -> Result<Option<File>, EntryFault> {
        match open_in(&self.fd, Path::new(name)) {
            Ok(file) => Ok(Some(file)),
            Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes a file, replacing anything of that name.
    pub(super) fn replace(&self, name: &str, content: &[u8]) -> io::Result<()> {
        self.write(content, |temporary| renameat(&self.fd, temporary, &self.fd, name))
    }

    /// Writes a file that must not exist yet; else the error is [`AlreadyExists`](io::ErrorKind::AlreadyExists).
    pub(super) fn create(&self, name: &str, content: &[u8]) -> io::Result<()> {
        self.write(content, |temporary| {
            linkat(&self.fd, temporary, &self.fd, name, AtFlags::empty())?;
            unlinkat(&self.fd, temporary, AtFlags::empty())
        })
    }

    fn write(&self, content: &[u8], place: impl FnOnce(&str) -> rustix::io::Result<()>) -> io::Result<()> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let temporary = format!("{TEMPORARY}{}", hex(&random));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(openat(&self.fd, &temporary, flags, Mode::RUSR | Mode::WUSR)?);
        let written = file.write_all(content).and_then(|()| Ok(place(&temporary)?));
        if written.is_err() {
            let _ = unlinkat(&self.fd, &temporary, AtFlags::empty());
        }
        written
    }

    /// Removes files with this suffix, the least recently used first, until at most `limit` bytes of them are left, and
    /// files that killed processes left behind.
    pub(super) fn trim(&self, suffix: &str, limit: u64) -> io::Result<()> {
        let mut found = Vec::new();
        let mut total = 0;
        for entry in Dir::read_from(&self.fd)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            let (is_entry, is_temporary) = (name.ends_with(suffix), name.starts_with(TEMPORARY));
            if !is_entry && !is_temporary {
                continue;
            }
            // Another process may have removed it.
            let Ok(file) = open_in(&self.fd, Path::new(name)) else { continue };
            let Ok(metadata) = file.metadata() else { continue };
            let Ok(modified) = metadata.modified() else { continue };
            if is_temporary {
                if modified.elapsed().is_ok_and(|age| age > ABANDONED) {
                    let _ = unlinkat(&self.fd, name, AtFlags::empty());
                }
            } else if metadata.is_file() {
                total += metadata.len();
                found.push((modified, metadata.len(), name.to_owned()));
            }
        }
        found.sort();
        for (_, size, name) in found {
            if total <= limit {
                break;
            }
            match unlinkat(&self.fd, name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => total -= size,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

impl From<ReadError> for EntryFault {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::NotAFile => Self::NotAFile,
            ReadError::TooLarge { .. } => Self::TooLarge,
            ReadError::Io(error) => Self::Unreadable(error.kind()),
        }
    }
}
