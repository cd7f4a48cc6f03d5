//! The key of test packs.

use kernelpack_manifest::SecretKey;

/// Returns the key that signs test packs.
pub fn key() -> SecretKey {
    SecretKey::from_seed([7; 32])
}
