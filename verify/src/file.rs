//! The files of a pack.

use crate::{Digest, Refused};

/// A file of the pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File<'m> {
    /// The file's path, relative to the pack.
    pub path: &'m str,
    /// The digest of the file's bytes.
    pub hash: Digest,
}

impl File<'_> {
    pub(crate) fn check(&self, bytes: &[u8]) -> Result<Digest, Refused> {
        let (expected, actual) = (self.hash, Digest::of(bytes));
        if actual == expected { Ok(actual) } else { Err(Refused::HashMismatch { expected, actual }) }
    }
}
