//! Reads single tensors of safetensors files.
//!
//! Only the header and the requested tensors are read, since weights are often in files much larger than a kernel's
//! inputs. Anything without random access, such as a pipe, is read whole.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use kernelpack_manifest::check_distinct_keys;
use safetensors::{
    SafeTensorError,
    tensor::{Metadata, TensorInfo},
};

/// The most bytes of a header; the format's own limit.
const MAX_HEADER_BYTES: u64 = 100_000_000;

/// The limit of bytes read from a pipe: the largest memory that a kernel can have.
const MAX_PIPED_BYTES: u64 = 4 << 30;

/// The content of a file, with random access.
#[derive(Debug)]
enum Content {
    File(File),
    Read(Vec<u8>),
}

impl Content {
    /// Uses a regular file as it is, and reads anything else to its end; also returns the number of bytes.
    fn of(mut file: File) -> io::Result<(Self, u64)> {
        let metadata = file.metadata()?;
        if metadata.is_file() {
            return Ok((Self::File(file), metadata.len()));
        }
        let mut bytes = Vec::new();
        (&mut file).take(MAX_PIPED_BYTES + 1).read_to_end(&mut bytes)?;
        let size = bytes.len() as u64;
        if size > MAX_PIPED_BYTES {
            let said = format!("it is a pipe with more than {MAX_PIPED_BYTES} bytes; write them to a file first");
            return Err(io::Error::other(said));
        }
        Ok((Self::Read(bytes), size))
    }

    fn read_at(&self, at: u64, to: &mut [u8]) -> io::Result<()> {
        match self {
            Self::File(file) => {
                let mut file = file;
                file.seek(SeekFrom::Start(at))?;
                file.read_exact(to)
            }
            Self::Read(bytes) => {
                let from = usize::try_from(at).ok().and_then(|at| bytes.get(at..)?.get(..to.len()));
                to.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
                Ok(())
            }
        }
    }
}

/// A safetensors file whose header was read and is valid.
#[derive(Debug)]
pub(crate) struct TensorFile {
    path: PathBuf,
    content: Content,
    metadata: Metadata,
    /// The position where the tensors' bytes begin.
    data: u64,
}

impl TensorFile {
    /// Reads the header of a file.
    ///
    /// # Errors
    /// The file cannot be read or is not a safetensors file.
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        let unreadable = |error: io::Error| format!("cannot read {}: {error}", path.display());
        let malformed = |reason: &str| format!("{} is not a safetensors file: {reason}", path.display());
        let (content, size) = File::open(path).and_then(Content::of).map_err(unreadable)?;
        let mut length = [0; 8];
        content.read_at(0, &mut length).map_err(|error| match (&content, error.kind()) {
            (Content::Read(bytes), io::ErrorKind::UnexpectedEof) if bytes.is_empty() => {
                malformed("it is empty; a pipe can be read only once")
            }
            (_, io::ErrorKind::UnexpectedEof) => malformed("it is shorter than any header"),
            _ => unreadable(error),
        })?;
        let length = u64::from_le_bytes(length);
        if length > MAX_HEADER_BYTES.min(size.saturating_sub(8)) {
            return Err(malformed("its header would be longer than the file or the format allows"));
        }
        let mut header = vec![0; length as usize];
        content.read_at(8, &mut header).map_err(unreadable)?;
        // The parser below would silently use the last of equal keys.
        check_distinct_keys(&header).map_err(|fault| malformed(&fault.to_string()))?;
        let metadata: Metadata = serde_json::from_slice(&header).map_err(|error| malformed(&error.to_string()))?;
        let data = 8 + length;
        if size - data != metadata.data_len() as u64 {
            return Err(malformed(&SafeTensorError::MetadataIncompleteBuffer.to_string()));
        }
        Ok(Self { path: path.to_owned(), content, metadata, data })
    }

    /// Returns the path of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the header's entry for a tensor.
    pub(crate) fn info(&self, tensor: &str) -> Option<&TensorInfo> {
        self.metadata.info(tensor)
    }

    /// Returns the names of the tensors, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names = self.metadata.offset_keys();
        names.sort();
        names
    }

    /// Reads the bytes of a tensor.
    ///
    /// # Errors
    /// The file can no longer be read.
    pub(crate) fn read(&self, info: &TensorInfo) -> Result<Vec<u8>, String> {
        let (start, end) = info.data_offsets;
        let mut bytes = vec![0; end - start];
        self.content
            .read_at(self.data + start as u64, &mut bytes)
            .map_err(|error| format!("cannot read {}: {error}", self.path.display()))?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests;
