//! The key of test packs.

use kernelpack_manifest::SecretKey;

/// The key that signs test packs.
pub fn key() -> SecretKey {
    SecretKey::from_seed([7; 32])
}
