//! Whether a pack fits a runtime and its engine.
//!
//! Bounds are inclusive. Versions compare by precedence, as <https://semver.org> defines it: `1.0.0-rc.1` is older than
//! `1.0.0`, so a pack that requires `1.0.0` does not run on the release candidate. Build metadata is ignored.

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
    /// The WebAssembly features that are enabled in the engine, by the names in [`FEATURES`](crate::FEATURES).
    pub features: BTreeSet<String>,
}

impl CompatibilityChecker {
    /// Whether the runtime can load a pack.
    ///
    /// If a kernel lists platforms, the engine must be one of them; if it lists none, any engine will do. Manifests of
    /// another schema or ABI never get this far: [`Manifest::parse`] refuses them, with a result of the same type.
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

/// Whether a pack is compatible, and if not, the first reason why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub enum CompatibilityResult {
    /// The pack is compatible.
    Compatible,
    /// The manifest follows another version of the schema. [`Manifest::parse`] checks this before anything else.
    SchemaVersion {
        /// The version that the manifest follows.
        found: u32,
        /// The [version](crate::SCHEMA_VERSION) that this build reads.
        supported: u32,
    },
    /// The modules were built for another ABI. [`Manifest::parse`] checks this before it reads the rest.
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
    /// Whether the result is [`Compatible`](Self::Compatible).
    pub fn is_compatible(&self) -> bool {
        matches!(self, Self::Compatible)
    }

    /// Converts the result to a `Result`.
    ///
    /// # Errors
    /// [`Rejected::Incompatible`], unless the result is [`Compatible`](Self::Compatible).
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
