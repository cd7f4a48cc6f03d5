//! Whether a pack is compatible, and if not, the first reason why.

use std::fmt;

use semver::Version;

/// Whether a pack is compatible, and if not, the first reason why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub enum CompatibilityResult {
    /// The pack is compatible.
    Compatible,
    /// The manifest follows another version of the schema. [`Manifest::parse`](crate::Manifest::parse) checks this
    /// before anything else.
    SchemaVersion {
        /// The version that the manifest follows.
        found: u32,
        /// The [version](crate::SCHEMA_VERSION) that this build reads.
        supported: u32,
    },
    /// The modules were built for another ABI. [`Manifest::parse`](crate::Manifest::parse) checks this
    /// before it reads the rest.
    AbiVersion {
        /// The version that the modules were built for.
        found: u32,
        /// The [version](kernelpack_abi::ABI_VERSION) that this build runs.
        supported: u32,
    },
    /// The pack needs a newer runtime.
    RuntimeTooOld {
        /// The oldest version that the pack supports.
        required: Version,
        /// The runtime's version.
        actual: Version,
    },
    /// The pack does not support a runtime this new.
    RuntimeTooNew {
        /// The newest version that the pack supports.
        max_supported: Version,
        /// The runtime's version.
        actual: Version,
    },
    /// A kernel needs a newer engine.
    EngineTooOld {
        /// The kernel's id.
        kernel: String,
        /// The engine's name.
        engine: String,
        /// The oldest version that the kernel supports.
        required: Version,
        /// The engine's version.
        actual: Version,
    },
    /// A kernel needs a WebAssembly feature that the engine lacks or has disabled.
    MissingFeature {
        /// The kernel's id.
        kernel: String,
        /// The feature.
        feature: String,
    },
    /// A kernel lists other engines, but not this one.
    UnsupportedPlatform {
        /// The kernel's id.
        kernel: String,
        /// The engine's name.
        engine: String,
    },
}

impl CompatibilityResult {
    /// Returns whether the result is [`Compatible`](Self::Compatible).
    pub fn is_compatible(&self) -> bool {
        matches!(self, Self::Compatible)
    }
}

impl fmt::Display for CompatibilityResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compatible => f.write_str("the pack is compatible"),
            Self::SchemaVersion { found, supported } => {
                let remedy = remedy(found, supported);
                write!(
                    f,
                    "the manifest was written for schema version {found}, but this build reads {supported}; {remedy}"
                )
            }
            Self::AbiVersion { found, supported } => {
                let remedy = remedy(found, supported);
                write!(f, "the pack was built for ABI version {found}, but this build runs {supported}; {remedy}")
            }
            Self::RuntimeTooOld { required, actual } => {
                write!(f, "the pack needs runtime {required} or newer, but this is {actual}; update the runtime")
            }
            Self::RuntimeTooNew { max_supported, actual } => {
                write!(f, "the pack supports runtimes up to {max_supported}, but this is {actual}; use a newer pack")
            }
            Self::EngineTooOld { kernel, engine, required, actual } => {
                write!(
                    f,
                    "kernel {kernel:?} needs {engine} {required} or newer, but this is {actual}; update the runtime"
                )
            }
            Self::MissingFeature { kernel, feature } => {
                write!(f, "kernel {kernel:?} needs the WebAssembly feature {feature:?}; use an engine that enables it")
            }
            Self::UnsupportedPlatform { kernel, engine } => {
                write!(f, "kernel {kernel:?} does not support {engine}; pack it again with {engine} as a platform")
            }
        }
    }
}

fn remedy(found: &u32, supported: &u32) -> &'static str {
    if found > supported { "use a newer kernelpack" } else { "pack again with this kernelpack" }
}
