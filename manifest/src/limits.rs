//! The JSON of the ABI's [`ResourceLimits`], which knows no serde itself.

use kernelpack_abi::ResourceLimits;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(remote = "ResourceLimits", deny_unknown_fields)]
struct Mirror {
    max_memory_pages: u32,
    max_epoch_ticks: u32,
    max_table_elements: u32,
}

pub(crate) fn serialize<S: Serializer>(limits: &ResourceLimits, serializer: S) -> Result<S::Ok, S::Error> {
    Mirror::serialize(limits, serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ResourceLimits, D::Error> {
    Mirror::deserialize(deserializer)
}
