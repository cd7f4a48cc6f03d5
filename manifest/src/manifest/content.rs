//! What a pack is, whoever signed it.
//!
//! The content of a manifest is all of its bytes but the value of `author.signing_key`, which `kernelpack sign` sets to
//! whoever signs. It is cut out where it stands, and nothing is written again: equal contents mean equal bytes on either
//! side of the cut, so that no reader can understand two manifests of one content differently in anything but that value,
//! and a content stays the same whatever fields later versions of this crate know.

use std::ops::Range;

use serde::{Deserialize, de::IgnoredAny};

use crate::{Digest, Manifest, PublicKey, Rejected};

/// No manifest begins with this, so that a content is never the digest of a manifest.
const DOMAIN: &[u8] = b"kernelpack content 1\0";
/// Stands for the value that was cut out. JSON has no such byte, so that it tells where the cut was.
const CUT: &[u8] = b"\0";

impl Manifest {
    /// The digest of what a manifest says, without who signed it: signed by another key, a pack keeps its content, and
    /// any other change gives another one.
    ///
    /// # Errors
    /// As [`parse`](Self::parse): only what can be read in one way has a content.
    pub fn content(manifest: &[u8]) -> Result<Digest, Rejected> {
        Self::parse(manifest)?;
        of_parsed(manifest)
    }

    /// The manifest with this key as `author.signing_key`, and every other byte as it was.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn with_signing_key(manifest: &[u8], key: &PublicKey) -> Result<Vec<u8>, Rejected> {
        Self::parse(manifest)?;
        let value = signing_key(manifest)?;
        // An id is base64 and a prefix, which JSON has no escapes for.
        let id = format!("\"{}\"", key.id());
        Ok([&manifest[..value.start], id.as_bytes(), &manifest[value.end..]].concat())
    }
}

/// The content of a manifest that was parsed.
pub(crate) fn of_parsed(manifest: &[u8]) -> Result<Digest, Rejected> {
    let value = signing_key(manifest)?;
    Ok(Digest::of_parts(&[DOMAIN, &manifest[..value.start], CUT, &manifest[value.end..]]))
}

/// Where the value of `author.signing_key` stands in a manifest that was parsed, quotes included.
fn signing_key(manifest: &[u8]) -> Result<Range<usize>, Rejected> {
    let place = str::from_utf8(manifest).ok().and_then(|text| {
        let author = field(text, 0, "author")?;
        field(text, author.start, "signing_key")
    });
    // Every manifest that was parsed has the field.
    place.ok_or_else(|| Rejected::Malformed {
        kernel: None,
        path: "author.signing_key".to_owned(),
        message: "the field cannot be found".to_owned(),
    })
}

/// Where the value of a field of the object at `at` stands. However the key is escaped, it is compared by what it means.
fn field(text: &str, at: usize, name: &str) -> Option<Range<usize>> {
    let mut at = after(text, at, b'{')?;
    loop {
        let (key, end) = value::<String>(text, at)?;
        let start = skip_space(text, after(text, end, b':')?);
        let (_, end) = value::<IgnoredAny>(text, start)?;
        if key == name {
            return Some(start..end);
        }
        at = after(text, end, b',')?;
    }
}

/// Reads one value and says where it ends.
fn value<'de, T: Deserialize<'de>>(text: &'de str, at: usize) -> Option<(T, usize)> {
    let mut values = serde_json::Deserializer::from_str(text.get(at..)?).into_iter::<T>();
    let value = values.next()?.ok()?;
    Some((value, at + values.byte_offset()))
}

fn skip_space(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    text.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len()
}

/// Behind this byte, which comes next.
fn after(text: &str, at: usize, byte: u8) -> Option<usize> {
    let at = skip_space(text, at);
    (text.as_bytes().get(at) == Some(&byte)).then_some(at + 1)
}

#[cfg(test)]
mod tests;
