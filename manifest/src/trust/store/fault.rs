//! The reasons why a trust store cannot be used.

use crate::{
    JsonFault, Timestamp,
    trust::store::{MAX_TRUST_STORE_BYTES, MAX_TRUSTED_KEYS, TRUST_STORE_VERSION},
};

/// The reason why a trust store cannot be read or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustStoreError {
    /// The file has too many bytes.
    #[error("it is larger than the limit of {MAX_TRUST_STORE_BYTES} bytes; name the file of a trust store")]
    TooLarge,
    /// The file is a folder, a pipe or a device.
    #[error("it is not a regular file; name the file of a trust store")]
    NotAFile,
    /// Every user of the machine may change the file, and so decide which keys are trusted.
    #[error("everyone may write to it (mode {mode:03o}), so its keys cannot be trusted; run `chmod o-w` on it")]
    WritableByAll {
        /// The permissions.
        mode: u32,
    },
    /// The file follows another version of the format.
    #[error(
        "it has version {found}, but this build reads {TRUST_STORE_VERSION}; {}",
        if *found > u64::from(TRUST_STORE_VERSION) { "use a newer kernelpack" } else { "write it again" }
    )]
    Version {
        /// The version found.
        found: u64,
    },
    /// The file is not the expected JSON.
    #[error(transparent)]
    Json(#[from] JsonFault),
    /// There are too many keys.
    #[error("it has {count} keys, more than the limit of {MAX_TRUSTED_KEYS}; remove some that expired long ago")]
    TooManyKeys {
        /// How many keys there would be.
        count: usize,
    },
    /// An id is not a valid name.
    #[error(
        "{id:?} is not a key id; use 1 to 64 ASCII letters, digits, '.', '_' and '-', beginning with a letter or digit"
    )]
    BadId {
        /// The id.
        id: String,
    },
    /// Two keys have the same id.
    #[error("two keys have the id {id:?}; give each its own")]
    DuplicateId {
        /// The id.
        id: String,
    },
    /// One key has two ids, so it would stay trusted when one of them is revoked.
    #[error("{first:?} and {second:?} are the same key; keep one")]
    DuplicateKey {
        /// One id.
        first: String,
        /// The other.
        second: String,
    },
    /// A text for people is missing or too long, or could deceive people who read it on a terminal.
    #[error(
        "the {field} of the key {id:?} is {text:?}; write {} bytes on one line, without control characters",
        if *field == "reason" { "1 to 256" } else { "at most 256" }
    )]
    BadText {
        /// The key's id.
        id: String,
        /// The field.
        field: &'static str,
        /// The text.
        text: String,
    },
    /// The store has no key with this id.
    #[error("it has no key {id:?}; known keys: {}", list(known))]
    UnknownId {
        /// The id.
        id: String,
        /// The ids that the store has.
        known: Vec<String>,
    },
    /// The key is revoked, which is final.
    #[error("the key {id:?} was revoked at {at}: {reason}; that is final, so make a new key")]
    Revoked {
        /// The key's id.
        id: String,
        /// When it was revoked.
        at: Timestamp,
        /// The reason.
        reason: String,
    },
}

fn list(known: &[String]) -> String {
    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
}
