//! A kernel's entry in the manifest.

use std::{collections::BTreeMap, iter};

use kernelpack_abi::ResourceLimits;
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::{
    AotFile, AotTarget, Digest, HealthEntry, Param, Scratch, Tensor,
    manifest::{limits, strict},
};

/// A kernel as the manifest describes it.
///
/// The passes and limits are those of a [`KernelSpecBuf`](kernelpack_abi::KernelSpecBuf); [`to_spec`](Self::to_spec)
/// and [`from_spec`](Self::from_spec) convert between the two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kernel {
    /// The kernel's name, unique in the pack.
    pub id: String,
    /// The display name.
    pub name: String,
    /// A description of what the kernel does; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The kernel's purpose, such as `normalization`.
    pub category: String,
    /// The module's file, relative to the pack: `{family}/{id}.wasm`. Engines whose [`Platform`] names another
    /// module load that one.
    pub path: String,
    /// The digest of the module's bytes.
    pub hash: Digest,
    /// The alias under which the module exports `kernel_forward`.
    pub entry_point: String,
    /// The tensors that the forward pass reads, including in-out tensors.
    pub inputs: Vec<Tensor>,
    /// The tensors that the forward pass writes, including in-out tensors.
    pub outputs: Vec<Tensor>,
    /// The working space of the forward pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scratch: Vec<Scratch>,
    /// The scalars of the forward pass, by name.
    #[serde(default)]
    pub params: BTreeMap<String, Param>,
    /// Whether the module exports `kernel_init`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub init: bool,
    /// Whether the module exports `kernel_cleanup`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cleanup: bool,
    /// The backward pass, if the module exports one.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "strict::present")]
    pub backward: Option<Backward>,
    /// The symbols of the forward pass over which a host may split one call into several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub split: Vec<String>,
    /// The resources that an instance may use.
    #[serde(with = "limits")]
    pub resource_limits: ResourceLimits,
    /// The requirements of each engine for running the module, by the engine's name.
    #[serde(default)]
    pub platforms: BTreeMap<String, Platform>,
    /// Measurements, keyed by the name of the workload.
    #[serde(default)]
    pub benchmarks: BTreeMap<String, Benchmark>,
    /// Calls with known results, which show whether the kernel works.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub health: Vec<HealthEntry>,
}

/// The part of a kernel's entry that names one of its modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModuleRef<'a> {
    /// The module's file, relative to the pack.
    pub path: &'a str,
    /// The digest of its bytes.
    pub hash: Digest,
    /// The one engine that the module is for, and its platform entry; `None` for the kernel's own module, which every
    /// other engine loads.
    pub platform: Option<(&'a str, &'a Platform)>,
}

impl Kernel {
    /// Returns the kernel's modules: its own, then those for single engines, sorted by the engines' names.
    pub fn modules(&self) -> impl Iterator<Item = ModuleRef<'_>> {
        let own = ModuleRef { path: &self.path, hash: self.hash, platform: None };
        let others = self.platforms.iter().filter_map(|(engine, platform)| {
            let ModuleFile { path, hash } = platform.module.as_ref()?;
            Some(ModuleRef { path, hash: *hash, platform: Some((engine, platform)) })
        });
        iter::once(own).chain(others)
    }

    /// Returns the module that the engine of this name loads.
    ///
    /// The [`CompatibilityChecker`](crate::CompatibilityChecker) decides whether the engine can load it.
    pub fn module_for(&self, engine: &str) -> ModuleRef<'_> {
        let own = ModuleRef { path: &self.path, hash: self.hash, platform: None };
        self.modules().find(|module| module.platform.is_some_and(|(name, _)| name == engine)).unwrap_or(own)
    }
}

impl Kernel {
    /// Returns the compiled files of all engines.
    pub fn aot_files(&self) -> impl Iterator<Item = &AotFile> {
        self.platforms.values().flat_map(|platform| &platform.aot)
    }

    /// Returns the file that the engine of this name loads on this machine, if the pack has one.
    pub fn aot_for(&self, engine: &str, target: AotTarget) -> Option<&AotFile> {
        self.platforms.get(engine)?.aot.iter().find(|file| file.target == target)
    }
}

/// The arguments of a backward pass.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backward {
    /// The tensors that the pass reads, including in-out tensors.
    pub inputs: Vec<Tensor>,
    /// The tensors that the pass writes, including in-out tensors.
    pub outputs: Vec<Tensor>,
    /// The working space of the pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scratch: Vec<Scratch>,
    /// The scalars of the pass, by name.
    #[serde(default)]
    pub params: BTreeMap<String, Param>,
}

/// A module's path and digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModuleFile {
    /// The module's file, relative to the pack: `{family}/{id}.{variant}.wasm`.
    pub path: String,
    /// The digest of the module's bytes.
    pub hash: Digest,
}

/// An engine's requirements for running a module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Platform {
    /// The oldest version of the engine that can run the module.
    pub min_version: Version,
    /// The WebAssembly features that the module uses, by the names in [`FEATURES`](crate::FEATURES).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// The module that the engine loads in place of the kernel's own; otherwise it is the same kernel.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "strict::present")]
    pub module: Option<ModuleFile>,
    /// Whether the module can be compiled ahead of time for the engine.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "strict::present")]
    pub aot_available: Option<bool>,
    /// The engine's module, compiled ahead of time, one file for each machine. This code runs outside the sandbox, so a
    /// host loads it only if a key that is trusted for native code signed the manifest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aot: Vec<AotFile>,
}

/// A measurement.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Benchmark {
    /// Microseconds per call.
    pub latency_us: f64,
    /// Throughput in 10⁹ floating-point operations per second.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "strict::present")]
    pub throughput_gflops: Option<f64>,
}

fn is_false(value: &bool) -> bool {
    !value
}
