//! Checks a kernel's entries for health vectors, and reads their files.

use kernelpack_abi::Signature;

use crate::{
    Digest, HealthEntry, HealthVector, Kernel, KernelFault, MAX_VECTORS, Rejected, VectorFault, pack::path::check_path,
};

impl Kernel {
    /// Reads one of the kernel's health vectors from the bytes of its file.
    ///
    /// This does not check who wrote the entry; hosts use
    /// [`SignedManifest::verify_vector`](crate::SignedManifest::verify_vector).
    ///
    /// # Errors
    /// [`Rejected::VectorMismatch`] or [`Rejected::Vector`].
    pub fn read_vector(&self, entry: &HealthEntry, bytes: &[u8]) -> Result<HealthVector, Rejected> {
        let actual = Digest::of(bytes);
        if actual != entry.hash {
            let (kernel, path, expected) = (self.id.clone(), entry.path.clone(), entry.hash);
            return Err(Rejected::VectorMismatch { kernel, path, expected, actual });
        }
        self.parse_vector(entry, bytes)
    }

    /// Like [`read_vector`](Self::read_vector), but does not check the digest.
    pub(crate) fn parse_vector(&self, entry: &HealthEntry, bytes: &[u8]) -> Result<HealthVector, Rejected> {
        let signature = self.forward()?;
        signature
            .with(|signature| HealthVector::parse(bytes, signature, &entry.params(signature)?))
            .map_err(|fault| self.reject_vector(entry, fault))
    }

    /// Checks the entries of the kernel's vectors, but not their files.
    pub(crate) fn check_health(&self, signature: &Signature<'_>) -> Result<(), Rejected> {
        if self.health.len() > MAX_VECTORS {
            return Err(self.reject(KernelFault::too_many("health vectors", self.health.len())));
        }
        for entry in &self.health {
            check_path(&entry.path)?;
            entry.check(signature).map_err(|fault| self.reject_vector(entry, fault))?;
        }
        Ok(())
    }

    pub(crate) fn reject_vector(&self, entry: &HealthEntry, fault: VectorFault) -> Rejected {
        Rejected::Vector { kernel: self.id.clone(), path: entry.path.clone(), fault }
    }
}
