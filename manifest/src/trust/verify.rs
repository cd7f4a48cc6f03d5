//! Who vouches for a pack, and the types that prove it.
//!
//! A [`SignedManifest`] and a [`VerifiedModule`] have private fields and are made here only, each behind its check.

use std::{fmt, ops::Deref, time::SystemTime};

use kernelpack_abi::KernelSpecBuf;
pub use kernelpack_verify::SIGNATURE_BYTES;

use crate::{
    AotFacts, AotFile, AotTarget, Digest, FileBytes, HealthEntry, HealthVector, Kernel, KeyStatus, Manifest,
    ModuleFacts, ModuleRef, PublicKey, Rejected, Timestamp, TrustStore, TrustedKey,
    manifest::{MAX_MANIFEST_BYTES, content},
};

/// Checks manifests against the keys that a host trusts.
///
/// Keys are trusted by themselves or through a [`TrustStore`]. What the store says of a key holds however else the key
/// is trusted: a revoked key is refused even if it was named by itself, too.
///
/// Expiry is judged by the clock of the host, at the time given. The manifest's `created_at` never counts: it is a claim
/// of the signer's, and whoever has come by an old key can claim any time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KernelPackVerifier {
    trusted_keys: Vec<PublicKey>,
    native_keys: Vec<PublicKey>,
    trust_store: TrustStore,
}

impl KernelPackVerifier {
    /// A verifier that trusts these keys, each as much as the others.
    pub fn new(trusted_keys: impl IntoIterator<Item = PublicKey>) -> Self {
        Self { trusted_keys: trusted_keys.into_iter().collect(), ..Self::default() }
    }

    /// The same, where those of its trusted keys that are among these may vouch for native code, too. Of a key in the
    /// trust store, the store says whether it may.
    #[must_use]
    pub fn with_native_keys(self, native_keys: impl IntoIterator<Item = PublicKey>) -> Self {
        Self { native_keys: native_keys.into_iter().collect(), ..self }
    }

    /// The same with a trust store, in the place of the one it may have had.
    #[must_use]
    pub fn with_trust_store(self, trust_store: TrustStore) -> Self {
        Self { trust_store, ..self }
    }

    /// The keys that it trusts by themselves, those of the trust store not counted.
    pub fn trusted_keys(&self) -> &[PublicKey] {
        &self.trusted_keys
    }

    /// The trust store; an empty one if none was given.
    pub fn trust_store(&self) -> &TrustStore {
        &self.trust_store
    }

    /// Checks that a key that is trusted at this time signed exactly these bytes, and only then reads them.
    ///
    /// `now` is the host's clock. One that reads before 1970 or after 9999 judges nothing: keys that expire are then
    /// refused, others are not.
    ///
    /// # Errors
    /// [`Rejected::Unverified`] if nobody trusted signed them, else as for [`Manifest::parse`].
    pub fn verify(&self, manifest: &[u8], signature: &[u8], now: SystemTime) -> Result<SignedManifest, Rejected> {
        // Hashing is cheap but not free, and anyone can send many bytes.
        if manifest.len() > MAX_MANIFEST_BYTES {
            return Err(Rejected::ManifestTooLarge { size: manifest.len(), limit: MAX_MANIFEST_BYTES });
        }
        let signer = self.signer(manifest, signature, now)?;
        let (read, digest) = (Manifest::parse(manifest)?, Digest::of(manifest));
        Ok(SignedManifest { manifest: read, digest, content: content::of_parsed(manifest)?, signer })
    }

    /// Checks that a key is trusted at this time, whatever it signed.
    ///
    /// That is how a host asks again about a signature that it verified earlier, before keys expired or were revoked.
    ///
    /// # Errors
    /// As for a manifest that this key signed.
    pub fn check_key(&self, key: &PublicKey, now: SystemTime) -> Result<Signer, VerifyError> {
        match self.trust_store.of_key(key) {
            Some(entry) => judge(entry, now),
            None if self.trusted_keys.contains(key) => {
                Ok(Signer { key: *key, id: None, native: self.native_keys.contains(key) })
            }
            None => Err(self.nobody(now)),
        }
    }

