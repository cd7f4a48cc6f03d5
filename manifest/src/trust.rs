//! Who vouches for a pack: keys, the store of trusted ones, and the verifier of signatures.
//!
//! A [`SignedManifest`](crate::SignedManifest) and a [`VerifiedModule`](crate::VerifiedModule) can be made in this module
//! only, each behind its check.

pub(crate) mod error;
pub(crate) mod keys;
pub(crate) mod signed;
pub(crate) mod store;
pub(crate) mod verified;
pub(crate) mod verifier;

#[cfg(test)]
mod tests;
