//! The rules for names, numbers and texts in a manifest.

pub(crate) use kernelpack_verify::is_word;
pub use kernelpack_verify::{MAX_NAME_BYTES, is_identifier};

/// Parses a number in its only valid decimal form: digits without a sign or leading zeros.
pub(crate) fn parse_u32(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

/// Returns whether the text can be shown to people unchanged.
///
/// Apart from line breaks and tabs, it must not contain control characters, nor any that change the writing direction,
/// which can make a text look like another.
pub(crate) fn is_printable(text: &str) -> bool {
    text.chars().all(kernelpack_verify::is_printable)
}

#[cfg(test)]
mod tests;
