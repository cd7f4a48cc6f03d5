//! Tensors in the manifest.

use kernelpack_abi::DType;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Extent, Length};

/// An input, output or in-out tensor of a pass.
///
/// An in-out tensor needs a start value and holds a result, so it is listed among both the inputs and the outputs,
/// identically and with `inout` set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tensor {
    /// The tensor's name.
    pub name: String,
    /// The type of the tensor's elements.
    #[serde(with = "dtype")]
    pub dtype: DType,
    /// The tensor's extents, outermost first.
    pub shape: Vec<Extent>,
    /// The tensor's row in the tensor table, which is its position in the declaration.
    pub index: u32,
    /// Whether a call may omit the tensor; inputs only.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
    /// Whether the tensor is both an input and an output.
    #[serde(default, skip_serializing_if = "is_false")]
    pub inout: bool,
}

/// A scratch tensor of a pass, which the host provides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scratch {
    /// The tensor's name.
    pub name: String,
    /// The type of the tensor's elements.
    #[serde(with = "dtype")]
    pub dtype: DType,
    /// The number of elements.
    pub len: Length,
    /// The tensor's row in the tensor table, which is its position in the declaration.
    pub index: u32,
}

fn is_false(value: &bool) -> bool {
    !value
}

mod dtype {
    use super::*;

    pub(super) fn serialize<S: Serializer>(dtype: &DType, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(dtype.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DType, D::Error> {
        let name = String::deserialize(deserializer)?;
        DType::from_name(&name).ok_or_else(|| {
            let known = DType::ALL.map(DType::name).join(", ");
            de::Error::custom(format_args!("unknown data type {name:?}; the types are {known}"))
        })
    }
}