    /// Checks that a kernel's bytes have this digest, written as the manifest does.
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
        // Keys that are not trusted any more are tried too, so that the refusal can name them; and revoked ones first.
        let (revoked, others): (Vec<_>, Vec<_>) = known.iter().partition(|entry| entry.revoked.is_some());
        let mut keys = revoked.into_iter().chain(others).map(|entry| &entry.key).chain(&self.trusted_keys);
        match keys.find(|key| key.verifies(message, signature)) {
            Some(key) => self.check_key(key, now),
            None => Err(self.nobody(now)),
        }
    }

    /// Why a signature by none of the known keys is refused.
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

/// What a trust store's entry says of its key at a time.
fn judge(entry: &TrustedKey, now: SystemTime) -> Result<Signer, VerifyError> {
    let TrustedKey { id, key, not_after, revoked, native, .. } = entry;
    if let Some(revocation) = revoked {
        let (at, reason) = (revocation.at, revocation.reason.clone());
        return Err(VerifyError::KeyRevoked { id: id.clone(), at, reason });
    }
    let signer = Signer { key: *key, id: Some(id.clone()), native: *native };
    let Some(not_after) = *not_after else { return Ok(signer) };
    // Fail closed: a clock that cannot be read says nothing in the key's favour.
    let now = Timestamp::of(now).ok_or_else(|| VerifyError::NoClock { id: id.clone(), not_after })?;
    match entry.status(now) {
        KeyStatus::Trusted => Ok(signer),
        _ => Err(VerifyError::KeyExpired { id: id.clone(), not_after, now }),
    }
}

/// Who signed a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Signer {
    /// The trusted key that made the signature; the manifest's `author.signing_key` has no part in it.
    pub key: PublicKey,
    /// The key's id in the trust store, if it is there.
    pub id: Option<String>,
    /// Whether it may vouch for native code.
    pub native: bool,
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.id {
            Some(id) => write!(f, "{id} ({})", self.key),
            None => write!(f, "{}", self.key),
        }
    }
}

/// A manifest that somebody trusted has signed.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedManifest {
    manifest: Manifest,
    signer: Signer,
    digest: Digest,
    content: Digest,
}

impl SignedManifest {
    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The same, to keep.
    pub fn into_manifest(self) -> Manifest {
        self.manifest
    }

    /// The digest of the bytes that were signed; everything in the pack hangs on it. Signed by another key, a pack has
    /// another one, since its manifest names the signer.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What the pack is, whoever signed it: see [`Manifest::content`].
    pub fn content(&self) -> Digest {
        self.content
    }

    /// The trusted key that signed it.
    pub fn signed_by(&self) -> &PublicKey {
        &self.signer.key
    }

    /// The same, with the key's id where it came from a trust store.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// Checks that these bytes are the own module of the kernel with this id, and that the module is what its entry
    /// says.
    ///
    /// # Errors
    /// There is no such kernel, [`Rejected::HashMismatch`], or as for [`module::check`](crate::module::check).
    pub fn verify_module(&self, id: &str, bytes: impl Into<FileBytes>) -> Result<VerifiedModule, Rejected> {
        self.verify_module_at(id, None, bytes.into())
    }

    /// The same for the module that the engine of this name loads: its platform's, or else the kernel's own. One that is
    /// for this engine alone uses only features that its platform lists.
    ///
    /// # Errors
    /// As for [`verify_module`](Self::verify_module), and [`Rejected::Variant`].
    pub fn verify_module_for(
        &self,
        id: &str,
        engine: &str,
        bytes: impl Into<FileBytes>,
    ) -> Result<VerifiedModule, Rejected> {
        self.verify_module_at(id, Some(engine), bytes.into())
    }

    fn verify_module_at(&self, id: &str, engine: Option<&str>, bytes: FileBytes) -> Result<VerifiedModule, Rejected> {
        let kernel = self.kernel(id).ok_or_else(|| Rejected::UnknownKernel { kernel: id.to_owned() })?;
        let own = ModuleRef { path: &kernel.path, hash: kernel.hash, platform: None };
        let module = engine.map_or(own, |engine| kernel.module_for(engine));
        let digest = Digest::of(&bytes);
        if digest != module.hash {
            let (kernel, path, expected) = (kernel.id.clone(), module.path.to_owned(), module.hash);
            return Err(Rejected::HashMismatch { kernel, path, expected, actual: digest });
        }
        let spec = kernel.to_spec(&self.fallbacks)?;
        let facts = module.check(&bytes, &spec)?;
        Ok(VerifiedModule { path: module.path.to_owned(), bytes, digest, spec, facts })
    }

