//! The folder that the compiler reads from and writes to, which only this user can enter.
//!
//! Code that is read from here runs outside of any sandbox, so others must not be able to replace it. If the system
//! reports who can write, that is checked for the open folder, and files are read through its file descriptor, so
//! replacing what is at its path has no effect.

use std::{
    fs::File,
    io::{self, Write as _},
    path::Path,
};

use kernelpack_files::read_open;
use tempfile::TempDir;

/// A folder that is removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Folder {
    dir: TempDir,
    #[cfg(unix)]
    fd: std::os::fd::OwnedFd,
}

impl Folder {
    /// Creates one among the temporary files.
    pub(crate) fn new() -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("kernelpack-aot-");
        #[cfg(unix)]
        {
            use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};
            builder.permissions(Permissions::from_mode(0o700));
        }
        let dir = builder.tempdir()?;
        Ok(Self {
            #[cfg(unix)]
            fd: unix::open_own(dir.path())?,
            dir,
        })
    }

    /// Returns the folder's path, for a process that starts in it.
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a new file.
    pub(crate) fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        self.create(name)?.write_all(content)
    }

    /// Reads a regular file of at most `limit` bytes; it does not follow links or wait for a writer.
    pub(crate) fn read(&self, name: &str, limit: usize) -> io::Result<Vec<u8>> {
        Ok(read_open(&self.open(name)?, limit as u64)?)
    }

    #[cfg(unix)]
    fn create(&self, name: &str) -> io::Result<File> {
        unix::create(&self.fd, name)
    }

    #[cfg(unix)]
    fn open(&self, name: &str) -> io::Result<File> {
        Ok(kernelpack_files::open_in(&self.fd, Path::new(name))?)
    }

    #[cfg(not(unix))]
    fn create(&self, name: &str) -> io::Result<File> {
        File::create_new(self.path().join(name))
    }

    #[cfg(not(unix))]
    fn open(&self, name: &str) -> io::Result<File> {
        Ok(kernelpack_files::open(&self.path().join(name), kernelpack_files::Links::Refuse)?)
    }
}

#[cfg(unix)]
mod unix {
    use std::{
        fs::File,
        io,
        os::{fd::OwnedFd, unix::fs::MetadataExt as _},
        path::Path,
    };

    use rustix::{
        fs::{CWD, Mode, OFlags, openat},
        process::geteuid,
    };

    /// Opens a folder that belongs to this user and is closed to others.
    pub(super) fn open_own(path: &Path) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = File::from(openat(CWD, path, flags, Mode::empty())?);
        let metadata = folder.metadata()?;
        if metadata.uid() != geteuid().as_raw() || metadata.mode() & 0o077 != 0 {
            let what = "somebody put another folder in the place of the compiler's; have temporary files where others \
                        cannot rename yours";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, what));
        }
        Ok(folder.into())
    }

    pub(super) fn create(folder: &OwnedFd, name: &str) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(openat(folder, name, flags, Mode::RUSR | Mode::WUSR)?.into())
    }
}

#[cfg(all(test, unix))]
mod tests;
