//! Errors of opening the folder of a cache.

use std::{io, path::PathBuf};

/// The reason why a folder cannot be a compile cache. The code in it is run outside of any sandbox, so nobody else may
/// write there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// The path leads to a link, or to something other than a folder.
    #[error("the compile cache {path:?} is a link or no folder; name a folder of yours, or one that is to be made")]
    NotAFolder {
        /// The path.
        path: PathBuf,
    },
    /// The folder belongs to another user.
    #[error("the compile cache {path:?} belongs to user {owner}, this is user {user}; name a folder of yours")]
    OfAnotherUser {
        /// The path.
        path: PathBuf,
        /// The id of the folder's owner.
        owner: u32,
        /// The id of the user that this process runs as.
        user: u32,
    },
    /// Other users can write to the folder.
    #[error("others can write to the compile cache {path:?} (mode {mode:04o}); chmod go-w it, after emptying it")]
    WritableByOthers {
        /// The path.
        path: PathBuf,
        /// The folder's permissions.
        mode: u32,
    },
    /// The folder cannot be created or opened, or its secret cannot be read or written.
    #[error("cannot use the compile cache {path:?}: {error}")]
    Io {
        /// The path.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// This system has no supported way to check who can write to a folder.
    #[error("compile caches are for Unix systems only; build this runtime without one")]
    Unsupported,
}
