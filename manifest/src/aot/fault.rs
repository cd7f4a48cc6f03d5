//! What can be wrong with an ahead-of-time compiled file.

use semver::Version;

use crate::{AotTarget, Digest, JsonFault, aot::MAX_AOT_BYTES};

/// Why an ahead-of-time compiled file is not what its entry says, or nothing that a host loads.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AotFault {
    /// It has too many bytes.
    #[error("it has {size} bytes, more than the limit of {MAX_AOT_BYTES}")]
    TooLarge {
        /// Bytes given.
        size: usize,
    },
    /// It begins with something else.
    #[error("it is not an .aot file")]
    NotAot,
    /// It follows another version of the format.
    #[error("it has version {found} of the format, but this build reads {supported}; compile it again")]
    Format {
        /// The version found.
        found: u32,
        /// The version that can be read.
        supported: u32,
    },
    /// It ends too early.
    #[error("it is truncated: what begins at byte {at} is incomplete")]
    Truncated {
        /// Where that begins, in the file or its section.
        at: usize,
    },
    /// A section is unknown, repeated or not in its place.
    #[error("the section of type {kind} at byte {at} is unknown, repeated or out of place")]
    BadSection {
        /// Where it begins.
        at: usize,
        /// Its type.
        kind: u32,
    },
    /// A section is not there.
    #[error("it has no section of type {kind}")]
    MissingSection {
        /// Its type.
        kind: u32,
    },
    /// It is not to be relocated, but executed where it lies, or something else.
    #[error("its ELF type is {found}, which is not that of a relocatable file")]
    NotRelocatable {
        /// The type.
        found: u16,
    },
    /// It is for another machine than its target.
    #[error("it is for {arch:?} (ELF machine {machine}), not for {expected}")]
    OtherMachine {
        /// The target.
        expected: AotTarget,
        /// The architecture found.
        arch: String,
        /// The number that ELF has for it.
        machine: u16,
    },
    /// It needs what no module of a pack may use.
    #[error("it needs features that kernels may not use: {features:#x}")]
    ForeignFeatures {
        /// WAMR's bits of them.
        features: u64,
    },
    /// It does not say how it was compiled.
    #[error("it does not say how it was compiled; compile it with `kernelpack aot`")]
    NoRecord,
    /// What it says of its compilation cannot be read.
    #[error("its record of how it was compiled cannot be read: {0}")]
    BadRecord(#[source] JsonFault),
    /// It lacks a check that hosts rely on.
    #[error("it was compiled without {check}, which hosts rely on; compile it with `kernelpack aot`")]
    Unchecked {
        /// Which of [`AOT_CHECKS`](crate::AOT_CHECKS).
        check: &'static str,
    },
    /// It was compiled for another target than its entry says.
    #[error("it was compiled for {found}, but its entry says {expected}")]
    Target {
        /// The target in the manifest.
        expected: AotTarget,
        /// The target in the file.
        found: AotTarget,
    },
    /// It was compiled by another version than its entry says.
    #[error("it was compiled by WAMR {found}, but {expected} is needed")]
    Version {
        /// The version in the manifest, or that of the engine.
        expected: Version,
        /// The version in the file.
        found: Version,
    },
    /// It was compiled from another module than its entry says.
    #[error("it was compiled from the module {found}, but its entry says {expected}")]
    Source {
        /// The digest in the manifest.
        expected: Digest,
        /// The digest in the file.
        found: Digest,
    },
    /// It was compiled with other options than its entry says.
    #[error("it was compiled with {}, but its entry says {}", found.join(" "), expected.join(" "))]
    Options {
        /// The options in the manifest.
        expected: Vec<String>,
        /// The options in the file.
        found: Vec<String>,
    },
}
