//! What the compiler made, and the type that proves it.

use kernelpack_manifest::{AotFacts, AotTarget, Digest};
use semver::Version;

use crate::OutputFault;

/// Native code that the compiler's process made of a module just now.
///
/// It is made by [`Compiler::compile`](crate::Compiler::compile) only. Its record says that it is of that module, for the
/// target that was asked for, by the version of WAMR that the compiler says it is, and with all checks.
#[derive(Debug)]
pub struct Compiled {
    bytes: Vec<u8>,
    facts: AotFacts,
}

impl Compiled {
    /// Checks what the compiler wrote.
    pub(crate) fn check(
        bytes: Vec<u8>,
        target: AotTarget,
        source: Digest,
        wamr: &Version,
    ) -> Result<Self, OutputFault> {
        let facts = AotFacts::read(&bytes)?;
        let record = &facts.record;
        if record.target != target {
            return Err(OutputFault::Target { found: record.target });
        }
        if record.source != source {
            return Err(OutputFault::Source { expected: source, found: record.source });
        }
        if record.version != *wamr {
            return Err(OutputFault::Version { expected: wamr.clone(), found: record.version.clone() });
        }
        Ok(Self { bytes, facts })
    }

    /// The file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same, to be kept.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// What it says of itself.
    pub fn facts(&self) -> &AotFacts {
        &self.facts
    }
}
