//! The reasons why a pack is not signed.

use std::{
    io,
    path::{Path, PathBuf},
};

use kernelpack_manifest::{Digest, Rejected};

/// The reason why a pack was not signed. The pack is unchanged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The pack or its manifest is not one that a host would accept.
    #[error("{} cannot be signed: {fault}", path.display())]
    Refused {
        /// The pack's folder, or the manifest's file.
        path: PathBuf,
        /// The reason.
        fault: Box<Rejected>,
    },
    /// A file is not the one that the manifest was made for.
    #[error(
        "{} has the digest {actual}, but the manifest says {expected}: the file has changed since, so build the pack again",
        path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// The digest in the manifest.
        expected: Digest,
        /// The file's digest.
        actual: Digest,
    },
    /// A file cannot be used.
    #[error("cannot {action} {}: {error}", path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// The path of the file.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
}

impl SignError {
    pub(crate) fn refused(path: &Path, fault: Rejected) -> Self {
        Self::Refused { path: path.into(), fault: Box::new(fault) }
    }
}
