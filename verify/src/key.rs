//! The keys that sign packs: Ed25519 as in RFC 8032, but without the ambiguities that the RFC permits.

use core::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, VerifyingKey};

/// Bytes of a public key.
pub const KEY_BYTES: usize = 32;
/// Bytes of a signature.
pub const SIGNATURE_BYTES: usize = 64;

const PREFIX: &str = "ed25519:";
const BASE64_BYTES: usize = 44;

/// A key that verifies signatures, written as `ed25519:` and the base64 of its 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Makes the key from these 32 bytes, as RFC 8032 encodes them.
    ///
    /// # Errors
    /// The bytes are not the canonical encoding of a point on the curve, or the key is weak: one of the few for which
    /// anyone can forge signatures.
    pub fn from_bytes(bytes: &[u8; KEY_BYTES]) -> Result<Self, BadKey> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| BadKey::NotAPoint)?;
        if key.is_weak() {
            return Err(BadKey::Weak);
        }
        // RFC 8032, section 5.1.3, requires the y coordinate to be below p = 2^255 - 19. The library reduces larger
        // ones, which would give some keys a second encoding.
        let [low, rest @ .., high] = bytes;
        if *low >= 0xed && *rest == [0xff; 30] && high & 0x7f == 0x7f {
            return Err(BadKey::NotAPoint);
        }
        Ok(Self(key))
    }

    /// Parses a key.
    ///
    /// # Errors
    /// The text does not have the form of a key, or [`from_bytes`](Self::from_bytes) refuses the key.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        let base64 = text.strip_prefix(PREFIX).filter(|base64| base64.len() == BASE64_BYTES).ok_or(BadKey::BadText)?;
        // The decoder requires room for 33 bytes to decode 44 digits.
        let mut buffer = [0; KEY_BYTES + 1];
        let decoded = STANDARD.decode_slice(base64, &mut buffer).map_err(|_| BadKey::BadText)?;
        let bytes = buffer.get(..decoded).and_then(|bytes| bytes.try_into().ok()).ok_or(BadKey::BadText)?;
        Self::from_bytes(bytes)
    }

    /// Returns the key's 32 bytes.
    pub fn to_bytes(&self) -> [u8; KEY_BYTES] {
        self.0.to_bytes()
    }

    /// Returns whether this is the key's signature of the message; malleable and small-order signatures are refused.
    pub fn verifies(&self, message: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut base64 = [0; BASE64_BYTES];
        // Neither conversion can fail: 32 bytes are 44 digits, and all digits are ASCII.
        let len = STANDARD.encode_slice(self.to_bytes(), &mut base64).map_err(|_| fmt::Error)?;
        let digits = base64.get(..len).and_then(|digits| str::from_utf8(digits).ok()).ok_or(fmt::Error)?;
        write!(f, "{PREFIX}{digits}")
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// The reason why something is not a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadKey {
    /// The text is not `ed25519:` and the base64 of 32 bytes.
    BadText,
    /// The bytes are not the canonical encoding of a point on the curve.
    NotAPoint,
    /// Anyone can forge signatures by this key.
    Weak,
}

impl fmt::Display for BadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadText => "it is not a public key; write \"ed25519:\" and the base64 of its 32 bytes",
            Self::NotAPoint => "the 32 bytes are not an Ed25519 public key",
            Self::Weak => "the public key is weak: anyone can forge its signatures; use another",
        })
    }
}

impl core::error::Error for BadKey {}
