//! Writes the results of a call to a safetensors file, completely or not at all.

use std::path::Path;

use kernelpack_host::tensor::DynTensor;
use kernelpack_manifest::stored;
use safetensors::tensor::TensorView;

use crate::replace_file::replace_file;

/// Writes tensors to a file under their names. An existing file is replaced atomically; after a failure it is
/// unchanged.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write(path: &Path, tensors: &[DynTensor]) -> Result<(), String> {
    let views = tensors.iter().map(|tensor| {
        let shape = stored::stored_shape(tensor.dtype, tensor.shape);
        Ok((&tensor.name, TensorView::new(stored::stored(tensor.dtype), shape, &tensor.bytes)?))
    });
    let views = views.collect::<Result<Vec<_>, safetensors::SafeTensorError>>();
    let bytes = views.and_then(|views| safetensors::serialize(views, None)).map_err(|error| error.to_string());
    bytes
        .and_then(|bytes| replace_file(path, &bytes).map_err(|error| error.to_string()))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}

#[cfg(test)]
mod tests;