    /// Checks that these bytes are the native code that an engine loads for a kernel on this machine, by a signer who may
    /// vouch for such, and that the file says of itself what its entry does.
    ///
    /// # Errors
    /// [`Rejected::NativeNotTrusted`], [`Rejected::HashMismatch`] or [`Rejected::Aot`]; or there is no such kernel or
    /// file.
    pub fn verify_aot(
        &self,
        id: &str,
        engine: &str,
        target: AotTarget,
        bytes: impl Into<FileBytes>,
    ) -> Result<VerifiedAot, Rejected> {
        let kernel = self.kernel(id).ok_or_else(|| Rejected::UnknownKernel { kernel: id.to_owned() })?;
        let file = kernel.aot_for(engine, target);
        let file = file.ok_or_else(|| Rejected::NoAot { kernel: id.to_owned(), target })?;
        if !self.signer.native {
            let (kernel, path) = (kernel.id.clone(), file.path.clone());
            return Err(Rejected::NativeNotTrusted { kernel, path, key: self.signer.key.id() });
        }
        let bytes = bytes.into();
        let facts = kernel.read_aot(file, &bytes)?;
        Ok(VerifiedAot { bytes, file: file.clone(), facts })
    }

    /// Checks that these bytes are a health vector of a kernel, by one of its entries, and that the vector is a call
    /// which the kernel can be given.
    ///
    /// # Errors
    /// [`Rejected::VectorMismatch`] or [`Rejected::Vector`]; or there is no such kernel or entry.
    pub fn verify_vector(&self, id: &str, path: &str, bytes: &[u8]) -> Result<VerifiedVector, Rejected> {
        let kernel = self.kernel(id).ok_or_else(|| Rejected::UnknownKernel { kernel: id.to_owned() })?;
        let entry = kernel.health.iter().find(|entry| entry.path == path);
        let entry = entry.ok_or_else(|| Rejected::UnexpectedFile { path: path.to_owned() })?;
        let vector = kernel.read_vector(entry, bytes)?;
        Ok(VerifiedVector { kernel: kernel.id.clone(), path: entry.path.clone(), tolerance: entry.tolerance, vector })
    }
}

impl Kernel {
    /// Reads one of the kernel's health vectors from the bytes of its file. This says nothing about who wrote the
    /// entry: hosts use [`SignedManifest::verify_vector`].
    ///
    /// # Errors
    /// As [`SignedManifest::verify_vector`].
    pub fn read_vector(&self, entry: &HealthEntry, bytes: &[u8]) -> Result<HealthVector, Rejected> {
        let actual = Digest::of(bytes);
        if actual != entry.hash {
            let (kernel, path, expected) = (self.id.clone(), entry.path.clone(), entry.hash);
            return Err(Rejected::VectorMismatch { kernel, path, expected, actual });
        }
        let signature = self.forward()?;
        signature
            .with(|signature| HealthVector::parse(bytes, signature, &entry.params(signature)?))
            .map_err(|fault| self.reject_vector(entry, fault))
    }
}

impl Kernel {
    /// Checks that these bytes are a compiled file of the kernel, and that the file says of itself what its entry does.
    /// This says nothing about who wrote the entry: hosts use [`SignedManifest::verify_aot`].
    ///
    /// # Errors
    /// [`Rejected::HashMismatch`] or [`Rejected::Aot`].
    pub fn read_aot(&self, file: &AotFile, bytes: &[u8]) -> Result<AotFacts, Rejected> {
        let actual = Digest::of(bytes);
        if actual != file.hash {
            let (kernel, path, expected) = (self.id.clone(), file.path.clone(), file.hash);
            return Err(Rejected::HashMismatch { kernel, path, expected, actual });
        }
        AotFacts::read(bytes).and_then(|facts| facts.check(file).map(|()| facts)).map_err(|fault| Rejected::Aot {
            kernel: self.id.clone(),
            path: file.path.clone(),
            fault: Box::new(fault),
        })
    }
}

impl Deref for SignedManifest {
    type Target = Manifest;

    fn deref(&self) -> &Manifest {
        &self.manifest
    }
}

/// A module that a signed manifest names by its digest, and that agrees with its entry.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifiedModule {
    path: String,
    bytes: FileBytes,
    digest: Digest,
    spec: KernelSpecBuf,
    facts: ModuleFacts,
}

