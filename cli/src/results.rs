//! Writing the results of a call to a safetensors file, whole or not at all.

use std::path::Path;

use kernelpack_host::DynTensor;
use kernelpack_manifest::stored;
use safetensors::tensor::TensorView;

use crate::replace_file::replace_file;

/// Writes tensors to a file under their names. Another file there is replaced in one step; after a failure it is as it
/// was.
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
mod tests {
    use std::fs;

    use kernelpack_host::abi::{DType, Shape};
    use safetensors::{Dtype, SafeTensors};

    use super::*;

    fn tensor(name: &str, dtype: DType, dims: &[usize], bytes: &[u8]) -> DynTensor {
        DynTensor { name: name.into(), dtype, shape: Shape::new(dims).unwrap(), bytes: bytes.into() }
    }

    #[test]
    fn tensors_read_back_and_nothing_else_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.safetensors");
        fs::write(&path, "old").unwrap();
        write(&path, &[tensor("y", DType::F16, &[1, 2], &[1, 2, 3, 4]), tensor("q", DType::Q4_0, &[2], &[7; 36])])
            .unwrap();
        let bytes = fs::read(&path).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let (y, q) = (file.tensor("y").unwrap(), file.tensor("q").unwrap());
        assert_eq!((y.dtype(), y.shape(), y.data()), (Dtype::F16, &[1, 2][..], &[1, 2, 3, 4][..]));
        assert_eq!((q.dtype(), q.shape(), q.data()), (Dtype::U8, &[36][..], &[7; 36][..]));
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
    }

    #[test]
    fn places_that_cannot_be_written_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let said = |path: &Path| write(path, &[tensor("y", DType::U8, &[1], &[0])]).unwrap_err();
        assert!(said(dir.path()).starts_with(&format!("cannot write {}: ", dir.path().display())));
        let missing = dir.path().join("no/out");
        assert!(said(&missing).starts_with(&format!("cannot write {}: ", missing.display())));
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);
    }
}
