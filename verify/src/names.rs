//! The rules for names and paths in a manifest.

/// The most bytes that the name of a kernel, tensor, parameter or symbol may have.
pub const MAX_NAME_BYTES: usize = 64;
/// The most bytes that a path may have.
pub const MAX_PATH_BYTES: usize = 255;

/// Returns whether the text is an ASCII identifier as in Rust, of at most [`MAX_NAME_BYTES`] bytes.
pub fn is_identifier(text: &str) -> bool {
    let head = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let bytes = text.as_bytes();
    bytes.len() <= MAX_NAME_BYTES
        && text != "_"
        && bytes.first().is_some_and(|&byte| head(byte))
        && bytes.iter().all(|&byte| head(byte) || byte.is_ascii_digit())
}

/// Returns whether a path stays inside the pack on every system.
///
/// A path has at most [`MAX_PATH_BYTES`] bytes. Its components consist of ASCII letters, digits, `_`, `.` and `-`, are
/// separated by `/`, and do not end with `.`.
pub fn is_path(path: &str) -> bool {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    // Some systems drop a final dot, so one file would have two names.
    let component = |part: &str| !part.is_empty() && !part.ends_with('.') && part.bytes().all(safe);
    path.len() <= MAX_PATH_BYTES && path.split('/').all(component)
}

/// Returns whether the text may name an engine or a feature: lower-case ASCII letters, digits and `-`, at most
/// [`MAX_NAME_BYTES`] bytes.
pub fn is_word(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.len() <= MAX_NAME_BYTES && text.bytes().all(word)
}

/// Returns the folder of a module whose path is `{family}/{id}.wasm`.
pub fn family_of<'a>(path: &'a str, id: &str) -> Option<&'a str> {
    let family = path.strip_suffix(".wasm")?.strip_suffix(id)?.strip_suffix('/')?;
    (!family.is_empty()).then_some(family)
}

/// Returns the variant in the path of a module for a single engine, `{family}/{id}.{variant}.wasm`, given the path
/// `own` of the kernel's own module.
pub fn variant_of<'a>(path: &'a str, own: &str) -> Option<&'a str> {
    path.strip_prefix(own.strip_suffix("wasm")?)?.strip_suffix(".wasm")
}

/// Returns whether the character can be shown to people unchanged.
///
/// Apart from line breaks and tabs, it must not be a control character, nor one that changes the writing direction,
/// which can make a text look like another.
pub fn is_printable(c: char) -> bool {
    let directs = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !directs && (!c.is_control() || matches!(c, '\n' | '\t'))
}
