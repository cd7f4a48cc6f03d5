//! Reads a manifest's structure strictly: whatever two readers could understand differently is refused.

use kernelpack_abi::ABI_VERSION;
use serde::Deserialize;
use serde_json::Value;

pub(crate) use crate::text::json::present;
use crate::{
    CompatibilityResult, Manifest, Rejected,
    manifest::{SCHEMA, SCHEMA_VERSION},
    text::json::{self, JsonFault},
};

/// Reads a manifest's structure; [`Manifest::validate`] checks its meaning.
pub(crate) fn parse(bytes: &[u8]) -> Result<Manifest, Rejected> {
    let text = json::text(bytes).map_err(|fault| rejected("", fault))?;
    check_versions(text)?;
    json::parse(text).map_err(|fault| rejected(text, fault))
}

/// Reads the versions on their own, since everything else may look different in a manifest of another version.
fn check_versions(text: &str) -> Result<(), Rejected> {
    #[derive(Deserialize)]
    struct Versions {
        #[serde(rename = "$schema")]
        schema: Option<Value>,
        abi_version: Option<Value>,
    }
    // An error here is ignored, since it occurs again in the strict pass, which reports its place.
    let Ok(versions) = serde_json::from_str::<Versions>(text) else { return Ok(()) };
    let (prefix, suffix) = ("https://kernelpack.dev/schemas/kernel-pack-v", ".json");
    if let Some(Value::String(found)) = versions.schema
        && found != SCHEMA
    {
        let version = found.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(suffix));
        return Err(match version.and_then(crate::text::names::parse_u32) {
            Some(found) if found != SCHEMA_VERSION => {
                Rejected::Incompatible(CompatibilityResult::SchemaVersion { found, supported: SCHEMA_VERSION })
            }
            _ => Rejected::UnknownSchema { found },
        });
    }
    let abi = versions.abi_version.and_then(|found| found.as_u64()).and_then(|found| u32::try_from(found).ok());
    match abi {
        Some(found) if found != ABI_VERSION => {
            Err(Rejected::Incompatible(CompatibilityResult::AbiVersion { found, supported: ABI_VERSION }))
        }
        _ => Ok(()),
    }
}

fn rejected(text: &str, fault: JsonFault) -> Rejected {
    match fault {
        JsonFault::NotUtf8 { at } => Rejected::NotUtf8 { at },
        JsonFault::DuplicateKey { key, line, column } => Rejected::DuplicateKey { key, line, column },
        JsonFault::Malformed { path, message } => Rejected::Malformed { kernel: kernel_at(text, &path), path, message },
    }
}

/// Returns the id of the kernel that a path points into.
fn kernel_at(text: &str, path: &str) -> Option<String> {
    let (index, _) = path.strip_prefix("kernels[")?.split_once(']')?;
    let index = index.parse::<usize>().ok()?;
    serde_json::from_str::<Value>(text).ok()?["kernels"][index]["id"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests;
