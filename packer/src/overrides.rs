//! `[package.metadata.kernelpack]`: the author's settings that override `Cargo.toml`.

use std::{ops::RangeInclusive, path::Path};

use kernelpack_manifest::check_tolerance;
use semver::Version;
use serde::Deserialize;
use serde_json::Value;

use crate::error::BuildError;

/// The sizes that a shadow stack may have: enough for a call, and no more than devices have.
const STACKS: RangeInclusive<u32> = 4096..=16 << 20;

/// The table; every key is optional.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Overrides {
    pub(crate) name: Option<String>,
    pub(crate) version: Option<Version>,
    pub(crate) description: Option<String>,
    pub(crate) min_runtime_version: Option<Version>,
    pub(crate) max_runtime_version: Option<Version>,
    pub(crate) health_tolerance: Option<f64>,
    pub(crate) scalar_stack_bytes: Option<u32>,
    #[serde(default)]
    pub(crate) author: AuthorOverrides,
}

/// The table's `author`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuthorOverrides {
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
}

impl Overrides {
    /// Reads the table from a package's metadata; errors name `manifest`, the package's `Cargo.toml`.
    pub(crate) fn read(metadata: &Value, manifest: &Path) -> Result<Self, BuildError> {
        let Some(table) = metadata.get("kernelpack") else { return Ok(Self::default()) };
        let refused = |key: String, reason: String| BuildError::Overrides { manifest: manifest.into(), key, reason };
        let read: Self = serde_path_to_error::deserialize(table)
            .map_err(|error| refused(error.path().to_string(), error.into_inner().to_string()))?;
        if let Some(bytes) = read.scalar_stack_bytes.filter(|bytes| !STACKS.contains(bytes) || bytes % 16 != 0) {
            let (least, most) = (STACKS.start(), STACKS.end());
            let reason =
                format!("{bytes} bytes is not a valid stack size; choose a multiple of 16 from {least} to {most}");
            return Err(refused("scalar-stack-bytes".into(), reason));
        }
        match read.health_tolerance.map_or(Ok(()), check_tolerance) {
            Ok(()) => Ok(read),
            Err(fault) => Err(refused("health-tolerance".into(), fault.to_string())),
        }
    }
}

#[cfg(test)]
mod tests;
