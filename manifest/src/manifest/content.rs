//! The identity of a pack, which does not depend on its signer.
//!
//! The content of a manifest is all of its bytes except the value of `author.signing_key`, which `kernelpack sign` sets
//! to the signer's key. The value is cut out in place and nothing is rewritten: equal contents mean equal bytes on both
//! sides of the cut. No reader can therefore understand two manifests with the same content differently in anything but
//! that value, and a content stays the same when later versions of this crate know more fields.

use std::ops::Range;

use serde::{Deserialize, de::IgnoredAny};

use crate::{Digest, Manifest, PublicKey, Rejected};

/// A prefix with which no manifest begins, so a content is never the digest of a manifest.
const DOMAIN: &[u8] = b"kernelpack content 1\0";
/// Replaces the value that was cut out. JSON cannot contain this byte, so it marks the cut unambiguously.
const CUT: &[u8] = b"\0";

impl Manifest {
    /// Returns the digest of a manifest without its signer.
    ///
    /// A pack keeps its content when another key signs it; any other change gives another content.
    ///
    /// # Errors
    /// The same as [`parse`](Self::parse), since only a manifest that can be read in just one way has a content.
    pub fn content(manifest: &[u8]) -> Result<Digest, Rejected> {
        Self::parse(manifest)?;
        of_parsed(manifest)
    }

    /// Returns the manifest with this key as `author.signing_key` and every other byte unchanged.
    ///
    /// # Errors
    /// The same as [`parse`](Self::parse).
    pub fn with_signing_key(manifest: &[u8], key: &PublicKey) -> Result<Vec<u8>, Rejected> {
        Self::parse(manifest)?;
        let value = signing_key(manifest)?;
        // An id is a prefix and base64, which need no escaping in JSON.
        let id = format!("\"{}\"", key.id());
        Ok([&manifest[..value.start], id.as_bytes(), &manifest[value.end..]].concat())
    }
}

/// Like [`Manifest::content`], for a manifest that has already been parsed.
pub(crate) fn of_parsed(manifest: &[u8]) -> Result<Digest, Rejected> {
    let value = signing_key(manifest)?;
    Ok(Digest::of_parts(&[DOMAIN, &manifest[..value.start], CUT, &manifest[value.end..]]))
}

/// Returns the range of `author.signing_key`'s value, including its quotes, in a manifest that has already been parsed.
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

/// Returns the range of a field's value in the object at `at`. Keys are compared unescaped.
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

/// Reads one value and returns it with its end.
fn value<'de, T: Deserialize<'de>>(text: &'de str, at: usize) -> Option<(T, usize)> {
    let mut values = serde_json::Deserializer::from_str(text.get(at..)?).into_iter::<T>();
    let value = values.next()?.ok()?;
    Some((value, at + values.byte_offset()))
}

fn skip_space(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    text.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len()
}

/// Returns the position after this byte; `None` if another byte comes next.
fn after(text: &str, at: usize, byte: u8) -> Option<usize> {
    let at = skip_space(text, at);
    (text.as_bytes().get(at) == Some(&byte)).then_some(at + 1)
}

#[cfg(test)]
mod tests;
