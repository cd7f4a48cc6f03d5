//! An ahead-of-time compiled file's description of itself.
//!
//! The format is that of WAMR's `.aot` files: a magic number, a version, and sections. These checks only catch
//! mistakes, such as a file for another machine or from another compiler. They cannot show that native code is
//! harmless; for that, hosts rely on a signature by a key that may sign native code.

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::{
    AotFault, AotFile, AotTarget, Digest, Kernel, Rejected,
    aot::{MAX_AOT_BYTES, missing_check},
    text::json,
};

/// The name of the custom section that holds an [`AotRecord`].
pub const AOT_RECORD: &str = "kernelpack.aot";

/// The version of the format, as of WAMR 2.4.
pub const AOT_FORMAT: u32 = 6;

const MAGIC: &[u8] = b"\0aot";
/// Section types; each one below `UNUSED` appears exactly once.
const TARGET_INFO: u32 = 0;
const UNUSED: u32 = 6;
const CUSTOM: u32 = 100;
const RAW: u32 = 0;
/// A relocatable ELF file; the other kind is executed in place.
const RELOCATABLE: u16 = 1;
/// The bit that marks code for 64-bit machines; the lowest bit marks big-endian code.
const WIDE: u16 = 2;
/// The code checks whether its thread was stopped.
const MULTI_THREAD: u64 = 1 << 2;
/// The bits of features that no module of a pack may use.
const FOREIGN: u64 = !(1 << 0 | 1 << 1 | MULTI_THREAD | 1 << 3 | 1 << 12 | 1 << 13);

/// The record of how a file was compiled, which the compiler writes into the file as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AotRecord {
    /// The machine.
    pub target: AotTarget,
    /// The digest of the module.
    pub source: Digest,
    /// The version of WAMR.
    pub version: Version,
    /// The version of LLVM.
    pub llvm: String,
    /// The same as [`AotFile::options`](crate::AotFile::options).
    pub options: Vec<String>,
}

impl AotRecord {
    /// Returns the record as JSON, the content of the section [`AOT_RECORD`].
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("no value's serialization fails")
    }
}

/// A file's description of itself, outside of its code.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AotFacts {
    /// The record of how the file was compiled.
    pub record: AotRecord,
    /// Whether the code uses SIMD instructions.
    pub simd: bool,
}

impl AotFacts {
    /// Reads a file, which may be any bytes.
    ///
    /// # Errors
    /// The file does not have this format, its header contradicts its record, or the record lacks one of
    /// [`AOT_CHECKS`](crate::AOT_CHECKS).
    pub fn read(bytes: &[u8]) -> Result<Self, AotFault> {
        if bytes.len() > MAX_AOT_BYTES {
            return Err(AotFault::TooLarge { size: bytes.len() });
        }
        let mut reader = Reader { bytes, at: 0 };
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(AotFault::NotAot);
        }
        match reader.u32()? {
            AOT_FORMAT => {}
            found => return Err(AotFault::Format { found, supported: AOT_FORMAT }),
        }
        let (mut info, mut record) = (None, None);
        let mut seen = [false; UNUSED as usize];
        while reader.at < bytes.len() {
            reader.align(4)?;
            let (at, kind, size) = (reader.at, reader.u32()?, reader.u32()?);
            let mut section = Reader { bytes: reader.take(size as usize)?, at: 0 };
            match kind {
                CUSTOM => {
                    if section.u32()? == RAW && section.name()? == AOT_RECORD.as_bytes() {
                        let content = section.rest();
                        if record.replace(read_record(content)?).is_some() {
                            return Err(AotFault::BadSection { at, kind });
                        }
                    }
                }
                // Sections come in this order; only the compiler's own additions follow them.
                kind if kind < UNUSED && !seen[kind as usize..].contains(&true) && record.is_none() => {
                    seen[kind as usize] = true;
                    if kind == TARGET_INFO {
                        info = Some(TargetInfo::read(section)?);
                    }
                }
                kind => return Err(AotFault::BadSection { at, kind }),
            }
        }
        if let Some(kind) = seen.iter().position(|seen| !seen) {
            return Err(AotFault::MissingSection { kind: kind as u32 });
        }
        let info = info.ok_or(AotFault::MissingSection { kind: TARGET_INFO })?;
        let record = record.ok_or(AotFault::NoRecord)?;
        info.check(record.target)?;
        if let Some(check) = missing_check(&record.options) {
            return Err(AotFault::Unchecked { check });
        }
        // Without this bit, the code never checks whether its thread was stopped, whatever the record says.
        if info.features & MULTI_THREAD == 0 {
            return Err(AotFault::Unchecked { check: "termination-checks" });
        }
        Ok(Self { record, simd: info.features & 1 != 0 })
    }
}

