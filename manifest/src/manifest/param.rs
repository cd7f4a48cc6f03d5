//! Scalar parameters in the manifest.

use kernelpack_abi::{ParamType, ParamValue};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Number, Value};

use crate::manifest::strict;

/// A scalar parameter of a pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Param {
    /// The parameter's type.
    pub ty: ParamType,
    /// The value that is used if a call gives none, of type `ty`. Without a default, every call must give a value.
    pub default: Option<ParamValue>,
    /// The parameter's position in the declaration.
    pub index: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mirror {
    #[serde(rename = "type")]
    ty: String,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "strict::present")]
    default: Option<Value>,
    index: u32,
}

impl Serialize for Param {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let default = self.default.map(to_json);
        Mirror { ty: self.ty.name().to_owned(), default, index: self.index }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Param {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Mirror { ty, default, index } = Mirror::deserialize(deserializer)?;
        let ty = ParamType::from_name(&ty).ok_or_else(|| {
            let known = ParamType::ALL.map(ParamType::name).join(", ");
            de::Error::custom(format_args!("unknown parameter type {ty:?}; the types are {known}"))
        })?;
        let default =
            match default {
                None => None,
                Some(value) => Some(from_json(ty, &value).ok_or_else(|| {
                    de::Error::custom(format_args!("the default {value} is not a finite {}", ty.name()))
                })?),
            };
        Ok(Self { ty, default, index })
    }
}

pub(crate) fn to_json(value: ParamValue) -> Value {
    match value {
        // JSON cannot express NaN or infinity. Like serde_json for other fields, this writes null; a validated manifest
        // never contains it.
        ParamValue::F32(value) => Number::from_f64(widen(value)).map_or(Value::Null, Value::Number),
        ParamValue::U32(value) => value.into(),
        ParamValue::I32(value) => value.into(),
        ParamValue::Bool(value) => value.into(),
    }
}

pub(crate) fn from_json(ty: ParamType, value: &Value) -> Option<ParamValue> {
    Some(match ty {
        ParamType::F32 => ParamValue::F32(Some(value.as_f64()? as f32).filter(|value| value.is_finite())?),
        ParamType::U32 => ParamValue::U32(value.as_u64()?.try_into().ok()?),
        ParamType::I32 => ParamValue::I32(value.as_i64()?.try_into().ok()?),
        ParamType::Bool => ParamValue::Bool(value.as_bool()?),
    })
}

/// Returns the double with the shortest decimal form that narrows to `value` again: 1e-5 rather than
/// 9.999999747378752e-6.
fn widen(value: f32) -> f64 {
    match value.to_string().parse::<f64>() {
        Ok(short) if (short as f32).to_bits() == value.to_bits() => short,
        // Rounding first to double and then to single precision can give another value than rounding once.
        _ => f64::from(value),
    }
}

#[cfg(test)]
mod tests;
