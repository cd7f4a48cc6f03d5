//! Inputs of a call: `NAME=FILE[:TENSOR]`, and the tensor that it names.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

use kernelpack_host::abi::{DType, Shape};
use kernelpack_manifest::stored;

use crate::tensor_file::TensorFile;

/// An input argument: its name, and the source of its tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InputArg {
    /// The kernel's input.
    pub(crate) name: String,
    /// `FILE` or `FILE:TENSOR`, depending on which files exist.
    source: String,
}

impl FromStr for InputArg {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text.split_once('=') {
            Some((name, source)) if !name.is_empty() && !source.is_empty() => {
                Ok(Self { name: name.to_owned(), source: source.to_owned() })
            }
            _ => Err("write NAME=FILE.safetensors or NAME=FILE.safetensors:TENSOR"),
        }
    }
}

/// A tensor as a kernel takes it.
#[derive(Debug)]
pub(crate) struct Input {
    /// The type of the tensor's elements.
    pub(crate) dtype: DType,
    /// The tensor's extents; for block types they count blocks.
    pub(crate) shape: Shape,
    /// The tensor's elements.
    pub(crate) bytes: Vec<u8>,
}

impl InputArg {
    /// Reads the tensor, which must have this type.
    ///
    /// # Errors
    /// The file cannot be read or has no such tensor, or the tensor has another type or does not consist of whole
    /// blocks.
    pub(crate) fn read(&self, dtype: DType) -> Result<Input, String> {
        let (path, tensor) = split(&self.source, |path| path.metadata().is_ok_and(|found| !found.is_dir()));
        let file = TensorFile::open(&path)?;
        let tensor = self.choose(&file, tensor)?;
        let Some(info) = file.info(&tensor) else {
            return Err(format!("{} has no tensor {tensor:?}; it has {}", path.display(), list(&file)));
        };
        let place = || format!("input {:?} (tensor {tensor:?} of {})", self.name, path.display());
        let stored_as = stored::stored(dtype);
        if info.dtype != stored_as {
            let blocks = if dtype.values() > 1 { format!(", stored as {stored_as:?}") } else { String::new() };
            return Err(format!("{} needs {dtype}{blocks}, but holds {:?}", place(), info.dtype));
        }
        let shape = stored::kernel_shape(dtype, &info.shape).map_err(|fault| format!("{}: {fault}", place()))?;
        Ok(Input { dtype, shape, bytes: file.read(info)? })
    }

    /// Chooses the tensor to use: the named one, else the one with the input's name, else the only one.
    fn choose(&self, file: &TensorFile, named: Option<&str>) -> Result<String, String> {
        if let Some(tensor) = named {
            return Ok(tensor.to_owned());
        }
        if file.info(&self.name).is_some() {
            return Ok(self.name.clone());
        }
        match <[String; 1]>::try_from(file.names()) {
            Ok([only]) => Ok(only),
            Err(_) => {
                let (name, path) = (&self.name, file.path().display());
                Err(format!("{path} has no tensor {name:?}; it has {}: write {name}={path}:TENSOR", list(file)))
            }
        }
    }
}

fn list(file: &TensorFile) -> String {
    let names = file.names();
    if names.is_empty() { "none".to_owned() } else { format!("{names:?}").replace(['[', ']'], "") }
}

/// Splits `FILE[:TENSOR]` at a colon after the name of an existing file, or else at the last colon, since paths and
/// tensor names may have colons, too.
fn split(source: &str, is_file: impl Fn(&Path) -> bool) -> (PathBuf, Option<&str>) {
    if is_file(source.as_ref()) {
        return (source.into(), None);
    }
    let splits = || source.rmatch_indices(':').map(|(at, _)| (&source[..at], &source[at + 1..]));
    let named = || splits().filter(|(path, tensor)| !path.is_empty() && !tensor.is_empty());
    match named().find(|(path, _)| is_file(path.as_ref())).or_else(|| named().next()) {
        Some((path, tensor)) => (path.into(), Some(tensor)),
        None => (source.into(), None),
    }
}

#[cfg(test)]
mod tests;
