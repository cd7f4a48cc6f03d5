//! Finds a key in a PEM file as leniently as OpenSSL, among comments, blank lines and other keys.
//!
//! The library that decodes PEM accepts nothing but the key, so the key is rewritten in the form that it expects.

use zeroize::Zeroizing;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
/// Characters per line of base64.
const WIDTH: usize = 64;

/// Returns the first key with this label, such as `PUBLIC KEY`, without anything around it.
///
/// Lines may end in spaces and a carriage return, and an empty line may follow the first one. Nothing else may precede
/// or follow a label on its line, and the key itself must not contain empty lines or headers.
pub(crate) fn find(text: &str, label: &str) -> Option<Zeroizing<String>> {
    // Reserves all memory at once, since a string that reallocates leaves a copy of the secret in the freed memory.
    let room = text.len() + text.len() / WIDTH + 2 * (END.len() + label.len() + DASHES.len() + 2);
    let mut lines = lines(text);
    while lines.any(|line| label_of(line, BEGIN) == Some(label)) {
        let mut found = Zeroizing::new(String::with_capacity(room));
        found.extend([BEGIN, label, DASHES]);
        let mut column = WIDTH;
        for (at, line) in lines.by_ref().enumerate() {
            if label_of(line, END) == Some(label) {
                found.extend(["\n", END, label, DASHES, "\n"]);
                return Some(found);
            }
            if line.starts_with(DASHES) || (line.is_empty() && at > 0) {
                break;
            }
            for char in line.chars().filter(|char| !is_space(*char)) {
                if column == WIDTH {
                    found.push('\n');
                    column = 0;
                }
                found.push(char);
                column += 1;
            }
        }
    }
    None
}

/// Returns the labels of all PEM blocks that begin in the file.
pub(crate) fn labels(text: &str) -> impl Iterator<Item = &str> {
    lines(text).filter_map(|line| label_of(line, BEGIN))
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.trim_start_matches('\u{feff}').split('\n').map(|line| line.trim_end_matches(is_space))
}

fn label_of<'a>(line: &'a str, before: &str) -> Option<&'a str> {
    line.strip_prefix(before)?.strip_suffix(DASHES)
}

/// Returns whether OpenSSL strips this character from the end of a line: a space, or a control character below it.
fn is_space(char: char) -> bool {
    char <= ' '
}
