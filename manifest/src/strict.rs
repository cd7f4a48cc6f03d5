//! JSON without loopholes: what two readers could understand differently is refused.

use std::{cell::Cell, collections::HashSet, fmt};

use kernelpack_abi::ABI_VERSION;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

use crate::{
    Manifest, Rejected,
    manifest::{SCHEMA, SCHEMA_VERSION},
};

/// Reads a manifest's structure; its meaning is for [`Manifest::validate`].
pub(crate) fn parse(bytes: &[u8]) -> Result<Manifest, Rejected> {
    let text = std::str::from_utf8(bytes).map_err(|error| Rejected::NotUtf8 { at: error.valid_up_to() })?;
    check_versions(text)?;
    check_keys(text)?;

    let mut json = serde_json::Deserializer::from_str(text);
    let manifest = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| malformed(text, &error.path().to_string(), error.inner()))?;
    json.end().map_err(|error| malformed(text, "", &error))?;
    Ok(manifest)
}

/// For an optional field: `null` is not a way to leave it out.
pub(crate) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A manifest of another version may look different everywhere else, so the versions are read on their own.
fn check_versions(text: &str) -> Result<(), Rejected> {
    #[derive(Deserialize)]
    struct Versions {
        #[serde(rename = "$schema")]
        schema: Option<Value>,
        abi_version: Option<Value>,
    }
    // What fails here fails again in the strict reading, which says where.
    let Ok(versions) = serde_json::from_str::<Versions>(text) else { return Ok(()) };
    let (prefix, suffix) = ("https://kernelpack.dev/schemas/kernel-pack-v", ".json");
    if let Some(Value::String(found)) = versions.schema
        && found != SCHEMA
    {
        let version = found.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(suffix));
        return Err(match version.and_then(crate::names::parse_u32) {
            Some(version) if version != SCHEMA_VERSION => Rejected::SchemaVersion { found: version },
            _ => Rejected::UnknownSchema { found },
        });
    }
    let abi = versions.abi_version.and_then(|found| found.as_u64()).and_then(|found| u32::try_from(found).ok());
    match abi {
        Some(found) if found != ABI_VERSION => Err(Rejected::AbiVersion { found }),
        _ => Ok(()),
    }
}

fn check_keys(text: &str) -> Result<(), Rejected> {
    let duplicate = Cell::new(None);
    let mut json = serde_json::Deserializer::from_str(text);
    let walked = Walk { duplicate: &duplicate }.deserialize(&mut json).and_then(|()| json.end());
    walked.map_err(|error| match duplicate.take() {
        Some(key) => Rejected::DuplicateKey { key, line: error.line(), column: error.column() },
        None => malformed(text, "", &error),
    })
}

fn malformed(text: &str, path: &str, error: &serde_json::Error) -> Rejected {
    let path = if path == "." { "" } else { path };
    let kernel = path
        .strip_prefix("kernels[")
        .and_then(|rest| rest.split_once(']'))
        .and_then(|(index, _)| index.parse::<usize>().ok())
        .and_then(|index| {
            serde_json::from_str::<Value>(text).ok()?["kernels"][index]["id"].as_str().map(str::to_owned)
        });
    Rejected::Malformed { path: path.to_owned(), kernel, message: error.to_string() }
}

/// Walks over any JSON and fails at the first key that an object has twice.
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
                return Err(A::Error::custom("a key stands twice in one object"));
            }
            seen.insert(key);
            entries.next_value_seed(self)?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "strict_tests.rs"]
mod tests;
