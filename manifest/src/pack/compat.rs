//! Whether a pack fits a runtime and its engine.
//!
//! Bounds are inclusive. Versions compare by precedence, as <https://semver.org> defines it: `1.0.0-rc.1` is older than
//! `1.0.0`, so a pack from `1.0.0` on does not run in the candidate, and build metadata does not count.

use std::{collections::BTreeSet, fmt};

use semver::Version;

use crate::{Manifest, Rejected, VerifiedInterface};

/// What a runtime offers to packs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompatibilityChecker {
    /// The runtime's version.
    pub runtime_version: Version,
    /// The engine's name in [`Kernel::platforms`](crate::Kernel::platforms), such as `wasmtime`.
    pub engine: String,
    /// The engine's version.
    pub engine_version: Version,
    /// The WebAssembly features that the engine has switched on, by the names in [`FEATURES`](crate::FEATURES).
    pub features: BTreeSet<String>,
}

impl CompatibilityChecker {
    /// Whether the runtime can load a pack.
    ///
    /// Manifests of another schema or ABI never come this far: [`Manifest::parse`] refuses them, with a result of the
    /// same type. A kernel that lists platforms must list the engine; one that lists none asks nothing of it.
    pub fn check(&self, manifest: &Manifest) -> CompatibilityResult {
        let actual = &self.runtime_version;
        if actual.cmp_precedence(&manifest.min_runtime_version).is_lt() {
            let required = manifest.min_runtime_version.clone();
            return CompatibilityResult::RuntimeTooOld { required, actual: actual.clone() };
        }
        if actual.cmp_precedence(&manifest.max_runtime_version).is_gt() {
            let max_supported = manifest.max_runtime_version.clone();
            return CompatibilityResult::RuntimeTooNew { max_supported, actual: actual.clone() };
        }
        for kernel in manifest.kernels.iter().filter(|kernel| !kernel.platforms.is_empty()) {
            let (id, engine) = (kernel.id.clone(), self.engine.clone());
            let Some(platform) = kernel.platforms.get(&self.engine) else {
                return CompatibilityResult::UnsupportedPlatform { kernel: id, engine };
            };
            if self.engine_version.cmp_precedence(&platform.min_version).is_lt() {
                let (required, actual) = (platform.min_version.clone(), self.engine_version.clone());
                return CompatibilityResult::EngineTooOld { kernel: id, engine, required, actual };
            }
            if let Some(feature) = platform.features.iter().find(|feature| !self.features.contains(*feature)) {
                return CompatibilityResult::MissingFeature { kernel: id, feature: feature.clone() };
            }
        }
        CompatibilityResult::Compatible
    }

    /// Whether the engine has the features that a module really uses, whatever its entry lists.
    pub fn check_module(&self, module: &VerifiedInterface) -> CompatibilityResult {
        match module.facts().required_features.iter().find(|feature| !self.features.contains(**feature)) {
            None => CompatibilityResult::Compatible,
            Some(&feature) => {
                CompatibilityResult::MissingFeature { kernel: module.spec().id.clone(), feature: feature.to_owned() }
            }
        }
    }
}

/// Whether a pack fits, and if not, what is in the way first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub enum CompatibilityResult {
    /// It fits.
    Compatible,
    /// The manifest follows another version of the schema. Told by [`Manifest::parse`], before anything else is read.
    SchemaVersion {
        /// The version that the manifest follows.
        found: u32,
        /// The [version](crate::SCHEMA_VERSION) that this build reads.
        supported: u32,
    },
    /// The modules were built for another ABI. Told by [`Manifest::parse`], before the rest is read.
    AbiVersion {
        /// The version that the modules were built for.
        found: u32,
        /// The [version](kernelpack_abi::ABI_VERSION) that this build runs.
        supported: u32,
    },
    /// The pack needs a newer runtime.
    RuntimeTooOld {
        /// The oldest that would do.
        required: Version,
        /// The runtime's version.
        actual: Version,
    },
    /// The pack was not made for so new a runtime.
    RuntimeTooNew {
        /// The newest that would do.
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
        /// The oldest version that would do.
        required: Version,
        /// The engine's version.
        actual: Version,
    },
    /// A kernel needs a WebAssembly feature that the engine has not, or has switched off.
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
    /// Whether it is [`Compatible`](Self::Compatible).
    pub fn is_compatible(&self) -> bool {
        matches!(self, Self::Compatible)
    }

    /// The result as a refusal.
    ///
    /// # Errors
    /// [`Rejected::Incompatible`], unless it is [`Compatible`](Self::Compatible).
    pub fn into_result(self) -> Result<(), Rejected> {
        if self.is_compatible() { Ok(()) } else { Err(Rejected::Incompatible(self)) }
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

#[cfg(test)]
mod tests;
