//! What a store can fail with.

use std::{
    io,
    path::{Path, PathBuf},
};

/// What a [`PackStore`](crate::PackStore) can fail with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The system refused something.
    #[error("cannot {action} {path:?}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// Somebody else is changing the store.
    #[error("the store {path:?} is being changed by somebody else; try again when they are done")]
    Busy {
        /// The store.
        path: PathBuf,
    },
    /// What should be a folder of the store is something else; links are not followed.
    #[error("{path:?} in the store is not a folder; remove it and install the pack again")]
    NotAFolder {
        /// The path.
        path: PathBuf,
    },
    /// What should be a file of the store is something else; links are not followed.
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
        /// What is wrong with it.
        message: String,
    },
}

impl StoreError {
    /// Names what was tried, for `map_err`.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}
