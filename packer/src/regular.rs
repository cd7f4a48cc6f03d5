//! Reading files that somebody else may have put there: never more than a limit, and never waiting for a writer.

use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, Read as _},
    path::Path,
};

use zeroize::Zeroizing;

/// Whether a link in the place of the file is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Links {
    Follow,
    Refuse,
}

/// Why a file was not read.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// It is a link, a folder, a pipe or a device.
    NotAFile,
    /// It has more bytes than the limit.
    TooLarge,
    /// What the system says.
    Io(io::Error),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAFile => f.write_str("it is not a regular file"),
            Self::TooLarge => f.write_str("it is too large"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl From<ReadError> for io::Error {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io(error) => error,
            ReadError::NotAFile => Self::new(io::ErrorKind::InvalidInput, error.to_string()),
            ReadError::TooLarge => Self::new(io::ErrorKind::FileTooLarge, error.to_string()),
        }
    }
}

/// Reads a regular file of at most `limit` bytes. The content, which may be a secret, is wiped when dropped.
pub(crate) fn read(path: &Path, limit: usize, links: Links) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    let file = open(path, links)?;
    // Of the open file, and not of what has the name by now.
    let metadata = file.metadata().map_err(ReadError::Io)?;
    if !metadata.is_file() {
        return Err(ReadError::NotAFile);
    }
    if metadata.len() > limit as u64 {
        return Err(ReadError::TooLarge);
    }
    // Room for all of it at once, since a buffer that grows leaves its content behind; and a byte over the limit tells
    // of a file that grows meanwhile.
    let mut bytes = Zeroizing::new(Vec::with_capacity(metadata.len() as usize + 1));
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(ReadError::Io)?;
    if bytes.len() > limit { Err(ReadError::TooLarge) } else { Ok(bytes) }
}

#[cfg(unix)]
fn open(path: &Path, links: Links) -> Result<File, ReadError> {
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::{fs::OFlags, io::Errno};

    // Opening a pipe waits for somebody to write to it, unless told otherwise; files do not mind.
    let mut flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    if links == Links::Refuse {
        flags |= OFlags::NOFOLLOW;
    }
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path).map_err(|error| {
        match Errno::from_io_error(&error) {
            // What the systems say to a link that is not to be followed, and to a socket.
            Some(Errno::LOOP | Errno::MLINK) if links == Links::Refuse => ReadError::NotAFile,
            Some(Errno::NXIO | Errno::OPNOTSUPP) => ReadError::NotAFile,
            _ => ReadError::Io(error),
        }
    })
}

#[cfg(not(unix))]
fn open(path: &Path, links: Links) -> Result<File, ReadError> {
    let metadata = match links {
        Links::Follow => std::fs::metadata(path),
        Links::Refuse => std::fs::symlink_metadata(path),
    };
    if !metadata.map_err(ReadError::Io)?.is_file() {
        return Err(ReadError::NotAFile);
    }
    OpenOptions::new().read(true).open(path).map_err(ReadError::Io)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn no_more_than_the_limit_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        fs::write(&path, "12345").unwrap();
        for links in [Links::Follow, Links::Refuse] {
            assert_eq!(read(&path, 5, links).unwrap().as_slice(), b"12345");
            assert!(matches!(read(&path, 4, links), Err(ReadError::TooLarge)));
            assert!(matches!(read(folder.path(), 4, links), Err(ReadError::NotAFile)));
            let missing = read(&folder.path().join("no"), 4, links);
            assert!(matches!(missing, Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound));
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_neither_read_nor_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "12345").unwrap();
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        for links in [Links::Follow, Links::Refuse] {
            for path in [at("pipe"), at("socket"), "/dev/zero".into()] {
                assert!(matches!(read(&path, 5, links), Err(ReadError::NotAFile)), "{}", path.display());
            }
        }
        assert!(matches!(read(&at("link"), 5, Links::Refuse), Err(ReadError::NotAFile)));
        assert_eq!(read(&at("link"), 5, Links::Follow).unwrap().as_slice(), b"12345");
    }
}
