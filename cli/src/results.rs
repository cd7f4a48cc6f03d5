//! Writing the results of a call to a safetensors file, whole or not at all.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use kernelpack_host::DynTensor;
use safetensors::tensor::TensorView;

use crate::dtype;

/// Writes tensors to a file under their names. Another file there is replaced in one step; after a failure it is as it
/// was.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write(path: &Path, tensors: &[DynTensor]) -> Result<(), String> {
    let views = tensors.iter().map(|tensor| {
        let shape = dtype::stored_shape(tensor.dtype, tensor.shape);
        Ok((&tensor.name, TensorView::new(dtype::stored(tensor.dtype), shape, &tensor.bytes)?))
    });
    let views = views.collect::<Result<Vec<_>, safetensors::SafeTensorError>>();
    let bytes = views.and_then(|views| safetensors::serialize(views, None)).map_err(|error| error.to_string());
    bytes
        .and_then(|bytes| replace(path, &bytes).map_err(|error| error.to_string()))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path: PathBuf = match fs::metadata(path) {
        // What a link leads to is replaced, rather than the link.
        Ok(metadata) if metadata.is_file() => path.canonicalize()?,
        Ok(metadata) if metadata.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        // A pipe or a device cannot be replaced.
        Ok(_) => return fs::write(path, bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.into(),
        Err(error) => return Err(error),
    };
    // Beside the place, since a rename works within one file system only.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".kernelpack-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As any new file, less what the umask takes.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder).map_err(without_temporary_name)?;
    file.write_all(bytes)?;
    file.persist(&path)?;
    Ok(())
}

/// The system's words without the name of a file that nobody asked for.
fn without_temporary_name(error: io::Error) -> io::Error {
    error.kind().into()
}

#[cfg(test)]
mod tests {
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
