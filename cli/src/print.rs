//! What reaches the terminal: data on standard output, notes on standard error.
//!
//! Nothing here panics where a stream is closed, as the macros of the standard library do.

use std::{
    error::Error,
    fmt::{Arguments, Display},
    io::{self, ErrorKind, Write as _},
};

use serde::Serialize;

/// Writes data to standard output. Somebody who closed it has seen enough, which is no error.
///
/// # Errors
/// Standard output cannot take it, for example since the disk is full.
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
/// As [`data`].
pub(crate) fn json(value: &impl Serialize) -> io::Result<()> {
    data(serde_json::to_string_pretty(value)? + "\n")
}

/// Writes a value as JSON to standard output, in one line.
///
/// # Errors
/// As [`data`].
pub(crate) fn json_line(value: &impl Serialize) -> io::Result<()> {
    data(serde_json::to_string(value)? + "\n")
}

/// Writes a line for people to standard error, where possible.
pub(crate) fn note(line: Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// An error in words; whoever types a command knows that the call is theirs.
pub(crate) fn message(error: &(dyn Error + 'static)) -> String {
    match error.downcast_ref() {
        Some(kernelpack_host::Error::BadCall(call)) => call.to_string(),
        // Cargo's words, which some errors quote, end with line breaks.
        _ => error.to_string().trim_end().to_owned(),
    }
}

/// A text that a manifest gives, in one line, so that it cannot pass for lines of ours.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
