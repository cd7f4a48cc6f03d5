//! The faults that an ahead-of-time compiled file can have.

use semver::Version;

use crate::{AotTarget, Digest, JsonFault, aot::MAX_AOT_BYTES};

/// The reason why an ahead-of-time compiled file does not match its entry, or why a host cannot load it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AotFault {
    /// The file has too many bytes.
    #[error("it has {size} bytes, more than the limit of {MAX_AOT_BYTES}")]
    TooLarge {
        /// Bytes given.
        size: usize,
    },
    /// The file does not begin as an `.aot` file does.
    #[error("it is not an .aot file")]
    NotAot,
    /// The file follows another version of the format.
    #[error("it has version {found} of the format, but this build reads {supported}; compile it again")]
    Format {
        /// The version found.
        found: u32,
        /// The version that can be read.
        supported: u32,
    },
    /// The file ends too early.
    #[error("it is truncated: what begins at byte {at} is incomplete")]
    Truncated {
        /// Where the incomplete item begins, in the file or its section.
        at: usize,
    },
    /// A section is unknown, repeated or out of place.
    #[error("the section of type {kind} at byte {at} is unknown, repeated or out of place")]
    BadSection {
        /// Where the section begins.
        at: usize,
        /// The section's type.
        kind: u32,
    },
    /// A section is missing.
    #[error("it has no section of type {kind}")]
    MissingSection {
        /// The section's type.
        kind: u32,
    },
    /// The file is not relocatable; it may be of the kind that is executed in place.
    #[error("its ELF type is {found}, which is not that of a relocatable file")]
    NotRelocatable {
        /// The type.
        found: u16,
    },
    /// The file is for another machine than its target.
    #[error("it is for {arch:?} (ELF machine {machine}), not for {expected}")]
    OtherMachine {
        /// The target.
        expected: AotTarget,
        /// The architecture found.
        arch: String,
        /// ELF's number for the machine found.
        machine: u16,
    },
    /// The file needs features that no module of a pack may use.
    #[error("it needs features that kernels may not use: {features:#x}")]
    ForeignFeatures {
        /// WAMR's bits for these features.
        features: u64,
    },
    /// The file does not say how it was compiled.
    #[error("it does not say how it was compiled; compile it with `kernelpack aot`")]
    NoRecord,
    /// The record of how the file was compiled cannot be read.
    #[error("its record of how it was compiled cannot be read: {0}")]
    BadRecord(JsonFault),
    /// The code lacks a check that hosts rely on.
    #[error("it was compiled without {check}, which hosts rely on; compile it with `kernelpack aot`")]
    Unchecked {
        /// The missing one of [`AOT_CHECKS`](crate::AOT_CHECKS).
        check: &'static str,
    },
    /// The file was compiled for another target than its entry says.
    #[error("it was compiled for {found}, but its entry says {expected}")]
    Target {
        /// The target in the manifest.
        expected: AotTarget,
        /// The target in the file.
        found: AotTarget,
    },
    /// The file was compiled by another version of WAMR than its entry or the engine requires.
    #[error("it was compiled by WAMR {found}, but {expected} is needed")]
    Version {
        /// The version in the manifest, or the engine's.
        expected: Version,
        /// The version in the file.
        found: Version,
    },
    /// The file was compiled from another module than its entry says.
    #[error("it was compiled from the module {found}, but its entry says {expected}")]
    Source {
        /// The digest in the manifest.
        expected: Digest,
        /// The digest in the file.
        found: Digest,
    },
    /// The file was compiled with other options than its entry says.
    #[error("it was compiled with {}, but its entry says {}", found.join(" "), expected.join(" "))]
    Options {
        /// The options in the manifest.
        expected: Vec<String>,
        /// The options in the file.
        found: Vec<String>,
    },
}