impl VerifiedModule {
    /// The file, relative to the pack, which tells a kernel's modules apart.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The module: valid WebAssembly; nothing once it was [put away](Self::put_away).
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Gives up its bytes, where memory is scarce and native code is loaded in its stead: it was verified all the same.
    pub fn put_away(&mut self) {
        self.bytes = FileBytes::default();
    }

    /// The SHA-256 of the module.
    pub fn hash(&self) -> [u8; 32] {
        self.digest.0
    }

    /// What the kernel is, by the manifest and by the module alike.
    pub fn spec(&self) -> &KernelSpecBuf {
        &self.spec
    }

    /// What the check found in the module.
    pub fn facts(&self) -> &ModuleFacts {
        &self.facts
    }
}

/// Native code that a manifest names by its digest, whose signer may vouch for native code.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifiedAot {
    bytes: FileBytes,
    file: AotFile,
    facts: AotFacts,
}

impl VerifiedAot {
    /// The file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same, for a loader that takes it apart.
    pub fn into_bytes(self) -> FileBytes {
        self.bytes
    }

    /// What the manifest says of it.
    pub fn file(&self) -> &AotFile {
        &self.file
    }

    /// What it says of itself.
    pub fn facts(&self) -> &AotFacts {
        &self.facts
    }
}

/// A health vector that a signed manifest names by its digest, and that is a call of its kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifiedVector {
    kernel: String,
    path: String,
    tolerance: f64,
    vector: HealthVector,
}

impl VerifiedVector {
    /// The id of the kernel.
    pub fn kernel(&self) -> &str {
        &self.kernel
    }

    /// The file, relative to the pack.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// How far results may be from the expected ones.
    pub fn tolerance(&self) -> f64 {
        self.tolerance
    }

    /// The call and its expected results.
    pub fn vector(&self) -> &HealthVector {
        &self.vector
    }
}

/// Why bytes are not those that somebody trusted has signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The host trusts no key at all.
    #[error("no key is trusted, so no pack can be; name the public key that signs your packs")]
    NoKeys,
    /// No trusted key made this signature over these bytes.
    #[error(
        "no trusted key signed this manifest; it was changed after signing, or its signer's public key must be trusted"
    )]
    NoTrustedKey,
    /// The trust store has keys, but none that is trusted now, and no other key is.
    #[error(
        "no key is trusted any more, so no pack can be: of the trust store's, {revoked} revoked, {expired} expired; add \
         the key that signs your packs now"
    )]
    NoUsableKey {
        /// How many keys are revoked.
        revoked: usize,
        /// How many others have expired, or cannot be judged without a clock.
        expired: usize,
    },
    /// A key of the trust store signed, and it is revoked.
    #[error(
        "the key {id:?}, which signed this manifest, is revoked since {at}: {reason}; use a pack signed by another key"
    )]
    KeyRevoked {
        /// The key's id in the trust store.
        id: String,
        /// When it was revoked.
        at: Timestamp,
        /// Why.
        reason: String,
    },
    /// A key of the trust store signed, and its time is over.
    #[error(
        "the key {id:?}, which signed this manifest, was trusted until {not_after}, now it is {now}; use a pack signed \
         by a current key"
    )]
    KeyExpired {
        /// The key's id in the trust store.
        id: String,
        /// The last second that it was trusted in.
        not_after: Timestamp,
        /// The host's clock.
        now: Timestamp,
    },
    /// A key of the trust store signed, and whether its time is over cannot be known.
    #[error(
        "the key {id:?}, which signed this manifest, is trusted until {not_after}, and the clock of this machine cannot \
         be right; set it"
    )]
    NoClock {
        /// The key's id in the trust store.
        id: String,
        /// The last second that it is trusted in.
        not_after: Timestamp,
    },
    /// The signature has another size than signatures have.
    #[error("the signature has {len} bytes, an Ed25519 signature has {SIGNATURE_BYTES}; fetch the pack again")]
    MalformedSignature {
        /// Bytes given.
        len: usize,
    },
    /// The bytes of a module are not those that were signed.
    #[error("the module's digest is {actual}, the manifest says {expected}; fetch the pack again")]
    HashMismatch {
        /// The digest in the manifest.
        expected: String,
        /// The digest of the bytes.
        actual: String,
    },
}

#[cfg(test)]
mod tests;
