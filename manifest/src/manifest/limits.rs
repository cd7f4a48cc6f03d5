//! The JSON form of the ABI's [`ResourceLimits`], which does not depend on serde.

use kernelpack_abi::ResourceLimits;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(remote = "ResourceLimits", deny_unknown_fields)]
struct Mirror {
    max_memory_pages: u32,
    max_epoch_ticks: u32,
    max_table_elements: u32,
    // Manifests that follow the specification lack these two.
    #[serde(default = "max_instances")]
    max_instances: u32,
    #[serde(default = "max_stack_bytes")]
    max_stack_bytes: u32,
}

fn max_instances() -> u32 {
    ResourceLimits::DEFAULT.max_instances
}

fn max_stack_bytes() -> u32 {
    ResourceLimits::DEFAULT.max_stack_bytes
}

pub(crate) fn serialize<S: Serializer>(limits: &ResourceLimits, serializer: S) -> Result<S::Ok, S::Error> {
    Mirror::serialize(limits, serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ResourceLimits, D::Error> {
    Mirror::deserialize(deserializer)
}
