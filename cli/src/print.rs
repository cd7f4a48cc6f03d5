//! Terminal output: data on standard output, notes on standard error.
//!
//! Nothing here panics if a stream is closed, unlike the macros of the standard library.

use std::{
    error::Error,
    fmt::{Arguments, Display},
    io::{self, ErrorKind, Write as _},
};

use serde::Serialize;

/// Writes data to standard output. It is not an error if the reader has closed it.
///
/// # Errors
/// Standard output cannot take it, for example because the disk is full.
pub(crate) fn data(text: impl Display) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match write!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(io::Error::new(error.kind(), format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a value as JSON to standard output.
///
/// # Errors
/// The errors of [`data`].
pub(crate) fn json(value: &impl Serialize) -> io::Result<()> {
    data(serde_json::to_string_pretty(value)? + "\n")
}

/// Writes a value as JSON to standard output, in one line.
///
/// # Errors
/// The errors of [`data`].
pub(crate) fn json_line(value: &impl Serialize) -> io::Result<()> {
    data(serde_json::to_string(value)? + "\n")
}

/// Writes a line for people to standard error, if possible.
pub(crate) fn note(line: Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Returns the message of an error. For a bad call it omits that the caller is at fault, since users know that the call
/// is theirs.
pub(crate) fn message(error: &(dyn Error + 'static)) -> String {
    match error.downcast_ref() {
        Some(kernelpack_host::Error::BadCall(call)) => call.to_string(),
        // Some errors quote cargo's messages, which end with line breaks.
        _ => error.to_string().trim_end().to_owned(),
    }
}

/// Puts a text from a manifest on one line, so that no part of it can be mistaken for a line of this program.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
