//! The bytes of an entry, and the type that proves that this user made them.
//!
//! ```text
//! offset   size  what
//! 0        8     "kpcode" and two zeros
//! 8        4     version of the format, 1, little-endian
//! 12       32    SHA-256 of the module
//! 44       32    fingerprint of the engine
//! 76       8     length of the code, n, little-endian
//! 84       n     the code, as the engine serialized it
//! 84 + n   32    HMAC-SHA256 of all that goes before, under the folder's secret
//! ```

use super::{EntryFault, Key, Secret, secret::MAC_BYTES};

const MAGIC: &[u8; 8] = b"kpcode\0\0";
const VERSION: u32 = 1;
const KEY: usize = 12;
const LENGTH: usize = KEY + Key::BYTES;
const ARTIFACT: usize = LENGTH + 8;

/// Compiled code that a process of this user sealed for the module and the engine in its key.
///
/// Only [`CompileCache::load`](crate::CompileCache::load) makes one, after it checked the seal and the key.
#[derive(Debug)]
pub struct TrustedArtifact {
    key: Key,
    entry: Vec<u8>,
}

impl TrustedArtifact {
    /// Returns the module and the engine that the code belongs to.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Returns the code, as the engine serialized it.
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

/// Checks that the holder of the secret made this entry for this key.
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
mod tests;
