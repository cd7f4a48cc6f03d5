//! The reasons why a signature is refused.

use kernelpack_verify::SIGNATURE_BYTES;

use crate::Timestamp;

/// The reason why a signature could not be verified against the trusted keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The verifier trusts no keys at all.
    #[error("no trusted keys are configured; add the public key that signs your packs")]
    NoKeys,
    /// No trusted key made this signature over these bytes.
    #[error(
        "no trusted key signed this manifest; it was changed after signing, or its signer's key is not trusted here"
    )]
    NoTrustedKey,
    /// Every key that the verifier knows has expired or is revoked.
    #[error(
        "no key is trusted any more: of those in the trust store, {revoked} revoked and {expired} expired; add the key \
         that signs your packs now"
    )]
    NoUsableKey {
        /// How many keys are revoked.
        revoked: usize,
        /// How many others have expired, or cannot be judged without a correct clock.
        expired: usize,
    },
    /// The key that signed is revoked.
    #[error(
        "the key {id:?}, which signed this manifest, was revoked at {at}: {reason}; use a pack signed by another key"
    )]
    KeyRevoked {
        /// The key's id in the trust store.
        id: String,
        /// When it was revoked.
        at: Timestamp,
        /// The reason.
        reason: String,
    },
    /// The key that signed has expired.
    #[error(
        "the key {id:?}, which signed this manifest, was trusted until {not_after}, and it is now {now}; use a pack signed \
         by a current key"
    )]
    KeyExpired {
        /// The key's id in the trust store.
        id: String,
        /// The last second in which the key was trusted.
        not_after: Timestamp,
        /// The host's clock.
        now: Timestamp,
    },
    /// The key that signed can expire, but the host's clock is wrong.
    #[error(
        "the key {id:?}, which signed this manifest, is trusted until {not_after}, but the clock of this machine cannot \
         be right; set it"
    )]
    NoClock {
        /// The key's id in the trust store.
        id: String,
        /// The last second in which the key is trusted.
        not_after: Timestamp,
    },
    /// The signature has the wrong size.
    #[error("the signature has {len} bytes, but an Ed25519 signature has {SIGNATURE_BYTES}; fetch the pack again")]
    MalformedSignature {
        /// Bytes given.
        len: usize,
    },
    /// The bytes of a module are not those that were signed.
    #[error("the module's digest is {actual}, but the manifest says {expected}; fetch the pack again")]
    HashMismatch {
        /// The digest in the manifest.
        expected: String,
        /// The digest of the bytes.
        actual: String,
    },
}
