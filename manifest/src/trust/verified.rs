//! Files of a pack that were checked against a signed manifest.

use std::sync::Arc;

use kernelpack_abi::KernelSpecBuf;

use crate::{AotFacts, AotFile, Digest, FileBytes, HealthVector, ModuleFacts};

/// What is known of a verified module, without its bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifiedInterface {
    pub(super) path: String,
    pub(super) digest: Digest,
    pub(super) spec: KernelSpecBuf,
    pub(super) facts: ModuleFacts,
}

impl VerifiedInterface {
    /// The module's file, relative to the pack. It distinguishes the modules of a kernel.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The SHA-256 of the module.
    pub fn hash(&self) -> [u8; 32] {
        self.digest.0
    }

    /// The kernel's spec, on which the manifest and the module agree.
    pub fn spec(&self) -> &KernelSpecBuf {
        &self.spec
    }

    /// What the check found in the module.
    pub fn facts(&self) -> &ModuleFacts {
        &self.facts
    }

    /// The kernel's spec, and what the check found.
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
    /// The module: valid WebAssembly.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What is known of the module besides its bytes.
    pub fn interface(&self) -> &Arc<VerifiedInterface> {
        &self.interface
    }

    /// Drops the bytes, for machines with little memory that load native code in place of the module.
    pub fn into_interface(self) -> Arc<VerifiedInterface> {
        self.interface
    }

    /// The module's file, relative to the pack. It distinguishes the modules of a kernel.
    pub fn path(&self) -> &str {
        self.interface.path()
    }

    /// The SHA-256 of the module.
    pub fn hash(&self) -> [u8; 32] {
        self.interface.hash()
    }

    /// The kernel's spec, on which the manifest and the module agree.
    pub fn spec(&self) -> &KernelSpecBuf {
        self.interface.spec()
    }

    /// What the check found in the module.
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
    /// The file's bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the file's bytes by value, for a loader that modifies them.
    pub fn into_bytes(self) -> FileBytes {
        self.bytes
    }

    /// The file's entry in the manifest.
    pub fn file(&self) -> &AotFile {
        &self.file
    }

    /// What the file says about itself.
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
    /// The kernel's id.
    pub fn kernel(&self) -> &str {
        &self.kernel
    }

    /// The file's path, relative to the pack.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// How far results may be from the expected ones; see [`compare`](crate::compare).
    pub fn tolerance(&self) -> f64 {
        self.tolerance
    }

    /// The call and its expected results.
    pub fn vector(&self) -> &HealthVector {
        &self.vector
    }
}
