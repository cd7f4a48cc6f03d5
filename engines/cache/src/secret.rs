//! The secret that entries are sealed with: 32 random bytes in a file that only this user can read.

use std::{fmt, io};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::folder::Folder;

/// The size of a seal.
pub(super) const MAC_BYTES: usize = 32;

/// The file's name in the folder.
const FILE: &str = "secret";

const BYTES: usize = 32;

/// Keyed HMAC-SHA256.
pub(super) struct Secret(Hmac<Sha256>);

impl Secret {
    /// Returns the secret of a folder, created if there is none.
    ///
    /// A secret that others could have read, or of another size, is replaced; entries sealed with it become invalid.
    pub(super) fn of(folder: &Folder) -> io::Result<Self> {
        let mut fresh = [0; BYTES];
        // If another process creates the secret first, the second attempt reads it.
        for _ in 0..2 {
            let found = folder.read_private(FILE, BYTES as u64);
            if let Ok(Some(bytes)) = &found
                && let Ok(secret) = <[u8; BYTES]>::try_from(&bytes[..])
            {
                return Ok(Self::new(secret));
            }
            getrandom::fill(&mut fresh).map_err(io::Error::other)?;
            let made = match found {
                Ok(None) => folder.create(FILE, &fresh),
                _ => folder.replace(FILE, &fresh),
            };
            match made {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => return made.map(|()| Self::new(fresh)),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    pub(super) fn new(secret: [u8; BYTES]) -> Self {
        // HMAC pads keys with zeros to its block size.
        let mut key = [0; 64];
        key[..BYTES].copy_from_slice(&secret);
        Self(Hmac::new(&key.into()))
    }

    /// Seals bytes.
    pub(super) fn mac(&self, bytes: &[u8]) -> [u8; MAC_BYTES] {
        self.0.clone().chain_update(bytes).finalize().into_bytes().into()
    }

    /// Returns whether this is the seal of these bytes, compared in constant time.
    pub(super) fn made(&self, mac: &[u8; MAC_BYTES], bytes: &[u8]) -> bool {
        self.0.clone().chain_update(bytes).verify_slice(mac).is_ok()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests;
