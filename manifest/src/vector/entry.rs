//! The manifest's entries for a kernel's health vectors.
//!
//! A health vector is a call with its expected results, in a safetensors file in the pack's `health` folder. Like a
//! module, the file is bound to the manifest by its SHA-256 digest.

use std::collections::BTreeMap;

use kernelpack_abi::{ParamType, ParamValue, Signature};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Digest, HEALTH_FOLDER, VECTOR_SUFFIX, VectorFault,
    manifest::param::{from_json, to_json},
};

/// A health vector's entry in the manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthEntry {
    /// The file, relative to the pack: `health/{name}.safetensors`.
    pub path: String,
    /// The digest of the file's bytes.
    pub hash: Digest,
    /// How far floats may be from the expected ones, as [`compare`](crate::compare) measures it; 0 means bit for bit.
    pub tolerance: f64,
    /// The scalars of the call, by name; those that are not given have their defaults.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, HealthParam>,
}

/// The value of a scalar in a vector's entry. Its type is known only from the kernel's entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HealthParam(Value);

impl HealthParam {
    /// Returns the value as this type, if it is a finite value of the type.
    pub fn to_value(&self, ty: ParamType) -> Option<ParamValue> {
        from_json(ty, &self.0)
    }
}

impl From<ParamValue> for HealthParam {
    fn from(value: ParamValue) -> Self {
        Self(to_json(value))
    }
}

impl HealthEntry {
    /// Returns the given scalars of the call, for a kernel with this signature.
    ///
    /// # Errors
    /// The kernel has no such scalar, or the value is not a finite value of its type.
    pub(crate) fn params(&self, signature: &Signature<'_>) -> Result<Vec<(&str, ParamValue)>, VectorFault> {
        self.params
            .iter()
            .map(|(name, value)| {
                let param = signature.params.iter().find(|param| param.name == name);
                let param = param.ok_or_else(|| VectorFault::unknown_param(name, signature))?;
                let value = value.to_value(param.ty);
                let wrong = || VectorFault::ParamType { param: name.clone(), expected: param.ty };
                Ok((name.as_str(), value.ok_or_else(wrong)?))
            })
            .collect()
    }

    pub(super) fn check(&self, signature: &Signature<'_>) -> Result<(), VectorFault> {
        let name = self.path.strip_prefix(HEALTH_FOLDER).and_then(|path| path.strip_prefix('/'));
        match name.and_then(|name| name.strip_suffix(VECTOR_SUFFIX)) {
            Some(name) if !name.is_empty() && !name.contains('/') => {}
            _ => return Err(VectorFault::BadPath),
        }
        check_tolerance(self.tolerance)?;
        self.params(signature).map(|_| ())
    }
}

/// Checks that a tolerance is at least 0 and below 1; with 1 or more, a kernel that writes only zeros would always
/// pass.
///
/// # Errors
/// [`VectorFault::BadTolerance`].
pub fn check_tolerance(tolerance: f64) -> Result<(), VectorFault> {
    if (0.0..1.0).contains(&tolerance) { Ok(()) } else { Err(VectorFault::BadTolerance { tolerance }) }
}
