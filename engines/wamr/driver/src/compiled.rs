//! The compiler's output, and the type that proves where it came from.

use kernelpack_manifest::{AotFacts, AotTarget, Digest};
use semver::Version;

use crate::OutputFault;

/// Native code that the compiler's process just made from a module.
///
/// Only [`Compiler::compile`](crate::Compiler::compile) makes it. Its record says that it was made from that module,
/// for the requested target, by the version of WAMR that the compiler reports, and with all checks.
#[derive(Debug)]
pub struct Compiled {
    bytes: Vec<u8>,
    facts: AotFacts,
}

impl Compiled {
    /// Checks the compiler's output.
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

    /// Returns the file's content.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Like [`bytes`](Self::bytes), but returns the file's content by value.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Returns the file's record of how it was made.
    pub fn facts(&self) -> &AotFacts {
        &self.facts
    }
}
