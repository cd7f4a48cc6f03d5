//! Checks signatures against the keys that a device trusts.

use crate::{BadKey, KEY_BYTES, MAX_MANIFEST_BYTES, PublicKey, Refused, SIGNATURE_BYTES, SignedManifest};

/// A key that a device trusts. It can be in read-only memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustedKey {
    /// The key's 32 bytes.
    pub key: [u8; KEY_BYTES],
    /// The last second in which the key is trusted, as Unix time; without it, the key does not expire.
    pub not_after: Option<u64>,
    /// Whether the key is revoked, which applies to everything that it ever signed.
    pub revoked: bool,
    /// Whether the key may also sign native code, which no sandbox confines.
    pub native: bool,
}

impl TrustedKey {
    /// Makes an entry for a key that does not expire and may sign WebAssembly only.
    pub const fn new(key: [u8; KEY_BYTES]) -> Self {
        Self { key, not_after: None, revoked: false, native: false }
    }

    /// Sets the last second in which the key is trusted, as Unix time.
    #[must_use]
    pub const fn until(self, not_after: u64) -> Self {
        Self { not_after: Some(not_after), ..self }
    }

    /// Revokes the key.
    #[must_use]
    pub const fn revoked(self) -> Self {
        Self { revoked: true, ..self }
    }

    /// Lets the key also sign native code.
    #[must_use]
    pub const fn with_native(self) -> Self {
        Self { native: true, ..self }
    }

    fn judge(&self, index: usize, now: Option<u64>) -> Result<(), Refused> {
        match (self.revoked, self.not_after, now) {
            (true, ..) => Err(Refused::KeyRevoked { index }),
            // Fail closed: without a clock, the key may have expired.
            (false, Some(_), None) => Err(Refused::NoClock { index }),
            (false, Some(not_after), Some(now)) if now > not_after => Err(Refused::KeyExpired { index, not_after }),
            _ => Ok(()),
        }
    }
}

/// Checks manifests against the keys of a device.
#[derive(Clone, Copy, Debug)]
pub struct Verifier<'k> {
    keys: &'k [TrustedKey],
}

impl<'k> Verifier<'k> {
    /// Makes a verifier with these keys. If a key is listed more than once, the strictest entry applies.
    pub const fn new(keys: &'k [TrustedKey]) -> Self {
        Self { keys }
    }

    /// Checks that a key that is trusted at this time signed exactly these bytes, and only then reads them.
    ///
    /// `now` is Unix time in seconds, or `None` on a device without a clock; keys that can expire are then refused. The
    /// manifest's own date is never used, since an attacker with an expired key could claim any date.
    ///
    /// # Errors
    /// No trusted key signed the manifest, or the manifest is invalid.
    pub fn verify<'m>(
        &self,
        manifest: &'m [u8],
        signature: &[u8],
        now: Option<u64>,
    ) -> Result<SignedManifest<'m>, Refused> {
        if manifest.len() > MAX_MANIFEST_BYTES {
            return Err(Refused::TooLarge { size: manifest.len() });
        }
        if self.keys.is_empty() {
            return Err(Refused::NoKeys);
        }
        let signature = signature.try_into().map_err(|_| Refused::MalformedSignature { len: signature.len() })?;
        let (signer, native) = self.signer(manifest, signature, now)?;
        SignedManifest::read(manifest, signer, native)
    }

    /// Returns the index of the key that signed, and whether it may sign native code.
    fn signer(
        &self,
        message: &[u8],
        signature: &[u8; SIGNATURE_BYTES],
        now: Option<u64>,
    ) -> Result<(usize, bool), Refused> {
        let bad = |index| move |fault: BadKey| Refused::BadKey { index, fault };
        for (index, trusted) in self.keys.iter().enumerate() {
            let key = PublicKey::from_bytes(&trusted.key).map_err(bad(index))?;
            if !key.verifies(message, signature) {
                continue;
            }
            let mut native = true;
            for (index, entry) in self.keys.iter().enumerate().filter(|(_, entry)| entry.key == trusted.key) {
                entry.judge(index, now)?;
                native &= entry.native;
            }
            return Ok((index, native));
        }
        Err(Refused::NoTrustedKey)
    }
}
