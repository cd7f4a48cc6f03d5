//! Golden files: inputs with results that independent programs computed in f64.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use kernelpack_host::{
    abi::{DType, Shape, TensorBuf},
    tensor::DynTensor,
};
use safetensors::{Dtype, SafeTensors};

/// A golden file.
pub struct Golden {
    /// The file's name without its extension.
    pub name: String,
    bytes: Vec<u8>,
    metadata: HashMap<String, String>,
}

impl Golden {
    /// Reads one file.
    ///
    /// # Panics
    /// It cannot be read; golden files are part of the sources.
    pub fn open(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let (_, header) = SafeTensors::read_metadata(&bytes).expect("a golden file is a safetensors file");
        let metadata = header.metadata().clone().unwrap_or_default();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Self { name, bytes, metadata }
    }

    /// Returns an `f32` tensor.
    ///
    /// # Panics
    /// The file has no such tensor.
    pub fn f32(&self, name: &str) -> TensorBuf<f32> {
        let (shape, data) = self.raw(name, Dtype::F32);
        let mut tensor = TensorBuf::zeros(&shape).expect("a golden shape is small");
        for (to, from) in tensor.data_mut().iter_mut().zip(data.as_chunks::<4>().0) {
            *to = f32::from_le_bytes(*from);
        }
        tensor
    }

    /// Returns any tensor as a kernel takes it: as blocks, if the kernel's input holds blocks.
    ///
    /// # Panics
    /// The file has no such tensor, or one of another type.
    pub fn dynamic(&self, name: &str, dtype: DType) -> DynTensor {
        let file_dtype = match dtype {
            DType::F32 => Dtype::F32,
            DType::F16 => Dtype::F16,
            _ => Dtype::U8,
        };
        let (mut shape, bytes) = self.raw(name, file_dtype);
        if let (1.., Some(last)) = (dtype.values() - 1, shape.last_mut()) {
            *last /= dtype.size() as usize;
        }
        let shape = Shape::new(&shape).expect("a golden shape is small");
        DynTensor { name: name.to_owned(), dtype, shape, bytes }
    }

    /// Returns an `f64` tensor's elements.
    ///
    /// # Panics
    /// The file has no such tensor.
    pub fn f64(&self, name: &str) -> Vec<f64> {
        let (_, data) = self.raw(name, Dtype::F64);
        data.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect()
    }

    /// Returns a parameter of the reference computation.
    ///
    /// # Panics
    /// The file has no such parameter, or it has another type.
    pub fn param<T: std::str::FromStr>(&self, name: &str) -> T {
        let text = self.metadata.get(name).unwrap_or_else(|| panic!("{} has no {name}", self.name));
        text.parse().unwrap_or_else(|_| panic!("{}: {name} is {text:?}", self.name))
    }

    fn raw(&self, name: &str, dtype: Dtype) -> (Vec<usize>, Vec<u8>) {
        let file = SafeTensors::deserialize(&self.bytes).expect("a golden file is a safetensors file");
        let tensor = file.tensor(name).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        assert_eq!(tensor.dtype(), dtype, "{} {name}", self.name);
        (tensor.shape().to_vec(), tensor.data().to_vec())
    }
}

impl Golden {
    /// Returns the files whose metadata name this kernel, or name it as the inverse.
    ///
    /// # Panics
    /// The folder cannot be read, or has no such file.
    pub fn of(kernel: &str) -> Vec<Self> {
        let names_it = |golden: &Self| {
            ["kernel", "inverse"].iter().any(|key| golden.metadata.get(*key).is_some_and(|name| name == kernel))
        };
        let mut paths: Vec<PathBuf> = fs::read_dir(folder())
            .expect("the folder of golden files is readable")
            .map(|entry| entry.expect("the folder is readable").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "safetensors"))
            .collect();
        paths.sort();
        let files: Vec<Self> = paths.iter().map(|path| Self::open(path)).filter(names_it).collect();
        assert!(!files.is_empty(), "no golden files for {kernel}");
        files
    }

    /// Returns whether the file has this tensor.
    pub fn has(&self, name: &str) -> bool {
        SafeTensors::deserialize(&self.bytes).is_ok_and(|file| file.tensor(name).is_ok())
    }
}

/// Returns the folder of the golden files.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// Returns the largest error of `y`, in units of max(|ref|, rms(ref)).
///
/// # Panics
/// The lengths differ.
pub fn largest_error(y: &[f32], reference: &[f64]) -> f64 {
    assert_eq!(y.len(), reference.len());
    let rms = (reference.iter().map(|r| r * r).sum::<f64>() / reference.len().max(1) as f64).sqrt();
    y.iter()
        .zip(reference)
        .map(|(&y, &r)| {
            let error = (f64::from(y) - r).abs() / r.abs().max(rms).max(f64::MIN_POSITIVE);
            // `f64::max` would ignore a NaN.
            if error.is_nan() { f64::INFINITY } else { error }
        })
        .fold(0.0, f64::max)
}
