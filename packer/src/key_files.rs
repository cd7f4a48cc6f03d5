//! Reads keys from their files.

use std::{
    io,
    path::{Path, PathBuf},
};

use kernelpack_files::{Links, read_secret};
use kernelpack_manifest::{KeyError, PublicKey, SecretKey};
use zeroize::Zeroizing;

/// The size limit of a key's file; a PEM key is far smaller, even with text around it.
const MAX_BYTES: u64 = 64 << 10;

/// The end of the labels of secret keys, including encrypted ones.
const SECRET_LABEL: &str = "PRIVATE KEY-----";
const PUBLIC_LABEL: &str = "-----BEGIN PUBLIC KEY-----";

/// Reads a secret key, as [`generate`](crate::generate) or `openssl genpkey -algorithm ed25519` writes it.
///
/// # Errors
/// The file cannot be read, is a pipe or a device, or does not hold such a key.
pub fn load_secret_key(path: &Path) -> Result<SecretKey, KeyFileError> {
    let text = read(path)?;
    SecretKey::from_pem(&text).map_err(|fault| match fault {
        KeyError::Encrypted => KeyFileError::Encrypted { path: path.into() },
        _ if text.contains(PUBLIC_LABEL) => KeyFileError::Public { path: path.into() },
        fault => KeyFileError::NotAKey { path: path.into(), fault },
    })
}

/// Reads a public key, as [`generate`](crate::generate) or `openssl pkey -pubout` writes it.
///
/// # Errors
/// The file cannot be read, is a pipe or a device, or does not hold such a key.
pub fn load_public_key(path: &Path) -> Result<PublicKey, KeyFileError> {
    let text = read(path)?;
    PublicKey::from_pem(&text).map_err(|fault| match text.contains(SECRET_LABEL) {
        true => KeyFileError::Secret { path: path.into() },
        false => KeyFileError::NotAKey { path: path.into(), fault },
    })
}

fn read(path: &Path) -> Result<Zeroizing<String>, KeyFileError> {
    let failed = |error| KeyFileError::Read { path: path.into(), error };
    let mut bytes = read_secret(path, MAX_BYTES, Links::Follow).map_err(|error| failed(error.into()))?;
    // Text around a key may be in any encoding; the key itself is ASCII.
    if str::from_utf8(&bytes).is_err() {
        bytes.iter_mut().filter(|byte| !byte.is_ascii()).for_each(|byte| *byte = b'?');
    }
    String::from_utf8(std::mem::take(&mut *bytes)).map(Zeroizing::new).map_err(|error| {
        let fault = io::Error::new(io::ErrorKind::InvalidData, error.utf8_error());
        drop(Zeroizing::new(error.into_bytes()));
        failed(fault)
    })
}

/// The reason why a key cannot be read from a file. The error reveals nothing of the file's content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The file holds a public key, but a secret one is needed.
    #[error("{} holds a public key, but signing needs the secret one: give the .key file", path.display())]
    Public {
        /// The file.
        path: PathBuf,
    },
    /// The file holds a secret key, but a public one is needed.
    #[error("{} holds a secret key, which must not be passed around: give the .pub file", path.display())]
    Secret {
        /// The file.
        path: PathBuf,
    },
    /// The secret key is encrypted.
    #[error(
        "{} holds an encrypted secret key, but signing needs it decrypted: run `openssl pkey -in {} -out decrypted.key`",
        path.display(), path.display()
    )]
    Encrypted {
        /// The file.
        path: PathBuf,
    },
    /// The file does not hold a key of this kind.
    #[error("{}: {fault}", path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
        /// The fault.
        fault: KeyError,
    },
    /// The file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
}
