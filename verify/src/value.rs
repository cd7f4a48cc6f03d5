//! Reads the values of fields with special forms: texts, digests and versions.

use crate::{Digest, Refused, Version, scan::Scanner};

/// Reads a text without escapes, and refuses it unless `fits` holds.
pub(crate) fn text<'m>(
    value: &mut Scanner<'m>,
    field: &'static str,
    fits: impl FnOnce(&str) -> bool,
) -> Result<&'m str, Refused> {
    let text = value.plain()?;
    if fits(text) { Ok(text) } else { Err(Refused::Bad { at: value.at(), field }) }
}

/// Reads a digest. A refusal always names the field `hash`.
pub(crate) fn digest(value: &mut Scanner<'_>) -> Result<Digest, Refused> {
    Digest::parse(value.plain()?).ok_or(Refused::Bad { at: value.at(), field: "hash" })
}

/// Reads a version.
pub(crate) fn version<'m>(value: &mut Scanner<'m>, field: &'static str) -> Result<Version<'m>, Refused> {
    Version::parse(value.plain()?).ok_or(Refused::Bad { at: value.at(), field })
}
