//! Checks of a manifest beyond its structure.

use std::collections::{HashMap, HashSet};

use kernelpack_abi::{ABI_VERSION, ResourceLimits, exports};

use crate::{
    CompatibilityResult, Kernel, KernelFault, Manifest, ModuleFile, Platform, PublicKey, Rejected, Timestamp,
    manifest::{MAX_KERNELS, SCHEMA},
    text::names::{is_identifier, is_printable, is_word},
};

impl Manifest {
    /// Checks everything that can be checked without the pack's files.
    ///
    /// [`parse`](Self::parse) calls this. Programs that build a manifest should call it before writing the manifest.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn validate(&self) -> Result<(), Rejected> {
        if self.schema != SCHEMA {
            return Err(Rejected::UnknownSchema { found: self.schema.clone() });
        }
        if self.abi_version != ABI_VERSION {
            let (found, supported) = (self.abi_version, ABI_VERSION);
            return Err(Rejected::Incompatible(CompatibilityResult::AbiVersion { found, supported }));
        }
        self.check_head()?;
        self.check_kernels()?;
        // Each name must be a kernel's, so this stops at the first one that is not, however many entries there are.
        for (kernel, reference) in &self.fallbacks {
            let Some(kernel) = self.kernel(kernel) else {
                return Err(Rejected::UnknownFallback { kernel: kernel.clone() });
            };
            if !is_identifier(reference) {
                return Err(kernel.reject(KernelFault::BadName { what: "fallback", name: reference.clone() }));
            }
        }
        Ok(())
    }

    fn check_head(&self) -> Result<(), Rejected> {
        if self.name.is_empty() {
            return Err(Rejected::NoName);
        }
        let email = self.author.email.as_deref().unwrap_or_default();
        for (field, text) in [
            ("name", self.name.as_str()),
            ("description", &self.description),
            ("author.name", &self.author.name),
            ("author.email", email),
        ] {
            if !is_printable(text) {
                return Err(Rejected::ControlCharacters { field, text: text.to_owned() });
            }
        }
        if self.min_runtime_version.cmp_precedence(&self.max_runtime_version).is_gt() {
            let (min, max) = (self.min_runtime_version.clone(), self.max_runtime_version.clone());
            return Err(Rejected::VersionsCrossed { min, max });
        }
        if self.created_at.parse::<Timestamp>().is_err() {
            return Err(Rejected::BadTime { value: self.created_at.clone() });
        }
        self.author.signing_key.parse::<PublicKey>().map(|_| ()).map_err(Rejected::BadSigningKey)
    }

    fn check_kernels(&self) -> Result<(), Rejected> {
        match self.kernels.len() {
            0 => return Err(Rejected::NoKernels),
            count if count > MAX_KERNELS => return Err(Rejected::TooManyKernels { count }),
            _ => {}
        }
        let mut ids = HashSet::new();
        let mut paths = HashMap::new();
        for kernel in &self.kernels {
            if !ids.insert(&kernel.id) {
                return Err(Rejected::DuplicateKernel { id: kernel.id.clone() });
            }
            let mut claim = |path: &str| match paths.insert(path.to_ascii_lowercase(), &kernel.id) {
                None => Ok(()),
                Some(first) => {
                    let (path, first, second) = (path.to_owned(), first.clone(), kernel.id.clone());
                    Err(Rejected::DuplicatePath { path, first, second })
                }
            };
            claim(&kernel.path)?;
            let spec = kernel.to_spec(&self.fallbacks)?;
            spec.forward.with(|signature| kernel.check_health(signature))?;
            kernel.modules().skip(1).try_for_each(|module| claim(module.path))?;
            kernel.aot_files().try_for_each(|file| claim(&file.path))?;
            kernel.health.iter().try_for_each(|vector| claim(&vector.path))?;
        }
        Ok(())
    }
}

impl Kernel {
    /// Checks everything except tensors and parameters.
    pub(crate) fn check_entry(&self) -> Result<(), KernelFault> {
        for (what, name) in [("kernel", &self.id), ("entry point", &self.entry_point)] {
            if !is_identifier(name) {
                return Err(KernelFault::BadName { what, name: name.clone() });
            }
        }
        if exports::STANDARD.contains(&self.entry_point.as_str()) {
            return Err(KernelFault::ReservedEntryPoint { name: self.entry_point.clone() });
        }
        self.family()?;
        for (field, text) in [("name", &self.name), ("description", &self.description), ("category", &self.category)] {
            if text.len() > usize::from(u16::MAX) {
                return Err(KernelFault::TextTooLong { field, size: text.len() });
            }
            if !is_printable(text) {
                return Err(KernelFault::ControlCharacters { field, text: text.clone() });
            }
        }
        let limits = self.resource_limits;
        if !(1..=65_536).contains(&limits.max_memory_pages) {
            return Err(KernelFault::MemoryLimit { pages: limits.max_memory_pages });
        }
        if limits.max_epoch_ticks == 0 {
            return Err(KernelFault::TickLimit);
        }
        if !(1..=ResourceLimits::MOST_INSTANCES).contains(&limits.max_instances) {
            return Err(KernelFault::InstanceLimit { instances: limits.max_instances });
        }
        if !ResourceLimits::is_stack_size(limits.max_stack_bytes) {
            return Err(KernelFault::StackLimit { bytes: limits.max_stack_bytes });
        }
        self.check_platforms()?;
        for (name, benchmark) in &self.benchmarks {
            if !is_printable(name) {
                return Err(KernelFault::ControlCharacters { field: "benchmark", text: name.clone() });
            }
            for value in [Some(benchmark.latency_us), benchmark.throughput_gflops].into_iter().flatten() {
                if !value.is_finite() || value < 0.0 {
                    return Err(KernelFault::BadBenchmark { name: name.clone(), value });
                }
            }
        }
        Ok(())
    }

    fn check_platforms(&self) -> Result<(), KernelFault> {
        for (name, platform) in &self.platforms {
            let mut seen = HashSet::new();
            if !is_word(name) {
                return Err(KernelFault::BadPlatform { name: name.clone() });
            }
            if let Some(feature) = platform.features.iter().find(|feature| !is_word(feature) || !seen.insert(*feature))
            {
                return Err(KernelFault::BadPlatform { name: feature.clone() });
            }
            if let Some(ModuleFile { path, .. }) = &platform.module
                && !kernelpack_verify::variant_of(path, &self.path).is_some_and(is_word)
            {
                let stem = self.path.strip_suffix(".wasm").unwrap_or(&self.path).to_owned();
                return Err(KernelFault::VariantPath { engine: name.clone(), path: path.clone(), stem });
            }
            self.check_aot(name, platform)?;
        }
        Ok(())
    }

    fn check_aot(&self, engine: &str, platform: &Platform) -> Result<(), KernelFault> {
        let mut targets = HashSet::new();
        for file in &platform.aot {
            let target = file.target;
            if !targets.insert(target) {
                return Err(KernelFault::DuplicateAot { target });
            }
            file.check()?;
            let stem = self.path.strip_suffix(".wasm").unwrap_or(&self.path);
            if file.path.strip_prefix(stem) != Some(&format!(".{target}.aot")) {
                let (path, stem) = (file.path.clone(), stem.to_owned());
                return Err(KernelFault::AotPath { target, path, stem });
            }
            if file.source != self.hash && file.source != self.module_for(engine).hash {
                return Err(KernelFault::StaleAot { target });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
