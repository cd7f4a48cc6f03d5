//! Scalars of a call: `NAME=VALUE` and the value that it stands for.

use std::str::FromStr;

use kernelpack_host::abi::{ParamType, ParamValue};

/// The text of a scalar; only the kernel tells its type.
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
    /// The value, which is to have this type.
    ///
    /// # Errors
    /// The text is no value of the type, or one beyond its range.
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
        value.ok_or_else(|| format!("parameter {name:?} is {}, {text:?} is not: give {hint}", ty.name()))
    }
}

/// Whether a number is what was written, rather than infinite because it is too large.
fn fits(value: f32, text: &str) -> bool {
    value.is_finite() || !text.contains(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(ty: ParamType, text: &str) -> Result<ParamValue, String> {
        format!("p={text}").parse::<ParamArg>().unwrap().value(ty)
    }

    #[test]
    fn values_have_the_declared_type() {
        assert_eq!(value(ParamType::F32, "1e-5"), Ok(ParamValue::F32(1e-5)));
        assert_eq!(value(ParamType::F32, "-2"), Ok(ParamValue::F32(-2.0)));
        assert_eq!(value(ParamType::F32, "-inf"), Ok(ParamValue::F32(f32::NEG_INFINITY)));
        assert!(matches!(value(ParamType::F32, "nan"), Ok(ParamValue::F32(nan)) if nan.is_nan()));
        assert_eq!(value(ParamType::U32, "4294967295"), Ok(ParamValue::U32(u32::MAX)));
        assert_eq!(value(ParamType::I32, "-2147483648"), Ok(ParamValue::I32(i32::MIN)));
        assert_eq!(value(ParamType::Bool, "true"), Ok(ParamValue::Bool(true)));
    }

    #[test]
    fn other_texts_are_refused() {
        for (ty, text) in [
            (ParamType::F32, "one"),
            (ParamType::F32, "1e39"),
            (ParamType::U32, "-1"),
            (ParamType::U32, "4294967296"),
            (ParamType::U32, "1.0"),
            (ParamType::I32, "2147483648"),
            (ParamType::Bool, "1"),
            (ParamType::Bool, "True"),
        ] {
            let said = value(ty, text).unwrap_err();
            assert!(said.starts_with(&format!("parameter \"p\" is {}, {text:?} is not: give ", ty.name())), "{said}");
        }
        for wrong in ["", "p", "p=", "=1"] {
            assert!(wrong.parse::<ParamArg>().is_err(), "{wrong}");
        }
    }
}
