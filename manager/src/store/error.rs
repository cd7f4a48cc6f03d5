//! The errors of a store.

use std::{
    io,
    path::{Path, PathBuf},
};

/// An error of a [`PackStore`](crate::PackStore).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A system call failed.
    #[error("cannot {action} {path:?}: {error}")]
    Io {
        /// The attempted action.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// Another process or manager is changing the store.
    #[error("the store {path:?} is being changed by somebody else; try again when they are done")]
    Busy {
        /// The store.
        path: PathBuf,
    },
    /// A folder of the store is something else; links are not followed.
    #[error("{path:?} in the store is not a folder; remove it and install the pack again")]
    NotAFolder {
        /// The path.
        path: PathBuf,
    },
    /// A file of the store is something else; links are not followed.
    #[error("{path:?} in the store is not a regular file; remove it")]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The state was not written by a store.
    #[error("the store's state {path:?} cannot be used: {message}; put a good copy there, or remove it to start anew")]
    BadState {
        /// The file.
        path: PathBuf,
        /// The fault in it.
        message: String,
    },
}

impl StoreError {
    /// Adds the attempted action to an error, for `map_err`.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Io { action, path: path.to_owned(), error }
    }
}
