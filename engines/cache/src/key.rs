//! Cache keys, each of one module and one engine.

use std::hash::{Hash, Hasher};

use kernelpack_manifest::VerifiedModule;
use sha2::{Digest as _, Sha256};

/// Identifies everything that code depends on besides the module: the engine, its version and configuration, and the
/// processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Returns the fingerprint of an engine; `settings` must contain everything that its compiler's output depends on.
    pub fn new(engine: &str, version: &semver::Version, settings: impl Hash) -> Self {
        let mut hasher = Sha256Hasher(Sha256::new());
        // Another release of this crate may configure the engine differently in ways that the settings do not show.
        let ours = [env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH];
        (ours, engine, version, settings).hash(&mut hasher);
        Self(hasher.0.finalize().into())
    }
}

/// The module and the engine that an entry belongs to. Code under equal keys is interchangeable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key([u8; Key::BYTES]);

impl Key {
    /// The size of a key: two digests.
    pub(super) const BYTES: usize = 64;

    /// Returns the key for an engine and a module, which is identified by the digest in its signed manifest.
    pub fn new(module: &VerifiedModule, engine: Fingerprint) -> Self {
        Self::of(module.hash(), engine)
    }

    /// Returns the key for an engine and anything that has a digest.
    pub fn of(module: [u8; 32], engine: Fingerprint) -> Self {
        let mut key = [0; Self::BYTES];
        key[..32].copy_from_slice(&module);
        key[32..].copy_from_slice(&engine.0);
        Self(key)
    }

    /// Returns whether code under this key is for the engine with this fingerprint.
    pub fn is_for(&self, engine: Fingerprint) -> bool {
        self.0[32..] == engine.0
    }

    /// Returns the key as entries store it.
    pub(super) fn bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// Returns the entry's file name: the digest of the key in hexadecimal.
    pub(super) fn name(&self) -> String {
        hex(&Sha256::digest(self.0))
    }
}

/// Writes bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A hasher that feeds SHA-256, since an attacker can find collisions of a 64-bit hash.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Never called: `Fingerprint::new` takes the digest from the field.
    fn finish(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests;
