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
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_rusts() {
        let longest = "a".repeat(MAX_NAME_BYTES);
        for good in ["a", "_a", "rope_f32", "X9", longest.as_str()] {
            assert!(is_identifier(good), "{good}");
        }
        let too_long = "a".repeat(MAX_NAME_BYTES + 1);
        for bad in ["", "_", "9a", "a-b", "a b", "é", "a.b", "a\0", too_long.as_str()] {
            assert!(!is_identifier(bad), "{bad}");
        }
    }

    #[test]
    fn texts_are_shown_as_they_are_stored() {
        for good in ["", "RoPE \u{2014} \u{5e9}\u{5dc}\u{5d5}\u{5dd}", "a\n\tb", "\u{202f}\u{206a}"] {
            assert!(is_printable(good), "{good:?}");
        }
        let controls = ['\0', '\r', '\u{1b}', '\u{7f}', '\u{9b}'].into_iter();
        let marks = ['\u{61c}', '\u{200e}', '\u{200f}'].into_iter();
        for bad in controls.chain(marks).chain('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}') {
            assert!(!is_printable(&format!("gate{bad}tset")), "{bad:?}");
        }
    }

    #[test]
    fn paths_stay_inside_the_pack() {
        for good in ["a", "rope/rope_f32.wasm", "a/b/c-d.x", "..a", "a/...b"] {
            assert!(check_path(good).is_ok(), "{good}");
        }
        let long = "a".repeat(kernelpack_verify::MAX_PATH_BYTES + 1);
        for bad in [
            "",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "../a",
            "a/../b",
            "a/./b",
            "a\\b",
            "C:/a",
            "a b",
            "a\0b",
            "é",
            "a./b",
            "~/a",
            long.as_str(),
        ] {
            let error = check_path(bad).unwrap_err();
            assert!(matches!(&error, Rejected::UnsafePath { path } if path == bad), "{bad}: {error}");
        }
    }
}
