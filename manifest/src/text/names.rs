//! What names and paths in a manifest may look like.

pub(crate) use kernelpack_verify::is_word;
pub use kernelpack_verify::{MAX_NAME_BYTES, is_identifier};

use crate::Rejected;

/// Checks that a path stays inside the pack on every system: components of ASCII letters, digits, `_`, `.` and `-`,
/// separated by `/`, none of them `.` or `..`, at most 255 bytes in all.
///
/// # Errors
/// [`Rejected::UnsafePath`].
pub fn check_path(path: &str) -> Result<(), Rejected> {
    if kernelpack_verify::is_path(path) { Ok(()) } else { Err(Rejected::UnsafePath { path: path.to_owned() }) }
}

/// A number in its one decimal form: digits, no sign, no zeros in front.
pub(crate) fn parse_u32(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

/// Whether the text may be shown to people as it is: no control characters but line breaks and tabs, and none of those
/// that change the direction of writing, which make a text look like another one.
pub(crate) fn is_printable(text: &str) -> bool {
    text.chars().all(kernelpack_verify::is_printable)
}

#[cfg(test)]
mod tests;
