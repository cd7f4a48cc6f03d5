//! Files that cannot be read.

use std::{io, path::PathBuf};

/// The reason why a file or folder cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// A pack's path does not lead to a folder.
    #[error("{path:?} is not a folder; name the folder of a pack")]
    NotAFolder {
        /// The path.
        path: PathBuf,
    },
    /// A file or folder could not be read.
    #[error("cannot read {path:?}: {error}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
}
