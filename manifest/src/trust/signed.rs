//! A manifest that a trusted key has signed, and the checks of the files that it names.

use std::{ops::Deref, sync::Arc};

use crate::{
    AotTarget, Digest, FileBytes, Manifest, ModuleRef, PublicKey, Rejected, Signer, VerifiedAot, VerifiedInterface,
    VerifiedModule, VerifiedVector,
};

/// A manifest that a trusted key has signed.
///
/// # Example: who signed, and what
/// ```
/// use kernelpack_manifest::SignedManifest;
///
/// fn report(signed: &SignedManifest) {
///     let manifest = signed.manifest();
///     println!("{} {}, signed by {}", manifest.name, manifest.version, signed.signed_by().id());
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SignedManifest {
    pub(super) manifest: Manifest,
    pub(super) signer: Signer,
    pub(super) digest: Digest,
    pub(super) content: Digest,
}

impl SignedManifest {
    /// Returns the manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Returns the manifest by value.
    pub fn into_manifest(self) -> Manifest {
        self.manifest
    }

    /// Returns the digest of the signed bytes, which cover everything in the pack.
    ///
    /// If another key signs the pack, its digest changes, since the manifest names the signer.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Returns the pack's identity, which does not depend on the signer; see [`Manifest::content`].
    pub fn content(&self) -> Digest {
        self.content
    }

    /// Returns the trusted key that signed it.
    pub fn signed_by(&self) -> &PublicKey {
        &self.signer.key
    }

    /// Returns the signer: the trusted key, with its id if it came from a trust store.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// Checks that these bytes are the kernel's own module, and that the module matches its entry.
    ///
    /// # Errors
    /// [`Rejected::UnknownKernel`], [`Rejected::HashMismatch`], or the errors of
    /// [`module::check`](crate::module::check).
    pub fn verify_module(&self, id: &str, bytes: impl Into<FileBytes>) -> Result<VerifiedModule, Rejected> {
        self.verify_module_at(id, None, bytes.into())
    }

    /// Like [`verify_module`](Self::verify_module), but for the module that the engine of this name loads.
    ///
    /// That is the module in the engine's platform entry if there is one, otherwise the kernel's own. A module for this
    /// engine alone may use only the features that its platform lists.
    ///
    /// # Errors
    /// The errors of [`verify_module`](Self::verify_module), and [`Rejected::Variant`].
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
        let interface = VerifiedInterface { path: module.path.to_owned(), digest, spec, facts };
        Ok(VerifiedModule { interface: Arc::new(interface), bytes })
    }

    /// Checks that these bytes are the native code that an engine loads for a kernel on this machine.
    ///
    /// The signer must be trusted for native code, and the file must match its entry.
    ///
    /// # Errors
    /// [`Rejected::UnknownKernel`], [`Rejected::NoAot`], [`Rejected::NativeNotTrusted`], [`Rejected::HashMismatch`] or
    /// [`Rejected::Aot`].
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

    /// Checks that these bytes are the kernel's health vector with this path, and that the vector is a valid call of
    /// the kernel.
    ///
    /// # Errors
    /// [`Rejected::UnknownKernel`], [`Rejected::NoVector`] if the kernel has no vector with this path,
    /// [`Rejected::VectorMismatch`] or [`Rejected::Vector`].
    pub fn verify_vector(&self, id: &str, path: &str, bytes: &[u8]) -> Result<VerifiedVector, Rejected> {
        let kernel = self.kernel(id).ok_or_else(|| Rejected::UnknownKernel { kernel: id.to_owned() })?;
        let entry = kernel.health.iter().find(|entry| entry.path == path);
        let entry = entry.ok_or_else(|| Rejected::NoVector { kernel: id.to_owned(), path: path.to_owned() })?;
        let vector = kernel.read_vector(entry, bytes)?;
        Ok(VerifiedVector { kernel: kernel.id.clone(), path: entry.path.clone(), tolerance: entry.tolerance, vector })
    }
}

impl Deref for SignedManifest {
    type Target = Manifest;

    fn deref(&self) -> &Manifest {
        &self.manifest
    }
}
