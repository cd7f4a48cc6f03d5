//! The bytes of a file, owned by a `Vec` or by another owner that lends its memory.

use std::{
    fmt,
    ops::{Deref, DerefMut},
};

/// The bytes of a file, in a `Vec` or in memory that another owner lends, such as an engine.
pub struct FileBytes(Place);

enum Place {
    Own(Vec<u8>),
    Lent(Box<dyn Memory>),
}

/// Memory that is lent. Dropping it returns it to its owner.
pub trait Memory: AsRef<[u8]> + AsMut<[u8]> + Send + Sync {
    /// Keeps only the first `len` bytes and returns the rest; does nothing if there are no more than that.
    fn truncate(&mut self, len: usize);
}

impl FileBytes {
    /// Wraps memory that is lent.
    pub fn lent(memory: Box<dyn Memory>) -> Self {
        Self(Place::Lent(memory))
    }

    /// Keeps only the first `len` bytes and frees the memory of the rest; does nothing if there are no more than that.
    pub fn truncate(&mut self, len: usize) {
        match &mut self.0 {
            Place::Own(bytes) => {
                bytes.truncate(len);
                bytes.shrink_to_fit();
            }
            Place::Lent(memory) => memory.truncate(len),
        }
    }
}

impl From<Vec<u8>> for FileBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Place::Own(bytes))
    }
}

impl Default for FileBytes {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl Deref for FileBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Place::Own(bytes) => bytes,
            Place::Lent(memory) => (**memory).as_ref(),
        }
    }
}

impl DerefMut for FileBytes {
    fn deref_mut(&mut self) -> &mut [u8] {
        match &mut self.0 {
            Place::Own(bytes) => bytes,
            Place::Lent(memory) => (**memory).as_mut(),
        }
    }
}

impl Clone for FileBytes {
    fn clone(&self) -> Self {
        self.to_vec().into()
    }
}

impl PartialEq for FileBytes {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl fmt::Debug for FileBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FileBytes").field(&self.len()).finish()
    }
}

#[cfg(test)]
mod tests;
