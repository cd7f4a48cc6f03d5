//! `[package.metadata.kernelpack]`: what an author wants to be otherwise in the pack than in `Cargo.toml`.

use std::{ops::RangeInclusive, path::Path};

use kernelpack_manifest::check_tolerance;
use semver::Version;
use serde::Deserialize;
use serde_json::Value;

use crate::error::BuildError;

/// The sizes that a shadow stack can have: none that could not hold a call, and none that no device has.
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
    /// Reads the table out of a package's metadata; `manifest` names the package's `Cargo.toml` in errors.
    pub(crate) fn read(metadata: &Value, manifest: &Path) -> Result<Self, BuildError> {
        let Some(table) = metadata.get("kernelpack") else { return Ok(Self::default()) };
        let refused = |key: String, reason: String| BuildError::Overrides { manifest: manifest.into(), key, reason };
        let read: Self = serde_path_to_error::deserialize(table)
            .map_err(|error| refused(error.path().to_string(), error.into_inner().to_string()))?;
        if let Some(bytes) = read.scalar_stack_bytes.filter(|bytes| !STACKS.contains(bytes) || bytes % 16 != 0) {
            let (least, most) = (STACKS.start(), STACKS.end());
            let reason = format!("{bytes} bytes are no stack; choose a multiple of 16 from {least} to {most}");
            return Err(refused("scalar-stack-bytes".into(), reason));
        }
        match read.health_tolerance.map_or(Ok(()), check_tolerance) {
            Ok(()) => Ok(read),
            Err(fault) => Err(refused("health-tolerance".into(), fault.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(table: Value) -> Result<Overrides, String> {
        Overrides::read(&json!({ "kernelpack": table }), Path::new("a/Cargo.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn every_key_is_read() {
        let read = read(json!({
            "name": "n",
            "version": "1.2.3",
            "description": "d",
            "min-runtime-version": "0.1.0",
            "max-runtime-version": "0.2.0",
            "health-tolerance": 1e-4,
            "scalar-stack-bytes": 65_536,
            "author": { "name": "a", "email": "a@b" },
        }));
        let author = AuthorOverrides { name: Some("a".into()), email: Some("a@b".into()) };
        let expected = Overrides {
            name: Some("n".into()),
            version: Some(Version::new(1, 2, 3)),
            description: Some("d".into()),
            min_runtime_version: Some(Version::new(0, 1, 0)),
            max_runtime_version: Some(Version::new(0, 2, 0)),
            health_tolerance: Some(1e-4),
            scalar_stack_bytes: Some(65_536),
            author,
        };
        assert_eq!(read, Ok(expected));
    }

    #[test]
    fn no_table_is_no_override() {
        let path = Path::new("a/Cargo.toml");
        assert_eq!(Overrides::read(&Value::Null, path).unwrap(), Overrides::default());
        assert_eq!(Overrides::read(&json!({ "docs": {} }), path).unwrap(), Overrides::default());
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_known_ones() {
        assert_eq!(
            read(json!({ "min_runtime_version": "0.1.0" })).unwrap_err(),
            "[package.metadata.kernelpack] of a/Cargo.toml, at min_runtime_version: unknown field \
             `min_runtime_version`, expected one of `name`, `version`, `description`, `min-runtime-version`, \
             `max-runtime-version`, `health-tolerance`, `scalar-stack-bytes`, `author`"
        );
        assert!(read(json!({ "author": { "mail": "a@b" } })).unwrap_err().contains("expected `name` or `email`"));
    }

    #[test]
    fn a_wrong_value_is_refused_with_its_key() {
        assert_eq!(
            read(json!({ "version": "1.2" })).unwrap_err(),
            "[package.metadata.kernelpack] of a/Cargo.toml, at version: unexpected end of input while parsing minor \
             version number"
        );
        assert_eq!(
            read(json!({ "health-tolerance": 1 })).unwrap_err(),
            "[package.metadata.kernelpack] of a/Cargo.toml, at health-tolerance: the tolerance is 1; choose one from 0, \
             to the bit, to below 1"
        );
    }
}
