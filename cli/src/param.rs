//! Scalars of a call: `NAME=VALUE`, and their values.

use std::str::FromStr;

use kernelpack_host::abi::{ParamType, ParamValue};

/// The text of a scalar; only the kernel knows its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ParamArg {
    /// The kernel's parameter.
    pub(crate) name: String,
    text: String,
}

impl FromStr for ParamArg {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text.split_once('=') {
            Some((name, text)) if !name.is_empty() && !text.is_empty() => {
                Ok(Self { name: name.to_owned(), text: text.to_owned() })
            }
            _ => Err("write NAME=VALUE"),
        }
    }
}

impl ParamArg {
    /// Converts the text to a value of this type.
    ///
    /// # Errors
    /// The text is not a value of the type, or the value is out of range.
    pub(crate) fn value(&self, ty: ParamType) -> Result<ParamValue, String> {
        let Self { name, text } = self;
        let (value, hint) = match ty {
            ParamType::F32 => (
                text.parse().ok().filter(|value| fits(*value, text)).map(ParamValue::F32),
                "a number such as 1e-5, inf or nan",
            ),
            ParamType::U32 => (text.parse().ok().map(ParamValue::U32), "a whole number from 0 to 4294967295"),
            ParamType::I32 => (text.parse().ok().map(ParamValue::I32), "a whole number from -2147483648 to 2147483647"),
            ParamType::Bool => (text.parse().ok().map(ParamValue::Bool), "true or false"),
        };
        value.ok_or_else(|| format!("parameter {name:?} has the type {}: give {hint}, not {text:?}", ty.name()))
    }
}

/// Returns whether a number is the one that was written, rather than infinite because the written number is too large.
fn fits(value: f32, text: &str) -> bool {
    value.is_finite() || !text.contains(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests;
