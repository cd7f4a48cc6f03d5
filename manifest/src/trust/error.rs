//! Why a signature does not hold.

use kernelpack_verify::SIGNATURE_BYTES;

use crate::Timestamp;

/// Why bytes are not those that somebody trusted has signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The host trusts no key at all.
    #[error("no trusted keys are configured; add the public key that signs your packs")]
    NoKeys,
    /// No trusted key made this signature over these bytes.
    #[error(
        "no trusted key signed this manifest; it was changed after signing, or its signer's key is not trusted here"
    )]
    NoTrustedKey,
    /// The trust store has keys, but none that is trusted now, and no other key is.
    #[error(
        "no key is trusted any more: of those in the trust store, {revoked} revoked and {expired} expired; add the key \
         that signs your packs now"
    )]
    NoUsableKey {
        /// How many keys are revoked.
        revoked: usize,
        /// How many others have expired, or cannot be judged without a clock.
        expired: usize,
    },
    /// A key of the trust store signed, and it is revoked.
    #[error(
        "the key {id:?}, which signed this manifest, was revoked at {at}: {reason}; use a pack signed by another key"
    )]
    KeyRevoked {
        /// The key's id in the trust store.
        id: String,
        /// When it was revoked.
        at: Timestamp,
        /// Why.
        reason: String,
    },
    /// A key of the trust store signed, and its time is over.
    #[error(
        "the key {id:?}, which signed this manifest, was trusted until {not_after}, and it is now {now}; use a pack signed \
         by a current key"
    )]
    KeyExpired {
        /// The key's id in the trust store.
        id: String,
        /// The last second that it was trusted in.
        not_after: Timestamp,
        /// The host's clock.
        now: Timestamp,
    },
    /// A key of the trust store signed, and whether its time is over cannot be known.
    #[error(
        "the key {id:?}, which signed this manifest, is trusted until {not_after}, but the clock of this machine cannot \
         be right; set it"
    )]
    NoClock {
        /// The key's id in the trust store.
        id: String,
        /// The last second that it is trusted in.
        not_after: Timestamp,
    },
    /// The signature has another size than signatures have.
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
