//! Extents in the manifest: `"rows"`, `"dim/2"`, `"heads*2"` or `32`.
//!
//! Each extent has exactly one textual form, so reading and writing lose nothing.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::text::names::{is_identifier, parse_u32};

/// One extent of a tensor's shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// A constant.
    Fixed(u32),
    /// A symbol.
    Symbol(String),
    /// A symbol divided by a constant, which must divide its value.
    Div(String, u32),
    /// A symbol times a constant.
    Mul(String, u32),
}

impl Extent {
    /// Returns the symbol that the extent uses, if any.
    pub fn symbol(&self) -> Option<&str> {
        match self {
            Self::Fixed(_) => None,
            Self::Symbol(symbol) | Self::Div(symbol, _) | Self::Mul(symbol, _) => Some(symbol),
        }
    }
}

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(extent) => write!(f, "{extent}"),
            Self::Symbol(symbol) => f.write_str(symbol),
            Self::Div(symbol, by) => write!(f, "{symbol}/{by}"),
            Self::Mul(symbol, by) => write!(f, "{symbol}*{by}"),
        }
    }
}

/// The reason why a text is not an [`Extent`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the extent {text:?} is not \"symbol\", \"symbol/n\" or \"symbol*n\" with n from 1 to 4294967295")]
pub struct ExtentError {
    /// The text.
    pub text: String,
}

impl FromStr for Extent {
    type Err = ExtentError;

    /// Reads an extent with a symbol. Constants are JSON numbers, not strings.
    fn from_str(text: &str) -> Result<Self, ExtentError> {
        let read = || {
            let (symbol, by) = match text.find(['/', '*']) {
                None => (text, None),
                Some(at) => (&text[..at], Some(parse_u32(&text[at + 1..]).filter(|&by| by > 0)?)),
            };
            if !is_identifier(symbol) {
                return None;
            }
            let name = symbol.to_owned();
            Some(match by {
                None => Self::Symbol(name),
                Some(by) if text.as_bytes()[symbol.len()] == b'/' => Self::Div(name, by),
                Some(by) => Self::Mul(name, by),
            })
        };
        read().ok_or_else(|| ExtentError { text: text.to_owned() })
    }
}

impl Serialize for Extent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Fixed(extent) => serializer.serialize_u32(*extent),
            symbolic => serializer.collect_str(symbolic),
        }
    }
}

impl<'de> Deserialize<'de> for Extent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Extent;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a symbol, symbol/n, symbol*n or a number from 0 to 4294967295")
            }

            fn visit_u64<E: de::Error>(self, extent: u64) -> Result<Extent, E> {
                u32::try_from(extent)
                    .map(Extent::Fixed)
                    .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(extent), &self))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Extent, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests;
