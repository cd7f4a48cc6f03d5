//! Checks signatures.

use std::time::SystemTime;

use crate::{
    Digest, KeyStatus, Manifest, PublicKey, Rejected, SignedManifest, Signer, Timestamp, TrustStore, TrustedKey,
    VerifyError,
    manifest::{MAX_MANIFEST_BYTES, content},
};

/// Checks manifests against the keys that a host trusts.
///
/// A verifier trusts keys that it is given directly, and keys in a [`TrustStore`]. For a key in the store, the store's
/// entry decides: a revoked key is refused even if it was also given directly.
///
/// Whether a key has expired depends on the time passed in, normally the host's clock. The manifest's `created_at` is
/// never used: it is only the signer's claim, and an attacker with an expired key could claim any date.
///
/// # Example: a manifest and its signature
/// ```no_run
/// use std::{fs, time::SystemTime};
///
/// use kernelpack_manifest::{KernelPackVerifier, PublicKey};
///
/// let key = PublicKey::from_pem(&fs::read_to_string("release.pub")?)?;
/// let (manifest, signature) = (fs::read("my-pack/kernels.json")?, fs::read("my-pack/kernels.json.sig")?);
/// let signed = KernelPackVerifier::new([key]).verify(&manifest, &signature, SystemTime::now())?;
/// println!("{} {}", signed.manifest().name, signed.manifest().version);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KernelPackVerifier {
    trusted_keys: Vec<PublicKey>,
    native_keys: Vec<PublicKey>,
    trust_store: TrustStore,
}

impl KernelPackVerifier {
    /// Makes a verifier that trusts these keys, for modules only.
    pub fn new(trusted_keys: impl IntoIterator<Item = PublicKey>) -> Self {
        Self { trusted_keys: trusted_keys.into_iter().collect(), ..Self::default() }
    }

    /// Lets these keys also sign native code.
    ///
    /// This applies only to keys that the verifier was [given directly](Self::new). For a key in the trust store, the
    /// store's entry decides.
    #[must_use]
    pub fn with_native_keys(self, native_keys: impl IntoIterator<Item = PublicKey>) -> Self {
        Self { native_keys: native_keys.into_iter().collect(), ..self }
    }

    /// Sets the trust store, replacing any earlier one.
    #[must_use]
    pub fn with_trust_store(self, trust_store: TrustStore) -> Self {
        Self { trust_store, ..self }
    }

    /// Returns the keys that the verifier was given directly, without those in the trust store.
    pub fn trusted_keys(&self) -> &[PublicKey] {
        &self.trusted_keys
    }

    /// Returns the trust store, which is empty unless one was set.
    pub fn trust_store(&self) -> &TrustStore {
        &self.trust_store
    }

    /// Checks that a key that is trusted at this time signed exactly these bytes, and only then reads them.
    ///
    /// `now` is the host's clock. If it is before 1970 or after 9999, the clock is wrong: keys that can expire are then
    /// refused, others are not.
    ///
    /// # Errors
    /// [`Rejected::Unverified`] if no trusted key signed the bytes, otherwise the errors of [`Manifest::parse`].
    pub fn verify(&self, manifest: &[u8], signature: &[u8], now: SystemTime) -> Result<SignedManifest, Rejected> {
        // Limits the time for hashing, since anyone can send many bytes.
        if manifest.len() > MAX_MANIFEST_BYTES {
            return Err(Rejected::ManifestTooLarge { size: manifest.len(), limit: MAX_MANIFEST_BYTES });
        }
        let signer = self.signer(manifest, signature, now)?;
        let (read, digest) = (Manifest::parse(manifest)?, Digest::of(manifest));
        Ok(SignedManifest { manifest: read, digest, content: content::of_parsed(manifest)?, signer })
    }

    /// Checks that a key is trusted at this time.
    ///
    /// A host calls this to check again a signature that it verified earlier, since keys expire and are revoked.
    ///
    /// # Errors
    /// The error that [`verify`](Self::verify) returns for a manifest that this key signed.
    pub fn check_key(&self, key: &PublicKey, now: SystemTime) -> Result<Signer, VerifyError> {
        match self.trust_store.of_key(key) {
            Some(entry) => judge(entry, now),
            None if self.trusted_keys.contains(key) => {
                Ok(Signer { key: *key, id: None, native: self.native_keys.contains(key) })
            }
            None => Err(self.nobody(now)),
        }
    }

    /// Checks that a kernel's bytes have this digest, in the form that manifests use.
    ///
    /// # Errors
    /// [`VerifyError::HashMismatch`].
    pub fn verify_kernel(&self, kernel_bytes: &[u8], expected_hash: &str) -> Result<(), VerifyError> {
        let actual = Digest::of(kernel_bytes).to_string();
        if actual == expected_hash {
            Ok(())
        } else {
            Err(VerifyError::HashMismatch { expected: expected_hash.to_owned(), actual })
        }
    }

    fn signer(&self, message: &[u8], signature: &[u8], now: SystemTime) -> Result<Signer, VerifyError> {
        let known = self.trust_store.keys();
        if self.trusted_keys.is_empty() && known.is_empty() {
            return Err(VerifyError::NoKeys);
        }
        let signature = signature.try_into().map_err(|_| VerifyError::MalformedSignature { len: signature.len() })?;
        // Expired and revoked keys are tried too, revoked ones first, so that the error can name them.
        let (revoked, others): (Vec<_>, Vec<_>) = known.iter().partition(|entry| entry.revoked.is_some());
        let mut keys = revoked.into_iter().chain(others).map(|entry| &entry.key).chain(&self.trusted_keys);
        match keys.find(|key| key.verifies(message, signature)) {
            Some(key) => self.check_key(key, now),
            None => Err(self.nobody(now)),
        }
    }

    /// Returns the error for a signature by an unknown key.
    fn nobody(&self, now: SystemTime) -> VerifyError {
        let known = self.trust_store.keys();
        let usable = |key: &&PublicKey| self.trust_store.of_key(key).is_none_or(|entry| judge(entry, now).is_ok());
        let mut all = known.iter().map(|entry| &entry.key).chain(&self.trusted_keys);
        if known.is_empty() && self.trusted_keys.is_empty() {
            VerifyError::NoKeys
        } else if all.any(|key| usable(&key)) {
            VerifyError::NoTrustedKey
        } else {
            let revoked = known.iter().filter(|entry| entry.revoked.is_some()).count();
            VerifyError::NoUsableKey { revoked, expired: known.len() - revoked }
        }
    }
}

/// Checks that a key in a trust store is trusted at this time, and returns it as the signer.
fn judge(entry: &TrustedKey, now: SystemTime) -> Result<Signer, VerifyError> {
    let TrustedKey { id, key, not_after, revoked, native, .. } = entry;
    if let Some(revocation) = revoked {
        let (at, reason) = (revocation.at, revocation.reason.clone());
        return Err(VerifyError::KeyRevoked { id: id.clone(), at, reason });
    }
    let signer = Signer { key: *key, id: Some(id.clone()), native: *native };
    let Some(not_after) = *not_after else { return Ok(signer) };
    // Fail closed: with a wrong clock, the key may have expired.
    let now = Timestamp::of(now).ok_or_else(|| VerifyError::NoClock { id: id.clone(), not_after })?;
    match entry.status(now) {
        KeyStatus::Trusted => Ok(signer),
        _ => Err(VerifyError::KeyExpired { id: id.clone(), not_after, now }),
    }
}
