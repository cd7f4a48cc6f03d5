//! The messages of the compiler and of cargo about the crate.

use std::collections::HashSet;

use cargo_metadata::diagnostic::Diagnostic;

/// A file, and the range of bytes in it.
type Place = (String, u32, u32);

/// The messages that a build has passed on. A build compiles the crate up to three times (with SIMD, without SIMD and
/// for this machine), and the author needs to read each message only once.
#[derive(Debug, Default)]
pub(crate) struct Diagnostics {
    /// Messages of the compiler, by text and places.
    told: HashSet<(String, Vec<Place>)>,
    /// The lines of cargo's warnings.
    lines: HashSet<String>,
    /// Whether the last line belonged to a warning.
    in_warning: bool,
}

impl Diagnostics {
    /// Returns whether to pass on a line from cargo: all status lines are passed on, and each warning once.
    pub(crate) fn is_new(&mut self, line: &str) -> bool {
        if line.starts_with("warning:") {
            self.in_warning = true;
        } else if line.starts_with("error") || is_status(line) {
            self.in_warning = false;
        }
        !self.in_warning || self.lines.insert(line.to_owned())
    }

    /// Returns the lines of a message from the compiler; empty if it was passed on before.
    pub(crate) fn tell<'a>(&mut self, message: &'a Diagnostic) -> impl Iterator<Item = &'a str> {
        // Messages are not compared by their rendered text, since the hint on how to turn a lint off may be attached to
        // another warning in another build.
        let spans = message.spans.iter().map(|span| (span.file_name.clone(), span.byte_start, span.byte_end));
        let is_new = self.told.insert((message.message.clone(), spans.collect()));
        let text = message.rendered.as_deref().filter(|_| is_new);
        text.unwrap_or_default().lines()
    }
}

/// Returns whether this is a status line of cargo: a word in twelve columns, and a space.
fn is_status(line: &str) -> bool {
    let Some((word, rest)) = line.split_at_checked(12) else { return false };
    rest.starts_with(' ') && word.trim_start().starts_with(|first: char| first.is_ascii_uppercase())
}

#[cfg(test)]
mod tests;
