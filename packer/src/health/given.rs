//! The vectors that authors provide: `health/KERNEL.safetensors` and `health/KERNEL-ANYTHING.safetensors` in the crate.
//!
//! The metadata of a file may give a `tolerance`, and scalars as `param.NAME`. The file in the pack is rewritten
//! without them, so that equal vectors give equal bytes, regardless of the program that wrote the original.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use kernelpack_abi::{KernelSpecBuf, ParamType, ParamValue, Signature};
use kernelpack_files::Links;
use kernelpack_manifest::{
    Digest, HEALTH_FOLDER, HealthEntry, HealthVector, MAX_HEALTH_BYTES, VECTOR_SUFFIX, VectorFault, check_path,
    check_tolerance,
};
use safetensors::SafeTensors;

use super::tolerance::tolerance;
use crate::{error::BuildError, project::Project};

/// A vector as it goes into the pack.
pub(super) type Packed = (HealthEntry, Vec<u8>);

/// A vector that the author provides.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Given {
    /// The author's file.
    pub(super) file: PathBuf,
    /// Its entry; the digest is of the bytes that go into the pack.
    pub(super) entry: HealthEntry,
    pub(super) vector: HealthVector,
    bytes: Vec<u8>,
}

impl Given {
    /// Returns the vector in the form that goes into the pack.
    pub(super) fn packed(self) -> Packed {
        (self.entry, self.bytes)
    }
}

/// Returns the author's vectors for each of these kernels, in the order of their names.
pub(super) fn read(project: &Project, kernels: &[&KernelSpecBuf]) -> Result<Vec<Vec<Given>>, BuildError> {
    let folder = project.folder().join(HEALTH_FOLDER);
    let mut given = vec![Vec::new(); kernels.len()];
    for name in names(&folder).map_err(|error| BuildError::io("read", &folder, error))? {
        let file = folder.join(&name);
        let path = format!("{HEALTH_FOLDER}/{name}");
        let stem = name.strip_suffix(VECTOR_SUFFIX).unwrap_or(&name);
        let id = stem.split_once('-').map_or(stem, |(id, _)| id);
        let at = kernels.iter().position(|kernel| kernel.id == id).filter(|_| check_path(&path).is_ok());
        let Some(at) = at else {
            let kernels = kernels.iter().map(|kernel| kernel.id.clone()).collect();
            return Err(BuildError::StrayVector { path: file, kernels });
        };
        given[at].push(read_one(project, kernels[at], file, path)?);
    }
    Ok(given)
}

/// Returns the sorted names of the vector files; other files, such as a script that made them, may be next to them.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(VECTOR_SUFFIX) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn read_one(project: &Project, kernel: &KernelSpecBuf, file: PathBuf, path: String) -> Result<Given, BuildError> {
    let bytes = kernelpack_files::read(&file, MAX_HEALTH_BYTES as u64, Links::Follow)
        .map_err(|error| BuildError::io("read the vector", &file, error.into()))?;
    let wrong = |fault| BuildError::Vector { path: file.clone(), kernel: kernel.id.clone(), fault };
    let (_, header) = SafeTensors::read_metadata(&bytes)
        .map_err(|error| wrong(VectorFault::NotSafetensors { message: error.to_string() }))?;
    let metadata = |key: &str, reason| BuildError::VectorMetadata { path: file.clone(), key: key.to_owned(), reason };

    let mut tolerance = tolerance(project, &kernel.forward);
    let mut params = Vec::new();
    let mut pairs: Vec<_> = header.metadata().iter().flatten().collect();
    // Sorts the pairs, since the error that is reported would otherwise depend on the order of a hash map.
    pairs.sort();
    for (key, text) in pairs {
        if key == "tolerance" {
            tolerance = text.parse().map_err(|_| metadata(key, format!("{text:?} is not a number such as 1e-5")))?;
            check_tolerance(tolerance).map_err(wrong)?;
        } else if let Some(name) = key.strip_prefix("param.") {
            params.push((name, kernel.forward.with(|it| param(it, name, text)).map_err(|it| metadata(key, it))?));
        } else if key != "format" {
            // "format" is ignored, since some programs write it into every file.
            return Err(metadata(key, "unknown key; the known keys are tolerance and param.NAME".into()));
        }
    }
    let vector = kernel.forward.with(|signature| HealthVector::parse(&bytes, signature, &params)).map_err(wrong)?;
    let bytes = vector.to_bytes().map_err(wrong)?;
    let params = params.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let entry = HealthEntry { path, hash: Digest::of(&bytes), tolerance, params };
    Ok(Given { file, entry, vector, bytes })
}

/// Parses the value of a scalar.
fn param(signature: &Signature<'_>, name: &str, text: &str) -> Result<ParamValue, String> {
    let Some(spec) = signature.params.iter().find(|param| param.name == name) else {
        let known: Vec<_> = signature.params.iter().map(|param| param.name).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Err(format!("the kernel has no parameter {name:?}; it has {known}"));
    };
    let (value, expected) = match spec.ty {
        ParamType::F32 => {
            (text.parse().ok().filter(|value: &f32| value.is_finite()).map(ParamValue::F32), "a finite f32")
        }
        ParamType::U32 => (text.parse().ok().map(ParamValue::U32), "a u32"),
        ParamType::I32 => (text.parse().ok().map(ParamValue::I32), "an i32"),
        ParamType::Bool => (text.parse().ok().map(ParamValue::Bool), "true or false"),
    };
    value.ok_or_else(|| format!("{text:?} is not {expected}"))
}
