//! Files of a pack that were checked against a signed manifest.

use std::sync::Arc;

use kernelpack_abi::KernelSpecBuf;

use crate::{AotFacts, AotFile, Digest, FileBytes, HealthVector, ModuleFacts};

/// The facts about a verified module, without its bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifiedInterface {
    pub(super) path: String,
    pub(super) digest: Digest,
    pub(super) spec: KernelSpecBuf,
    pub(super) facts: ModuleFacts,
}

impl VerifiedInterface {
    /// Returns the module's file, relative to the pack. It distinguishes the modules of a kernel.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the SHA-256 of the module.
    pub fn hash(&self) -> [u8; 32] {
        self.digest.0
    }

    /// Returns the kernel's spec, on which the manifest and the module agree.
    pub fn spec(&self) -> &KernelSpecBuf {
        &self.spec
    }

    /// Returns the facts that the check found about the module.
    pub fn facts(&self) -> &ModuleFacts {
        &self.facts
    }

    /// Returns the kernel's spec and the facts that the check found about the module.
    pub fn into_parts(self) -> (KernelSpecBuf, ModuleFacts) {
        (self.spec, self.facts)
    }
}

/// A module whose digest is in a signed manifest, and that matches its entry.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifiedModule {
    pub(super) interface: Arc<VerifiedInterface>,
    pub(super) bytes: FileBytes,
}

impl VerifiedModule {
    /// Returns the module: valid WebAssembly.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the facts about the module, without its bytes.
    pub fn interface(&self) -> &Arc<VerifiedInterface> {
        &self.interface
    }

    /// Drops the bytes, for machines with little memory that load native code in place of the module.
    pub fn into_interface(self) -> Arc<VerifiedInterface> {
        self.interface
    }

    /// Returns the module's file, relative to the pack. It distinguishes the modules of a kernel.
    pub fn path(&self) -> &str {
        self.interface.path()
    }

    /// Returns the SHA-256 of the module.
    pub fn hash(&self) -> [u8; 32] {
        self.interface.hash()
    }

    /// Returns the kernel's spec, on which the manifest and the module agree.
    pub fn spec(&self) -> &KernelSpecBuf {
        self.interface.spec()
    }

    /// Returns the facts that the check found about the module.
    pub fn facts(&self) -> &ModuleFacts {
        self.interface.facts()
    }
}

/// Native code whose digest is in a manifest, and whose signer may vouch for native code.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifiedAot {
    pub(super) bytes: FileBytes,
    pub(super) file: AotFile,
    pub(super) facts: AotFacts,
}

impl VerifiedAot {
    /// Returns the file's bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the file's bytes by value, for a loader that modifies them.
    pub fn into_bytes(self) -> FileBytes {
        self.bytes
    }

    /// Returns the file's entry in the manifest.
    pub fn file(&self) -> &AotFile {
        &self.file
    }

    /// Returns the file's description of itself.
    pub fn facts(&self) -> &AotFacts {
        &self.facts
    }
}

/// A health vector whose digest is in a signed manifest, and that is a valid call of its kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifiedVector {
    pub(super) kernel: String,
    pub(super) path: String,
    pub(super) tolerance: f64,
    pub(super) vector: HealthVector,
}

impl VerifiedVector {
    /// Returns the kernel's id.
    pub fn kernel(&self) -> &str {
        &self.kernel
    }

    /// Returns the file's path, relative to the pack.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns how far results may be from the expected ones; see [`compare`](crate::compare).
    pub fn tolerance(&self) -> f64 {
        self.tolerance
    }

    /// Returns the call and its expected results.
    pub fn vector(&self) -> &HealthVector {
        &self.vector
    }
}