impl AotFacts {
    /// Checks that the file matches its entry.
    ///
    /// # Errors
    /// The first difference.
    pub fn check(&self, file: &AotFile) -> Result<(), AotFault> {
        let AotRecord { target, source, version, llvm: _, options } = &self.record;
        if *target != file.target {
            return Err(AotFault::Target { expected: file.target, found: *target });
        }
        if *version != file.version {
            return Err(AotFault::Version { expected: file.version.clone(), found: version.clone() });
        }
        if *source != file.source {
            return Err(AotFault::Source { expected: file.source, found: *source });
        }
        if *options != file.options {
            return Err(AotFault::Options { expected: file.options.clone(), found: options.clone() });
        }
        Ok(())
    }

    /// Checks that an engine of this version can load the file.
    ///
    /// Compiled code depends on internals of the engine, which change between WAMR's versions, so the versions must be
    /// equal.
    ///
    /// # Errors
    /// [`AotFault::Version`].
    pub fn check_engine(&self, version: &Version) -> Result<(), AotFault> {
        if self.record.version == *version {
            return Ok(());
        }
        Err(AotFault::Version { expected: version.clone(), found: self.record.version.clone() })
    }
}

impl Kernel {
    /// Checks that these bytes are a compiled file of the kernel, and that the file matches its entry.
    ///
    /// This does not check who wrote the entry; hosts use
    /// [`SignedManifest::verify_aot`](crate::SignedManifest::verify_aot).
    ///
    /// # Errors
    /// [`Rejected::HashMismatch`] or [`Rejected::Aot`].
    pub fn read_aot(&self, file: &AotFile, bytes: &[u8]) -> Result<AotFacts, Rejected> {
        let actual = Digest::of(bytes);
        if actual != file.hash {
            let (kernel, path, expected) = (self.id.clone(), file.path.clone(), file.hash);
            return Err(Rejected::HashMismatch { kernel, path, expected, actual });
        }
        self.parse_aot(file, bytes)
    }

    /// Like [`read_aot`](Self::read_aot), but does not check the digest.
    pub(crate) fn parse_aot(&self, file: &AotFile, bytes: &[u8]) -> Result<AotFacts, Rejected> {
        AotFacts::read(bytes).and_then(|facts| facts.check(file).map(|()| facts)).map_err(|fault| Rejected::Aot {
            kernel: self.id.clone(),
            path: file.path.clone(),
            fault: Box::new(fault),
        })
    }
}

fn read_record(content: &[u8]) -> Result<AotRecord, AotFault> {
    json::text(content).and_then(json::parse).map_err(AotFault::BadRecord)
}

struct TargetInfo {
    binary: u16,
    file: u16,
    machine: u16,
    features: u64,
    arch: String,
}

impl TargetInfo {
    fn read(mut section: Reader<'_>) -> Result<Self, AotFault> {
        let (binary, _abi, file, machine) = (section.u16()?, section.u16()?, section.u16()?, section.u16()?);
        let (_version, _flags) = (section.u32()?, section.u32()?);
        let (features, _reserved) = (section.u64()?, section.u64()?);
        let arch = section.take(16)?;
        let end = arch.iter().position(|&byte| byte == 0).unwrap_or(arch.len());
        let arch = String::from_utf8_lossy(&arch[..end]).into_owned();
        Ok(Self { binary, file, machine, features, arch })
    }

    fn check(&self, target: AotTarget) -> Result<(), AotFault> {
        if self.file != RELOCATABLE {
            return Err(AotFault::NotRelocatable { found: self.file });
        }
        // These are the machines' numbers in ELF.
        let (machine, binary, arch) = match target {
            AotTarget::X86_64 => (62, WIDE, "x86_64"),
            AotTarget::Aarch64 => (183, WIDE, "aarch64v8"),
            AotTarget::Thumbv7em => (40, 0, "thumbv7em"),
            AotTarget::Thumbv7 => (40, 0, "thumbv7"),
        };
        if (self.machine, self.binary, self.arch.as_str()) != (machine, binary, arch) {
            let (arch, machine) = (self.arch.clone(), self.machine);
            return Err(AotFault::OtherMachine { expected: target, arch, machine });
        }
        match self.features & FOREIGN {
            0 => Ok(()),
            features => Err(AotFault::ForeignFeatures { features }),
        }
    }
}

/// A cursor over untrusted bytes.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, size: usize) -> Result<&'a [u8], AotFault> {
        let end = self.at.checked_add(size).filter(|&end| end <= self.bytes.len());
        let end = end.ok_or(AotFault::Truncated { at: self.at })?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], AotFault> {
        let at = self.at;
        self.take(N)?.try_into().map_err(|_| AotFault::Truncated { at })
    }

    fn u16(&mut self) -> Result<u16, AotFault> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    fn u32(&mut self) -> Result<u32, AotFault> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64, AotFault> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn align(&mut self, to: usize) -> Result<(), AotFault> {
        self.take(self.at.next_multiple_of(to) - self.at).map(|_| ())
    }

    /// Reads a string, preceded by its length, which includes the final zero.
    fn name(&mut self) -> Result<&'a [u8], AotFault> {
        let size = self.u16()?;
        let text = self.take(usize::from(size))?;
        Ok(text.strip_suffix(b"\0").unwrap_or(text))
    }

    fn rest(self) -> &'a [u8] {
        &self.bytes[self.at..]
    }
}

#[cfg(test)]
mod tests;
