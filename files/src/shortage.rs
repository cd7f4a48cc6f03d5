//! Distinguishes errors that are the machine's fault from those that are the file's.

use std::io;

/// Returns whether the system lacks memory or file descriptors, so that the same file may be readable later.
pub fn is_shortage(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::OutOfMemory || lacks_descriptors(error)
}

#[cfg(unix)]
fn lacks_descriptors(error: &io::Error) -> bool {
    use rustix::io::Errno;

    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE))
}

#[cfg(windows)]
fn lacks_descriptors(error: &io::Error) -> bool {
    const ERROR_TOO_MANY_OPEN_FILES: i32 = 4;
    error.raw_os_error() == Some(ERROR_TOO_MANY_OPEN_FILES)
}

#[cfg(not(any(unix, windows)))]
fn lacks_descriptors(_: &io::Error) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests;
