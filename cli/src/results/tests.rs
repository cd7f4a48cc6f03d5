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
    write(&path, &[tensor("y", DType::F16, &[1, 2], &[1, 2, 3, 4]), tensor("q", DType::Q4_0, &[2], &[7; 36])]).unwrap();
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
