//! What an entry is for: one module and one engine.

use std::hash::{Hash, Hasher};

use kernelpack_manifest::VerifiedModule;
use sha2::{Digest as _, Sha256};

/// All that code depends on besides the module: which engine, of which version, how configured, for which processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of an engine; `settings` is whatever its compiler's output depends on.
    pub fn new(engine: &str, version: &semver::Version, settings: impl Hash) -> Self {
        let mut hasher = Sha256Hasher(Sha256::new());
        // What another release of this crate compiled may have been configured otherwise in ways that no setting tells.
        let ours = [env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH];
        (ours, engine, version, settings).hash(&mut hasher);
        Self(hasher.0.finalize().into())
    }
}

/// What an entry is for. Equal keys mean that the code of one can be taken for the code of the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key([u8; Key::BYTES]);

impl Key {
    /// Bytes of a key: two digests.
    pub(super) const BYTES: usize = 64;

    /// The key of a module, by the digest that its signed manifest gives, and an engine.
    pub fn new(module: &VerifiedModule, engine: Fingerprint) -> Self {
        Self::of(module.hash(), engine)
    }

    /// The same of anything that has a digest.
    pub fn of(module: [u8; 32], engine: Fingerprint) -> Self {
        let mut key = [0; Self::BYTES];
        key[..32].copy_from_slice(&module);
        key[32..].copy_from_slice(&engine.0);
        Self(key)
    }

    /// Whether the code under this key is for the engine with this fingerprint.
    pub fn is_for(&self, engine: Fingerprint) -> bool {
        self.0[32..] == engine.0
    }

    /// The key as entries have it.
    pub(super) fn bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// A file's name: the digest of the key in hexadecimal.
    pub(super) fn name(&self) -> String {
        hex(&Sha256::digest(self.0))
    }
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Collects what is hashed in SHA-256, for a digest that nobody can aim at; the 64 bits of a hasher would be too few.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Never asked for: the digest is taken from the inside.
    fn finish(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests;
