//! Reads files that somebody else may have put there: regular files only, of bounded size, without waiting for a
//! writer.
//!
//! [`read`] and its siblings check the file that was opened, rather than whatever has its name later. [`check_listing`]
//! compares a pack's folder with its manifest. The host, the packer and the driver of WAMR's compiler all read through
//! this crate, so that they apply the same rules.
#![forbid(unsafe_code)]

mod bounded;
mod listing;
mod shortage;

#[cfg(unix)]
pub use bounded::open_in;
pub use bounded::{Links, ReadError, open, read, read_into, read_open, read_secret};
pub use listing::{ListError, check_listing};
pub use shortage::is_shortage;
