//! The keys that packs are signed with: Ed25519, in the file formats of OpenSSL.

mod pem;

use std::{fmt, str::FromStr};

use ed25519_dalek::{
    Signer as _, SigningKey, VerifyingKey,
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, KeypairBytes, spki},
};
use kernelpack_verify::BadKey;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use spki::{DecodePublicKey as _, EncodePublicKey as _, der::pem::LineEnding};
use zeroize::Zeroizing;

use crate::trust::verify::SIGNATURE_BYTES;

/// A key that signatures are checked with.
///
/// Its text is `ed25519:` and the base64 of its 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey(kernelpack_verify::PublicKey);

impl PublicKey {
    /// The key with these 32 bytes, as RFC 8032 encodes them.
    ///
    /// # Errors
    /// They are no point of the curve or not its only encoding, or it is one of the few that any signature could fit.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        kernelpack_verify::PublicKey::from_bytes(bytes).map(Self).map_err(|fault| KeyError::of(fault, ""))
    }

    /// Reads a PEM file with a `PUBLIC KEY`, as `openssl pkey -pubout` writes it. Around the key there may be blank lines,
    /// comments and other keys; of several public ones the first is meant.
    ///
    /// # Errors
    /// It is something else, or as for [`from_bytes`](Self::from_bytes).
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let found = pem::find(pem, "PUBLIC KEY").ok_or_else(|| KeyError::of_pem(pem, KeyError::BadPublicPem))?;
        let key = VerifyingKey::from_public_key_pem(&found).map_err(|_| KeyError::BadPublicPem)?;
        Self::from_bytes(&key.to_bytes())
    }

    /// The key's 32 bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The key as a PEM file that OpenSSL reads.
    pub fn to_pem(&self) -> String {
        let key = VerifyingKey::from_bytes(&self.to_bytes()).expect("it was made of one");
        key.to_public_key_pem(LineEnding::LF).expect("a key of fixed size can be encoded")
    }

    /// The key as manifests and people name it, `ed25519:` and base64.
    pub fn id(&self) -> String {
        self.to_string()
    }

    /// Whether this key's owner signed the message; malleable and small-order signatures do not count.
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

/// A key that packs are signed with; wiped from memory when dropped, and never shown.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// The key with this seed, 32 bytes from a source that nobody can guess.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&Zeroizing::new(seed)))
    }

    /// Reads a PEM file with a `PRIVATE KEY` in PKCS#8, as `openssl genpkey -algorithm ed25519` writes it. Around the key
    /// there may be blank lines, comments and other keys; of several secret ones the first is meant.
    ///
    /// # Errors
    /// It is something else, or the key is encrypted. The error says nothing of the file's content.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let found = pem::find(pem, "PRIVATE KEY").ok_or_else(|| KeyError::of_pem(pem, KeyError::BadSecretPem))?;
        SigningKey::from_pkcs8_pem(&found).map(Self).map_err(|_| KeyError::BadSecretPem)
    }

    /// The key as a PEM file, the same that OpenSSL writes.
    pub fn to_pem(&self) -> Zeroizing<String> {
        // Without the public key, for which PKCS#8 would need its second version, that OpenSSL 3.0 does not read.
        let pair = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        pair.to_pkcs8_pem(LineEnding::LF).expect("a key of fixed size can be encoded")
    }

    /// The key that checks what this one signs.
    pub fn public(&self) -> PublicKey {
        PublicKey::from_bytes(&self.0.verifying_key().to_bytes()).expect("no secret key has a weak public one")
    }

    /// The signature of a message; the same message always gets the same one.
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {})", self.public())
    }
}

