//! Keys, the store of trusted keys, and the verifier, which determine who signed a pack and whether to trust the
//! signer.
//!
//! Only this module can make a [`SignedManifest`](crate::SignedManifest) or a
//! [`VerifiedModule`](crate::VerifiedModule), each after its check.

pub(crate) mod error;
pub(crate) mod keys;
pub(crate) mod signed;
pub(crate) mod signer;
pub(crate) mod store;
pub(crate) mod verified;
pub(crate) mod verifier;

#[cfg(test)]
mod tests;
