//! Checks whether a pack is compatible with a runtime and its engine.
//!
//! Bounds are inclusive. Versions compare by precedence, as <https://semver.org> defines it: `1.0.0-rc.1` is older than
//! `1.0.0`, so a pack that requires `1.0.0` does not run on the release candidate. Build metadata is ignored.

pub(crate) mod result;

use std::collections::BTreeSet;

use semver::Version;

use crate::{CompatibilityResult, Manifest, VerifiedInterface};

/// The versions and features that a runtime offers to packs.
///
/// # Example: what a pack lacks here
/// ```
/// use kernelpack_manifest::{CompatibilityChecker, CompatibilityResult, Manifest};
///
/// fn report(checker: &CompatibilityChecker, manifest: &Manifest) {
///     match checker.check(manifest) {
///         CompatibilityResult::Compatible => println!("{} fits", manifest.name),
///         fault => println!("{} does not fit: {fault}", manifest.name),
///     }
/// }
/// ```
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
    /// Checks whether the runtime can load a pack.
    ///
    /// If a kernel lists platforms, the engine must be one of them; if it lists none, any engine can run it. Manifests
    /// of another schema or ABI never get this far: [`Manifest::parse`] refuses them, with a result of the same type.
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

    /// Checks whether the engine has the features that a module actually uses, whatever its entry lists.
    pub fn check_module(&self, module: &VerifiedInterface) -> CompatibilityResult {
        match module.facts().required_features.iter().find(|feature| !self.features.contains(**feature)) {
            None => CompatibilityResult::Compatible,
            Some(&feature) => {
                CompatibilityResult::MissingFeature { kernel: module.spec().id.clone(), feature: feature.to_owned() }
            }
        }
    }
}

#[cfg(test)]
mod tests;
