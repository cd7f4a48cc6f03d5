//! The bytes of an entry, and the type that proves that they are ours.
//!
//! ```text
//! offset   size  what
//! 0        8     "kpcode" and two zeros
//! 8        4     version of the format, 1, little-endian
//! 12       32    SHA-256 of the module
//! 44       32    fingerprint of the engine
//! 76       8     n, little-endian
//! 84       n     what the engine made of the module
//! 84 + n   32    HMAC-SHA256 of all that goes before, under the folder's secret
//! ```

use super::{EntryFault, Key, Secret, secret::MAC_BYTES};

const MAGIC: &[u8; 8] = b"kpcode\0\0";
const VERSION: u32 = 1;
const KEY: usize = 12;
const LENGTH: usize = KEY + Key::BYTES;
const ARTIFACT: usize = LENGTH + 8;

/// Compiled code that this user's own process sealed for the module and the engine of its key.
///
/// It is made by `open` only, which checks exactly that.
#[derive(Debug)]
pub struct TrustedArtifact {
    key: Key,
    entry: Vec<u8>,
}

impl TrustedArtifact {
    /// The module and the engine that the code is of and for.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The code, as the engine serialized it.
    pub fn code(&self) -> &[u8] {
        &self.entry[ARTIFACT..self.entry.len() - MAC_BYTES]
    }
}

/// Makes an entry.
pub(super) fn seal(artifact: &[u8], key: &Key, secret: &Secret) -> Vec<u8> {
    let mut entry = Vec::with_capacity(ARTIFACT + artifact.len() + MAC_BYTES);
    entry.extend_from_slice(MAGIC);
    entry.extend_from_slice(&VERSION.to_le_bytes());
    entry.extend_from_slice(key.bytes());
    entry.extend_from_slice(&(artifact.len() as u64).to_le_bytes());
    entry.extend_from_slice(artifact);
    let mac = secret.mac(&entry);
    entry.extend_from_slice(&mac);
    entry
}

/// Checks that somebody who holds the secret made this entry, and for this key.
pub(super) fn open(entry: Vec<u8>, key: &Key, secret: &Secret) -> Result<TrustedArtifact, EntryFault> {
    let Some((sealed, mac)) = entry.split_last_chunk::<MAC_BYTES>() else { return Err(EntryFault::Malformed) };
    let head = sealed.get(..ARTIFACT).ok_or(EntryFault::Malformed)?;
    let length = (sealed.len() - ARTIFACT) as u64;
    if head[..8] != MAGIC[..] || head[8..KEY] != VERSION.to_le_bytes() || head[LENGTH..] != length.to_le_bytes() {
        return Err(EntryFault::Malformed);
    }
    if head[KEY..LENGTH] != key.bytes()[..] {
        return Err(EntryFault::OfAnotherKey);
    }
    if !secret.made(mac, sealed) {
        return Err(EntryFault::Forged);
    }
    Ok(TrustedArtifact { key: key.clone(), entry })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fingerprint;

    fn key(module: u8, settings: u8) -> Key {
        Key::of([module; 32], Fingerprint::new("engine", &semver::Version::new(1, 0, 0), settings))
    }

    #[test]
    fn what_was_sealed_comes_out() {
        let (key, secret) = (key(1, 1), Secret::new([7; 32]));
        for artifact in [&b""[..], b"code", &[0xab; 1000]] {
            let opened = open(seal(artifact, &key, &secret), &key, &secret).unwrap();
            assert_eq!((opened.code(), opened.key()), (artifact, &key));
        }
    }

    #[test]
    fn every_changed_bit_and_every_cut_is_noticed() {
        let (key, secret) = (key(1, 1), Secret::new([7; 32]));
        let good = seal(b"some code", &key, &secret);
        for at in 0..good.len() * 8 {
            let mut entry = good.clone();
            entry[at / 8] ^= 1 << (at % 8);
            let expected = match at / 8 {
                0..KEY | LENGTH..ARTIFACT => EntryFault::Malformed,
                KEY..LENGTH => EntryFault::OfAnotherKey,
                _ => EntryFault::Forged,
            };
            assert_eq!(open(entry, &key, &secret).unwrap_err(), expected, "bit {at}");
        }
        for length in 0..good.len() {
            assert_eq!(open(good[..length].to_vec(), &key, &secret).unwrap_err(), EntryFault::Malformed, "{length}");
        }
        assert_eq!(open([&good[..], b"x"].concat(), &key, &secret).unwrap_err(), EntryFault::Malformed);
    }

    #[test]
    fn entries_of_others_are_refused() {
        let (one, secret) = (key(1, 1), Secret::new([7; 32]));
        let entry = seal(b"some code", &one, &secret);
        for other in [key(2, 1), key(1, 2)] {
            assert_eq!(open(entry.clone(), &other, &secret).unwrap_err(), EntryFault::OfAnotherKey);
        }
        assert_eq!(open(entry, &one, &Secret::new([8; 32])).unwrap_err(), EntryFault::Forged);
        // The key rewritten to fit breaks the seal.
        let mut moved = seal(b"other code", &key(2, 1), &secret);
        moved[KEY..LENGTH].copy_from_slice(one.bytes());
        assert_eq!(open(moved, &one, &secret).unwrap_err(), EntryFault::Forged);
    }
}
