//! Strict JSON: whatever two readers could understand differently is refused.

use std::{cell::Cell, collections::HashSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor},
};

/// The reason why bytes are not the expected JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonFault {
    /// The bytes are not UTF-8.
    #[error("it is not UTF-8 at byte {at}; write it as UTF-8 without a byte order mark")]
    NotUtf8 {
        /// Offset of the first invalid byte.
        at: usize,
    },
    /// An object has a key twice.
    #[error("it has the key {key:?} twice in one object (line {line} column {column}); keep one")]
    DuplicateKey {
        /// The key.
        key: String,
        /// The line of the second occurrence.
        line: usize,
        /// The column of the second occurrence.
        column: usize,
    },
    /// The bytes are not JSON, or a field is missing, unknown or of the wrong type.
    #[error("it cannot be read: {}{message}", describe_place(path))]
    Malformed {
        /// The place, such as `keys[0].id`; empty for the whole.
        path: String,
        /// A description of the fault, with its line and column.
        message: String,
    },
}

fn describe_place(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("{path}: ") }
}

/// Returns the bytes as text.
pub(crate) fn text(bytes: &[u8]) -> Result<&str, JsonFault> {
    std::str::from_utf8(bytes).map_err(|error| JsonFault::NotUtf8 { at: error.valid_up_to() })
}

/// Reads one JSON value with nothing after it, in which no object has a key twice.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, JsonFault> {
    check_keys(text)?;
    let mut json = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| malformed(&error.path().to_string(), error.inner()))?;
    json.end().map_err(|error| malformed("", &error))?;
    Ok(value)
}

/// Deserializes an optional field, but refuses `null`, so that omitting the field is the only way to leave it out.
pub(crate) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

fn malformed(path: &str, error: &serde_json::Error) -> JsonFault {
    let path = if path == "." { "" } else { path };
    JsonFault::Malformed { path: path.to_owned(), message: error.to_string() }
}

/// Checks that bytes are one JSON value in which no object has a key twice.
///
/// Call this before a reader that would silently use the last of equal keys.
///
/// # Errors
/// The bytes are not JSON, or an object has a key twice.
pub fn check_distinct_keys(json: &[u8]) -> Result<(), JsonFault> {
    check_keys(text(json)?)
}

fn check_keys(text: &str) -> Result<(), JsonFault> {
    let duplicate = Cell::new(None);
    let mut json = serde_json::Deserializer::from_str(text);
    let walked = Walk { duplicate: &duplicate }.deserialize(&mut json).and_then(|()| json.end());
    walked.map_err(|error| match duplicate.take() {
        Some(key) => JsonFault::DuplicateKey { key, line: error.line(), column: error.column() },
        None => malformed("", &error),
    })
}

/// Walks over any JSON value and fails at the first repeated key of an object.
#[derive(Clone, Copy)]
struct Walk<'a> {
    duplicate: &'a Cell<Option<String>>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            if seen.contains(&key) {
                self.duplicate.set(Some(key));
                return Err(A::Error::custom("an object has a key twice"));
            }
            seen.insert(key);
            entries.next_value_seed(self)?;
        }
        Ok(())
    }
}