/// Why something is not a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text does not name a public key.
    #[error("{text:?} is no public key; write \"ed25519:\" and the base64 of its 32 bytes")]
    BadId {
        /// The text.
        text: String,
    },
    /// The PEM file holds no public key of this kind.
    #[error("the file holds no Ed25519 public key in PEM; `openssl pkey -in secret.pem -pubout` writes one")]
    BadPublicPem,
    /// The PEM file holds no secret key of this kind.
    #[error("the file holds no Ed25519 secret key in PEM; `openssl genpkey -algorithm ed25519` writes one")]
    BadSecretPem,
    /// The PEM file holds a secret key under a password.
    #[error(
        "the file holds an encrypted secret key; decrypt it with `openssl pkey -in FILE -out DECRYPTED`, and let nobody else \
         read that"
    )]
    Encrypted,
    /// The file holds a key as `ssh-keygen` writes it, encrypted or not.
    #[error(
        "the file holds a key in OpenSSH's own format, which is not read; `kernelpack keygen` makes a pair that is"
    )]
    OpenSsh,
    /// The bytes are no point of the curve, or another encoding of one than the standard's.
    #[error("the 32 bytes are no Ed25519 public key")]
    NotAPoint,
    /// Signatures of this key would prove nothing.
    #[error("the public key is weak: signatures under it can be made by anyone; use another")]
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

    /// Why a file holds no key of the kind asked for.
    fn of_pem(text: &str, other: Self) -> Self {
        // Who wants a public key is not to be told to decrypt a secret one.
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
mod tests {
    use super::*;

    /// Both files were written by OpenSSL 3.0: `openssl genpkey -algorithm ed25519`, `openssl pkey -pubout`.
    const SECRET: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIFMTGIehjnmcMIdn7h8L132Oz+ztf/MIL1bufnTC5DhG
-----END PRIVATE KEY-----
";
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAv4DPOmDa2NGsFwHM48tNm/kNgWWib1JpdeSlbxFovf0=
-----END PUBLIC KEY-----
";
    const ID: &str = "ed25519:v4DPOmDa2NGsFwHM48tNm/kNgWWib1JpdeSlbxFovf0=";

    #[test]
    fn openssls_files_are_read_and_written_to_the_byte() {
        let secret = SecretKey::from_pem(SECRET).unwrap();
        assert_eq!(secret.to_pem().as_str(), SECRET);
        let public = PublicKey::from_pem(PUBLIC).unwrap();
        assert_eq!(public.to_pem(), PUBLIC);
        assert_eq!(secret.public(), public);
        assert_eq!((public.id().as_str(), public.to_string().as_str()), (ID, ID));
        assert_eq!(ID.parse(), Ok(public));
        assert_eq!(PublicKey::from_bytes(&public.to_bytes()), Ok(public));
    }

    /// The PKCS#8 version 2 file of RFC 8410, section 10.3, has the public key and an attribute too; without the
    /// attribute it is what other tools write.
    #[test]
    fn the_second_version_of_pkcs8_is_read() {
        let secret = SecretKey::from_seed([3; 32]);
        let pem = secret.0.to_pkcs8_pem(LineEnding::LF).unwrap();
        assert_ne!(*pem, *secret.to_pem());
        assert_eq!(SecretKey::from_pem(&pem).unwrap().public(), secret.public());
    }

    /// RFC 8032, section 7.1, test 1.
    #[test]
    fn the_standards_example_is_signed_alike() {
        let hex = |text: &str| -> Vec<u8> {
            (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
        };
        let seed = hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        let public = hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        let signature = hex(
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        );
        let secret = SecretKey::from_seed(seed.try_into().unwrap());
        assert_eq!(secret.public().to_bytes().as_slice(), public);
        assert_eq!(secret.sign(b"").as_slice(), signature);
        assert!(secret.public().verifies(b"", &secret.sign(b"")));
        assert!(!secret.public().verifies(b"x", &secret.sign(b"")));
    }

    #[test]
    fn a_secret_key_never_shows_itself() {
        let secret = SecretKey::from_pem(SECRET).unwrap();
        assert_eq!(format!("{secret:?}"), format!("SecretKey(of {ID})"));
        assert_eq!(format!("{secret:#?}"), format!("SecretKey(of {ID})"));
    }

    #[test]
    fn other_texts_are_refused() {
        for bad in
            ["", "ed25519:", "rsa:AAAA", &ID[8..], &ID[..ID.len() - 1], &ID.replace('v', "!"), &format!("{ID}\n")]
        {
            assert_eq!(bad.parse::<PublicKey>(), Err(KeyError::BadId { text: bad.into() }));
        }
        assert_eq!(PublicKey::from_pem(SECRET), Err(KeyError::BadPublicPem));
        assert_eq!(SecretKey::from_pem(PUBLIC).map(|_| ()), Err(KeyError::BadSecretPem));
        assert_eq!(SecretKey::from_pem("").map(|_| ()), Err(KeyError::BadSecretPem));
    }

    #[test]
    fn what_is_around_a_key_does_not_matter() {
        let (secret, public) = (SecretKey::from_pem(SECRET).unwrap().public(), PublicKey::from_pem(PUBLIC).unwrap());
        for around in ["\n\n{}\n\n", "\u{feff}# mine\n{}# ours", "{PUBLIC}\n{}", "{SECRET}{}", "x\n{}-----BEGIN X-----"]
        {
            for lines in ["\n", "\r\n", " \n", "\t \r\n"] {
                let with = |key: &str| {
                    let text = around.replace("{PUBLIC}", PUBLIC).replace("{SECRET}", SECRET);
                    text.replace("{}", key).replace('\n', lines)
                };
                assert_eq!(
                    SecretKey::from_pem(&with(SECRET)).map(|key| key.public()),
                    Ok(secret),
                    "{around:?} {lines:?}"
                );
                assert_eq!(PublicKey::from_pem(&with(PUBLIC)), Ok(public), "{around:?} {lines:?}");
            }
        }
        // The first key is meant, and not the first that can be read.
        let other = SecretKey::from_seed([1; 32]).public();
        assert_eq!(PublicKey::from_pem(&format!("{}{PUBLIC}", other.to_pem())), Ok(other));
        let broken = PUBLIC.replace("MCow", "MCox");
        assert_eq!(PublicKey::from_pem(&format!("{broken}{PUBLIC}")), Err(KeyError::BadPublicPem));
    }

    #[test]
    fn keys_under_a_password_and_in_another_format_are_told() {
        let secret = |text: &str| SecretKey::from_pem(text).map(|_| ());
        let encrypted = SECRET.replace("PRIVATE", "ENCRYPTED PRIVATE");
        assert_eq!(secret(&encrypted), Err(KeyError::Encrypted));
        assert_eq!(secret(&format!("\n# mine\r\n{encrypted}")), Err(KeyError::Encrypted));
        assert!(KeyError::Encrypted.to_string().contains("`openssl pkey -in FILE -out DECRYPTED`"));
        assert_eq!(PublicKey::from_pem(&encrypted), Err(KeyError::BadPublicPem));
        assert_eq!(secret(&SECRET.replace("PRIVATE", "OPENSSH PRIVATE")), Err(KeyError::OpenSsh));
        assert_eq!(PublicKey::from_pem("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me"), Err(KeyError::OpenSsh));
    }

    #[test]
    fn keys_that_anybody_can_sign_for_are_refused() {
        // The neutral element, of order 1.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        assert_eq!(PublicKey::from_bytes(&neutral), Err(KeyError::Weak));
        assert_eq!(PublicKey::from_bytes(&[0; 32]), Err(KeyError::Weak));
        // y = 2 is on no point of the curve.
        let mut two = [0; 32];
        two[0] = 2;
        assert_eq!(PublicKey::from_bytes(&two), Err(KeyError::NotAPoint));
    }

    #[test]
    fn a_key_has_one_encoding() {
        // The y coordinates 0 to 18 fit into 255 bits once more, with p added.
        let mut reducible = 0;
        for y in 0..19 {
            for sign in [0, 0x80] {
                let mut bytes = [0xff; 32];
                (bytes[0], bytes[31]) = (0xed + y, 0x7f | sign);
                assert!(PublicKey::from_bytes(&bytes).is_err(), "{y}");
                reducible += u32::from(VerifyingKey::from_bytes(&bytes).is_ok_and(|key| !key.is_weak()));
            }
        }
        assert!(reducible > 0, "the library refuses them by itself now");
        // The largest y below p that is on a point.
        let mut largest = [0xff; 32];
        largest[31] = 0x7f;
        let found = (0..0xed).rev().any(|low| {
            largest[0] = low;
            PublicKey::from_bytes(&largest).is_ok()
        });
        assert!(found);
    }
}
