//! The keys that sign packs: Ed25519 keys, in OpenSSL's file formats.

mod pem;

use std::{fmt, str::FromStr};

use ed25519_dalek::{
    Signer as _, SigningKey, VerifyingKey,
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, KeypairBytes, spki},
};
use kernelpack_verify::{BadKey, SIGNATURE_BYTES};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use spki::{DecodePublicKey as _, EncodePublicKey as _, der::pem::LineEnding};
use zeroize::Zeroizing;

/// A key that verifies signatures, written as `ed25519:` and the base64 of its 32 bytes.
///
/// # Example: the key that a release engineer hands out
/// ```
/// use kernelpack_manifest::{PublicKey, SecretKey};
///
/// let key = SecretKey::from_seed([7; 32]).public();
/// assert_eq!(PublicKey::from_pem(&key.to_pem())?, key);
/// assert!(key.id().starts_with("ed25519:"));
/// # Ok::<(), kernelpack_manifest::KeyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey(kernelpack_verify::PublicKey);

impl PublicKey {
    /// Makes the key from these 32 bytes, as RFC 8032 encodes them.
    ///
    /// # Errors
    /// The bytes are not the canonical encoding of a point on the curve, or the key is weak: one of the few for which
    /// anyone can forge signatures.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        kernelpack_verify::PublicKey::from_bytes(bytes).map(Self).map_err(|fault| KeyError::of(fault, ""))
    }

    /// Reads a PEM file with a `PUBLIC KEY`, as `openssl pkey -pubout` writes it.
    ///
    /// Blank lines, comments and other keys may surround the key. If there are several public keys, the first is used.
    ///
    /// # Errors
    /// The file contains no public key, or one that [`from_bytes`](Self::from_bytes) refuses.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let found = pem::find(pem, "PUBLIC KEY").ok_or_else(|| KeyError::of_pem(pem, KeyError::BadPublicPem))?;
        let key = VerifyingKey::from_public_key_pem(&found).map_err(|_| KeyError::BadPublicPem)?;
        Self::from_bytes(&key.to_bytes())
    }

    /// Returns the key's 32 bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Returns the key as a PEM file that OpenSSL reads.
    pub fn to_pem(&self) -> String {
        let key = VerifyingKey::from_bytes(&self.to_bytes()).expect("the bytes are those of a key");
        key.to_public_key_pem(LineEnding::LF).expect("a key of fixed size can be encoded")
    }

    /// Returns the key's name in manifests and messages: `ed25519:` and base64.
    pub fn id(&self) -> String {
        self.to_string()
    }

    /// Returns whether this is the key's signature of the message; malleable and small-order signatures are refused.
    pub fn verifies(&self, message: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
        self.0.verifies(message, signature)
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        kernelpack_verify::PublicKey::parse(text).map(Self).map_err(|fault| KeyError::of(fault, text))
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.id())
    }
}

/// A key that signs packs. Dropping it wipes it from memory, and its `Debug` output does not contain it.
///
/// # Example: a signature that the public key verifies
/// ```
/// use std::time::SystemTime;
///
/// use kernelpack_manifest::{KernelPackVerifier, Rejected, SecretKey};
///
/// let key = SecretKey::from_seed([7; 32]);
/// let signature = key.sign(b"{}");
/// let verified = KernelPackVerifier::new([key.public()]).verify(b"{}", &signature, SystemTime::now());
/// // The signature is good; the manifest is not.
/// assert!(matches!(verified, Err(Rejected::Malformed { .. })));
/// ```
#[derive(Clone)]
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// Makes the key from this seed, which must be 32 bytes of secure randomness.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&Zeroizing::new(seed)))
    }

    /// Reads a PEM file with a `PRIVATE KEY` in PKCS#8, as `openssl genpkey -algorithm ed25519` writes it.
    ///
    /// Blank lines, comments and other keys may surround the key. If there are several secret keys, the first is used.
    ///
    /// # Errors
    /// The file contains no secret key, or the key is encrypted. The error reveals nothing of the file's content.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let found = pem::find(pem, "PRIVATE KEY").ok_or_else(|| KeyError::of_pem(pem, KeyError::BadSecretPem))?;
        SigningKey::from_pkcs8_pem(&found).map(Self).map_err(|_| KeyError::BadSecretPem)
    }

    /// Returns the key as a PEM file, identical to OpenSSL's.
    pub fn to_pem(&self) -> Zeroizing<String> {
        // The public key is left out: with it, PKCS#8 would need version 2, which OpenSSL 3.0 does not read.
        let pair = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        pair.to_pkcs8_pem(LineEnding::LF).expect("a key of fixed size can be encoded")
    }

    /// Returns the public key that verifies this key's signatures.
    pub fn public(&self) -> PublicKey {
        PublicKey::from_bytes(&self.0.verifying_key().to_bytes()).expect("no secret key has a weak public one")
    }

    /// Signs a message. The same message always gets the same signature.
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {})", self.public())
    }
}

/// The reason why something is not a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text does not name a public key.
    #[error("{text:?} is not a public key; write \"ed25519:\" and the base64 of its 32 bytes")]
    BadId {
        /// The text.
        text: String,
    },
    /// The PEM file contains no Ed25519 public key.
    #[error("the file contains no Ed25519 public key in PEM format; `openssl pkey -in secret.pem -pubout` writes one")]
    BadPublicPem,
    /// The PEM file contains no Ed25519 secret key.
    #[error("the file contains no Ed25519 secret key in PEM format; `openssl genpkey -algorithm ed25519` writes one")]
    BadSecretPem,
    /// The PEM file contains a secret key that is encrypted with a password.
    #[error(
        "the file contains an encrypted secret key; decrypt it with `openssl pkey -in FILE -out DECRYPTED`, and keep \
         the result private"
    )]
    Encrypted,
    /// The file contains a key in the format of `ssh-keygen`, encrypted or not.
    #[error(
        "the file contains a key in OpenSSH's own format, which is not supported; make a key pair with `kernelpack keygen`"
    )]
    OpenSsh,
    /// The bytes are not the canonical encoding of a point on the curve.
    #[error("the 32 bytes are not an Ed25519 public key")]
    NotAPoint,
    /// Anyone can forge signatures by this key.
    #[error("the public key is weak: anyone can forge its signatures; use another")]
    Weak,
}

impl KeyError {
    fn of(fault: BadKey, text: &str) -> Self {
        match fault {
            BadKey::Weak => Self::Weak,
            BadKey::NotAPoint => Self::NotAPoint,
            _ => Self::BadId { text: text.to_owned() },
        }
    }

    /// Returns why a file does not contain a key of the requested kind.
    fn of_pem(text: &str, other: Self) -> Self {
        // A caller that wants a public key must not be told to decrypt a secret one.
        if other == Self::BadSecretPem && pem::labels(text).any(|label| label == "ENCRYPTED PRIVATE KEY") {
            Self::Encrypted
        } else if text.trim_start().starts_with("ssh-") || pem::labels(text).any(|label| label == "OPENSSH PRIVATE KEY")
        {
            Self::OpenSsh
        } else {
            other
        }
    }
}

#[cfg(test)]
mod tests;
