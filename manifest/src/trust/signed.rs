//! A manifest that somebody trusted has signed, and the checks of the files that it names.

use std::ops::Deref;

use crate::{
    AotTarget, Digest, FileBytes, Manifest, ModuleRef, PublicKey, Rejected, Signer, VerifiedAot, VerifiedInterface,
    VerifiedModule, VerifiedVector,
};

/// A manifest that somebody trusted has signed.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedManifest {
    pub(super) manifest: Manifest,
    pub(super) signer: Signer,
    pub(super) digest: Digest,
    pub(super) content: Digest,
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
        let interface = VerifiedInterface { path: module.path.to_owned(), digest, spec, facts };
        Ok(VerifiedModule { interface, bytes })
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

impl Deref for SignedManifest {
    type Target = Manifest;

    fn deref(&self) -> &Manifest {
        &self.manifest
    }
}
