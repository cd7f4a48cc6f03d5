//! Bounded reading of single files.

use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, Read as _},
    path::Path,
};

use kernelpack_manifest::{FileBytes, Rejected};
use zeroize::Zeroizing;

/// Whether [`open`] follows a link in place of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// Follows links: for files that the user names.
    Follow,
    /// Refuses links: for files in a folder that others may write to.
    Refuse,
}

/// The reason why a file was not read.
#[derive(Debug)]
pub enum ReadError {
    /// The path names a link, a folder, a pipe, a socket or a device.
    NotAFile,
    /// The file has more bytes than the limit.
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The system's error.
    Io(io::Error),
}

impl ReadError {
    /// Converts the error to the reason why a pack with such a file under this name is rejected.
    ///
    /// # Errors
    /// The system's error, if the machine rather than the pack is at fault.
    pub fn into_rejected(self, name: &str) -> Result<Rejected, io::Error> {
        let path = name.to_owned();
        match self {
            Self::NotAFile => Ok(Rejected::NotAFile { path }),
            Self::TooLarge { limit } => Ok(Rejected::FileTooLarge { path, limit }),
            Self::Io(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Ok(Rejected::MissingFile { path })
            }
            Self::Io(error) => Err(error),
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAFile => f.write_str("it is not a regular file"),
            Self::TooLarge { limit } => write!(f, "it has more than {limit} bytes"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReadError {}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<ReadError> for io::Error {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io(error) => error,
            ReadError::NotAFile => Self::new(io::ErrorKind::InvalidInput, error.to_string()),
            ReadError::TooLarge { .. } => Self::new(io::ErrorKind::FileTooLarge, error.to_string()),
        }
    }
}

/// Reads a regular file of at most `limit` bytes.
///
/// # Errors
/// See [`ReadError`].
pub fn read(path: &Path, limit: u64, links: Links) -> Result<Vec<u8>, ReadError> {
    read_open(&open(path, links)?, limit)
}

/// Like [`read`], but wipes the content when it is dropped.
///
/// # Errors
/// See [`ReadError`].
pub fn read_secret(path: &Path, limit: u64, links: Links) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    let mut bytes = Zeroizing::default();
    read_to(&open(path, links)?, limit, &mut bytes)?;
    Ok(bytes)
}

/// Reads an open file of at most `limit` bytes.
///
/// # Errors
/// See [`ReadError`].
pub fn read_open(file: &File, limit: u64) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    read_to(file, limit, &mut bytes)?;
    Ok(bytes)
}

fn read_to(file: &File, limit: u64, bytes: &mut Vec<u8>) -> Result<(), ReadError> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(ReadError::NotAFile);
    }
    if metadata.len() > limit {
        return Err(ReadError::TooLarge { limit });
    }
    // Reserves room for the whole file, since a buffer that grows would leave copies of a secret in memory. The byte
    // above the limit detects a file that grows while it is read.
    bytes.reserve_exact(metadata.len() as usize + 1);
    file.take(limit + 1).read_to_end(bytes)?;
    if bytes.len() as u64 > limit { Err(ReadError::TooLarge { limit }) } else { Ok(()) }
}

/// Reads a regular file of at most `limit` bytes into the memory that `memory` provides for its size, or into a `Vec`
/// if `memory` provides none. Links are refused.
///
/// # Errors
/// See [`ReadError`].
pub fn read_into(
    path: &Path,
    limit: u64,
    memory: impl FnOnce(usize) -> Option<FileBytes>,
) -> Result<FileBytes, ReadError> {
    let mut file = open(path, Links::Refuse)?;
    let metadata = file.metadata()?;
    let len = usize::try_from(metadata.len()).ok().filter(|_| metadata.is_file() && metadata.len() <= limit);
    let Some(mut memory) = len.and_then(memory) else { return read_open(&file, limit).map(FileBytes::from) };
    // If the file has shrunk, this fails; if it has changed otherwise, its signed digest does not match.
    file.read_exact(&mut memory)?;
    Ok(memory)
}

/// Opens a file for reading without waiting: opening a pipe would otherwise wait for a writer.
///
/// # Errors
/// See [`ReadError`].
#[cfg(unix)]
pub fn open(path: &Path, links: Links) -> Result<File, ReadError> {
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::{fs::OFlags, io::Errno};

    let mut flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    if links == Links::Refuse {
        flags |= OFlags::NOFOLLOW;
    }
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path).map_err(|error| {
        match Errno::from_io_error(&error) {
            // The system's errors for a link that must not be followed, and for a socket.
            Some(Errno::LOOP | Errno::MLINK) if links == Links::Refuse => ReadError::NotAFile,
            Some(Errno::NXIO | Errno::OPNOTSUPP) => ReadError::NotAFile,
            _ => ReadError::Io(error),
        }
    })
}

/// Opens a file of an open folder for reading. Links are refused.
///
/// # Errors
/// See [`ReadError`].
#[cfg(unix)]
pub fn open_in(folder: impl std::os::fd::AsFd, name: &Path) -> Result<File, ReadError> {
    use rustix::{
        fs::{Mode, OFlags, openat},
        io::Errno,
    };

    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    match openat(folder, name, flags, Mode::empty()) {
        Ok(file) => Ok(file.into()),
        Err(Errno::LOOP | Errno::MLINK | Errno::NXIO | Errno::OPNOTSUPP) => Err(ReadError::NotAFile),
        Err(error) => Err(ReadError::Io(error.into())),
    }
}

/// Opens a file for reading.
///
/// # Errors
/// See [`ReadError`].
#[cfg(not(unix))]
pub fn open(path: &Path, links: Links) -> Result<File, ReadError> {
    let metadata = match links {
        Links::Follow => std::fs::metadata(path),
        Links::Refuse => std::fs::symlink_metadata(path),
    };
    if !metadata?.is_file() {
        return Err(ReadError::NotAFile);
    }
    Ok(OpenOptions::new().read(true).open(path)?)
}

#[cfg(test)]
mod tests;
