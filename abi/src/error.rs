//! The error that a kernel body returns, and its bounded message.

use core::fmt::{self, Write};

use crate::Status;

/// The most bytes of UTF-8 that a message may have; longer ones are cut at a character boundary.
pub const MESSAGE_CAPACITY: usize = 256;

/// The result that kernel bodies return.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// Text of at most [`MESSAGE_CAPACITY`] bytes, kept without an allocator.
#[derive(Clone, Copy)]
pub struct Message {
    len: usize,
    bytes: [u8; MESSAGE_CAPACITY],
}

impl Message {
    /// The empty message.
    pub const EMPTY: Self = Self { len: 0, bytes: [0; MESSAGE_CAPACITY] };

    /// Formats `args` and cuts off what does not fit.
    pub fn new(args: fmt::Arguments<'_>) -> Self {
        let mut message = Self::EMPTY;
        // Writing into a message cannot fail. Only a value's own `Display` can, and then the text before it is still
        // useful.
        let _ = message.write_fmt(args);
        message
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        // `push` cuts at character boundaries only, so this is always UTF-8.
        core::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }

    /// Returns the length of the text, and the buffer that begins with it.
    ///
    /// Unlike [`as_str`](Self::as_str), this compiles to no code for invalid UTF-8 or panics, which keeps modules
    /// small.
    pub fn as_parts(&self) -> (usize, &[u8; MESSAGE_CAPACITY]) {
        (self.len, &self.bytes)
    }

    fn push(&mut self, text: &str) {
        let end = text.floor_char_boundary(MESSAGE_CAPACITY - self.len);
        // Uses iterators, since indexing slices can panic, which would add code to each module.
        self.bytes.iter_mut().skip(self.len).zip(text.as_bytes().iter().take(end)).for_each(|(to, byte)| *to = *byte);
        self.len += end;
    }
}

impl Write for Message {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text);
        Ok(())
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq for Message {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

/// The reason why a kernel refused or failed a call: a [`Status`] other than `Ok`, and a message for people.
///
/// # Example: a kernel that checks its input
/// ```
/// use kernelpack_abi::{Error, Result, Status};
///
/// fn halve(dim: usize) -> Result<usize> {
///     if dim % 2 != 0 {
///         return Err(Error::new(Status::InvalidInput, format_args!("dim must be even, is {dim}")));
///     }
///     Ok(dim / 2)
/// }
/// assert_eq!(halve(8), Ok(4));
/// assert_eq!(halve(7).unwrap_err().to_string(), "INVALID_INPUT: dim must be even, is 7");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    status: Status,
    message: Stored,
}

/// A message inside an error, on the heap if there is one, so that results stay small.
#[cfg(feature = "alloc")]
type Stored = alloc::boxed::Box<Message>;
#[cfg(not(feature = "alloc"))]
type Stored = Message;

impl Error {
    /// Makes an error with this status and message.
    ///
    /// An error must not have the status [`Status::Ok`], so that becomes [`Status::InternalError`].
    #[cold]
    pub fn new(status: Status, message: fmt::Arguments<'_>) -> Self {
        let status = if matches!(status, Status::Ok) { Status::InternalError } else { status };
        #[allow(clippy::useless_conversion, reason = "without an allocator the message is stored as it is")]
        Self { status, message: Message::new(message).into() }
    }

    /// Returns the message in the form that crosses the boundary.
    pub fn as_message(&self) -> &Message {
        &self.message
    }

    /// Returns the status that the guest export returns.
    pub fn status(&self) -> Status {
        self.status
    }

    /// Returns the message; empty if there is none.
    pub fn message(&self) -> &str {
        self.message.as_str()
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        Self::new(status, format_args!(""))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message() {
            "" => write!(f, "{}", self.status),
            message => write!(f, "{}: {message}", self.status),
        }
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests;
