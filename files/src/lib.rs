//! Reads files that somebody else may have put there: regular files only, of bounded size, without waiting for a writer.
//!
//! [`read`] and its siblings judge the file that was opened, and not what has its name by now. [`check_listing`] compares
//! a pack's folder with its manifest. The host, the packer and the driver of WAMR's compiler read through this crate, so
//! that one file is as good as another to all of them.
#![forbid(unsafe_code)]

mod bounded;
mod listing;

#[cfg(unix)]
pub use bounded::open_in;
pub use bounded::{Links, ReadError, open, read, read_into, read_open, read_secret};
pub use listing::{ListError, MAX_SIGNATURE_FILE_BYTES, check_listing};
