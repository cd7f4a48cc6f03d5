//! Files of a pack that a signed manifest vouches for.

use kernelpack_abi::KernelSpecBuf;

use crate::{AotFacts, AotFile, Digest, FileBytes, HealthVector, ModuleFacts};

/// A module that a signed manifest names by its digest, and that agrees with its entry.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifiedModule {
    pub(super) path: String,
    pub(super) bytes: FileBytes,
    pub(super) digest: Digest,
    pub(super) spec: KernelSpecBuf,
    pub(super) facts: ModuleFacts,
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
    pub(super) bytes: FileBytes,
    pub(super) file: AotFile,
    pub(super) facts: AotFacts,
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
    pub(super) kernel: String,
    pub(super) path: String,
    pub(super) tolerance: f64,
    pub(super) vector: HealthVector,
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
