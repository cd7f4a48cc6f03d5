//! Reading files that somebody else may have put there: regular ones only, never more than a limit, and never waiting
//! for a writer. What is judged is the file that was opened, not what has its name by now.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use kernelpack_manifest::FileBytes;

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

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads a regular file of at most `limit` bytes.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, ReadError> {
    read_open(&open(path)?, limit)
}

/// The same of a file that is open.
pub(crate) fn read_open(file: &File, limit: u64) -> Result<Vec<u8>, ReadError> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(ReadError::NotAFile);
    }
    if metadata.len() > limit {
        return Err(ReadError::TooLarge);
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize + 1);
    // One byte over the limit tells of a file that grows meanwhile.
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(ReadError::TooLarge) } else { Ok(bytes) }
}

/// Reads a regular file of at most `limit` bytes into memory that is asked for, or into a `Vec` where there is none.
pub(crate) fn read_into(
    path: &Path,
    limit: u64,
    memory: impl FnOnce(usize) -> Option<FileBytes>,
) -> Result<FileBytes, ReadError> {
    let mut file = open(path)?;
    let metadata = file.metadata()?;
    let len = usize::try_from(metadata.len()).ok().filter(|_| metadata.is_file() && metadata.len() <= limit);
    let Some(mut memory) = len.and_then(memory) else { return read_open(&file, limit).map(FileBytes::from) };
    // What has another size by now fails here, or nobody has signed what was read.
    file.read_exact(&mut memory)?;
    Ok(memory)
}

#[cfg(unix)]
fn open(path: &Path) -> Result<File, ReadError> {
    open_at(rustix::fs::CWD, path)
}

/// Opens a file in a folder to be read, without following a link in its place.
#[cfg(unix)]
pub(crate) fn open_at(folder: impl std::os::fd::AsFd, path: &Path) -> Result<File, ReadError> {
    use rustix::{
        fs::{Mode, OFlags, openat},
        io::Errno,
    };

    // Opening a pipe waits for somebody to write to it, unless told otherwise; files do not mind.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    match openat(folder, path, flags, Mode::empty()) {
        Ok(file) => Ok(file.into()),
        // What the systems say to a link that is not to be followed, and to a socket.
        Err(Errno::LOOP | Errno::MLINK | Errno::NXIO | Errno::OPNOTSUPP) => Err(ReadError::NotAFile),
        Err(error) => Err(ReadError::Io(error.into())),
    }
}

#[cfg(not(unix))]
fn open(path: &Path) -> Result<File, ReadError> {
    if !std::fs::symlink_metadata(path)?.is_file() {
        return Err(ReadError::NotAFile);
    }
    Ok(File::open(path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_goes_where_there_is_memory_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, b"content").unwrap();
        for lend in [|len| Some(vec![0xFF; len].into()), |_| None] {
            assert_eq!(*read_into(&path, 7, lend).unwrap(), *b"content");
        }
        // Memory is asked for only if the file may be read.
        let never = |_| -> Option<FileBytes> { panic!("nothing is to be read") };
        assert!(matches!(read_into(&path, 6, never), Err(ReadError::TooLarge)));
        assert!(matches!(read_into(folder.path(), 6, never), Err(ReadError::NotAFile | ReadError::Io(_))));
        // A file that is shorter than it was.
        let long = |len| Some(vec![0; len + 1].into());
        assert!(matches!(read_into(&path, 7, long), Err(ReadError::Io(_))));
    }
}
