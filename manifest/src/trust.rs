//! Who vouches for a pack: keys, the store of trusted ones, and the verifier of signatures.

pub(crate) mod keys;
pub(crate) mod store;
pub(crate) mod verify;
