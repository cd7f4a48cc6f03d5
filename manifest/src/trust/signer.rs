//! The signer of a manifest.

use std::fmt;

use crate::PublicKey;

/// The signer of a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Signer {
    /// The trusted key that made the signature. The manifest's `author.signing_key` plays no part in this.
    pub key: PublicKey,
    /// The key's id in the trust store, if the store has it.
    pub id: Option<String>,
    /// Whether the key may sign native code.
    pub native: bool,
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.id {
            Some(id) => write!(f, "{id} ({})", self.key),
            None => write!(f, "{}", self.key),
        }
    }
}
