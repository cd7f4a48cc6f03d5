//! Whom a device trusts: the judge of signatures.

use crate::{BadKey, KEY_BYTES, MAX_MANIFEST_BYTES, PublicKey, Refused, SIGNATURE_BYTES, SignedManifest};

/// A key of the device's, which can stand in its read-only memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustedKey {
    /// The key's 32 bytes.
    pub key: [u8; KEY_BYTES],
    /// The last second that it is trusted in, counted from 1970; without one it does not expire.
    pub not_after: Option<u64>,
    /// Whether it is trusted no more, for whatever it signed at whatever time.
    pub revoked: bool,
    /// Whether it is trusted with native code too, which no sandbox holds.
    pub native: bool,
}

impl TrustedKey {
    /// A key that is trusted for good, with WebAssembly only.
    pub const fn new(key: [u8; KEY_BYTES]) -> Self {
        Self { key, not_after: None, revoked: false, native: false }
    }

    /// The same until this second, counted from 1970, that one included.
    #[must_use]
    pub const fn until(self, not_after: u64) -> Self {
        Self { not_after: Some(not_after), ..self }
    }

    /// The same, trusted no more.
    #[must_use]
    pub const fn revoked(self) -> Self {
        Self { revoked: true, ..self }
    }

    /// The same, trusted with native code too.
    #[must_use]
    pub const fn with_native(self) -> Self {
        Self { native: true, ..self }
    }

    fn judge(&self, index: usize, now: Option<u64>) -> Result<(), Refused> {
        match (self.revoked, self.not_after, now) {
            (true, ..) => Err(Refused::KeyRevoked { index }),
            // Fail closed: a missing clock says nothing in the key's favour.
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
    /// A verifier with these keys. A key should stand once; where it does not, the harshest entry holds.
    pub const fn new(keys: &'k [TrustedKey]) -> Self {
        Self { keys }
    }

    /// Checks that a key that is trusted at this time signed exactly these bytes, and only then reads them.
    ///
    /// `now` counts seconds from 1970 and is `None` on a device without a clock: keys that expire are then refused.
    /// The manifest's own date never counts, since whoever has come by an old key can claim any time.
    ///
    /// # Errors
    /// Nobody trusted signed the manifest, or something in it is not as it should be.
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

    /// The place of the key that signed, and whether it is trusted with native code.
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
