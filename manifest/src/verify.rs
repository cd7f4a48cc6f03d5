//! Who vouches for a pack, and the types that prove it.
//!
//! A [`SignedManifest`] and a [`VerifiedModule`] have private fields and are made here only, each behind its check.

use std::ops::Deref;

use kernelpack_abi::KernelSpecBuf;

use crate::{
    Digest, HealthEntry, HealthVector, Kernel, Manifest, ModuleFacts, PublicKey, Rejected,
    manifest::MAX_MANIFEST_BYTES, module,
};

/// Bytes of a signature.
pub const SIGNATURE_BYTES: usize = 64;

/// Checks manifests against the keys that a host trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KernelPackVerifier {
    trusted_keys: Vec<PublicKey>,
}

impl KernelPackVerifier {
    /// A verifier that trusts these keys, each as much as the others.
    pub fn new(trusted_keys: impl IntoIterator<Item = PublicKey>) -> Self {
        Self { trusted_keys: trusted_keys.into_iter().collect() }
    }

    /// The keys that it trusts.
    pub fn trusted_keys(&self) -> &[PublicKey] {
        &self.trusted_keys
    }

    /// Checks that a trusted key signed exactly these bytes, and only then reads them.
    ///
    /// # Errors
    /// [`Rejected::Unverified`] if nobody trusted signed them, else as for [`Manifest::parse`].
    pub fn verify(&self, manifest: &[u8], signature: &[u8]) -> Result<SignedManifest, Rejected> {
        // Hashing is cheap but not free, and anyone can send many bytes.
        if manifest.len() > MAX_MANIFEST_BYTES {
            return Err(Rejected::ManifestTooLarge { size: manifest.len(), limit: MAX_MANIFEST_BYTES });
        }
        let signed_by = self.signer(manifest, signature)?;
        Ok(SignedManifest { manifest: Manifest::parse(manifest)?, signed_by })
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

    fn signer(&self, message: &[u8], signature: &[u8]) -> Result<PublicKey, VerifyError> {
        if self.trusted_keys.is_empty() {
            return Err(VerifyError::NoKeys);
        }
        let signature = signature.try_into().map_err(|_| VerifyError::MalformedSignature { len: signature.len() })?;
        let signer = self.trusted_keys.iter().find(|key| key.verifies(message, signature));
        signer.copied().ok_or(VerifyError::NoTrustedKey)
    }
}

/// A manifest that somebody trusted has signed.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedManifest {
    manifest: Manifest,
    signed_by: PublicKey,
}

impl SignedManifest {
    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The trusted key that signed it.
    pub fn signed_by(&self) -> &PublicKey {
        &self.signed_by
    }

    /// Checks that these bytes are the module of the kernel with this id, and that the module is what its entry says.
    ///
    /// # Errors
    /// There is no such kernel, [`Rejected::HashMismatch`], or as for [`module::check`].
    pub fn verify_module(&self, id: &str, bytes: Vec<u8>) -> Result<VerifiedModule, Rejected> {
        let kernel = self.kernel(id).ok_or_else(|| Rejected::UnknownKernel { kernel: id.to_owned() })?;
        let digest = Digest::of(&bytes);
        if digest != kernel.hash {
            let (kernel, path, expected) = (kernel.id.clone(), kernel.path.clone(), kernel.hash);
            return Err(Rejected::HashMismatch { kernel, path, expected, actual: digest });
        }
        let spec = kernel.to_spec(&self.fallbacks)?;
        let facts = module::check(&bytes, &spec)?;
        Ok(VerifiedModule { bytes, digest, spec, facts })
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

impl Deref for SignedManifest {
    type Target = Manifest;

    fn deref(&self) -> &Manifest {
        &self.manifest
    }
}

/// A module that a signed manifest names by its digest, and that agrees with its entry.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifiedModule {
    bytes: Vec<u8>,
    digest: Digest,
    spec: KernelSpecBuf,
    facts: ModuleFacts,
}

impl VerifiedModule {
    /// The module: valid WebAssembly.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
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
#[path = "verify_tests.rs"]
mod tests;
