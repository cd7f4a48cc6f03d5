//! The folder of a cache: this user's own, with nobody else able to write to it.
//!
//! It is opened once and checked once; everything then happens in the folder that was checked, whatever stands under
//! its path by now. Files appear in it whole: they are written under another name and renamed. Nothing is forced onto
//! the disk, since an entry that a power failure cut short is noticed like any other that was tampered with.

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

/// Begins the names of files that are being written.
const TEMPORARY: &str = ".new-";

/// A file that is being written for so long was left behind by a process that was killed.
const ABANDONED: Duration = Duration::from_secs(3600);

/// A folder that only this user can write to.
#[derive(Debug)]
pub(super) struct Folder {
    fd: OwnedFd,
}

impl Folder {
    /// Opens the folder, and makes it first if there is none.
    pub(super) fn open(path: &Path) -> Result<Self, CacheError> {
        // Without a slash at the end, which would have a link followed.
        let path: PathBuf = path.components().collect();
        let failed = |source| CacheError::Io { path: path.clone(), source };
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
        // Access control lists show up in the group's bits.
        let mode = metadata.mode() & 0o7777;
        if mode & 0o022 != 0 {
            return Err(CacheError::WritableByOthers { path, mode });
        }
        Ok(Self { fd: folder.into() })
    }

    /// Reads a regular file of at most `limit` bytes, and notes that it was used; `None` if there is none.
    pub(super) fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, EntryFault> {
        let Some(file) = self.open_file(name)? else { return Ok(None) };
        let bytes = read_open(&file, limit)?;
        // For those that make room; where it cannot be noted, they err.
        let _ = file.set_modified(SystemTime::now());
        Ok(Some(bytes))
    }

    /// The same for a file that must be of no concern to others: they can neither read nor write it.
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

    /// Puts a file in its place, whatever stands there.
    pub(super) fn replace(&self, name: &str, content: &[u8]) -> io::Result<()> {
        self.write(content, |temporary| renameat(&self.fd, temporary, &self.fd, name))
    }

    /// Puts a file in its place, where nothing may be: [`AlreadyExists`](io::ErrorKind::AlreadyExists).
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

    /// Removes files whose names end so, those first that were not used for longest, until at most `limit` bytes are
    /// left of them; and what killed processes left.
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
            // Another process may remove it meanwhile.
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
