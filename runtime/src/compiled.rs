//! Kernels that are compiled and not loaded yet.

use std::sync::Arc;

use kernelpack_abi::ResourceLimits;
use kernelpack_engine::{CompiledModule, Engine, KernelCode};
use kernelpack_manifest::VerifiedInterface;

use crate::{CacheOutcome, ConfigError, Error};

/// A compiled module with its limits. Any thread can compile one; the thread that loads the pack makes the
/// loaded kernel.
pub(crate) struct CompiledKernel {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) interface: Arc<VerifiedInterface>,
    pub(crate) module: Box<dyn CompiledModule>,
    pub(crate) limits: ResourceLimits,
    /// The runtime's limits.
    pub(crate) ceiling: ResourceLimits,
}

impl CompiledKernel {
    /// Compiles a verified module, or loads native code.
    pub(crate) fn new(engine: &Arc<dyn Engine>, code: KernelCode, ceiling: ResourceLimits) -> Result<Self, Error> {
        let interface = code.interface().clone();
        let (spec, facts) = (interface.spec(), interface.facts());
        let limits = ResourceLimits {
            max_memory_pages: spec.limits.max_memory_pages.min(ceiling.max_memory_pages),
            max_epoch_ticks: spec.limits.max_epoch_ticks.min(ceiling.max_epoch_ticks),
            max_table_elements: spec.limits.max_table_elements.min(ceiling.max_table_elements),
            max_instances: spec.limits.max_instances.min(ceiling.max_instances),
            max_stack_bytes: spec.limits.max_stack_bytes.min(ceiling.max_stack_bytes),
        };
        // Refused here rather than at the first call, since no instance could ever be made.
        for (what, needed, limit) in [
            ("pages of memory", facts.initial_pages, limits.max_memory_pages),
            ("table elements", facts.table_elements, limits.max_table_elements),
        ] {
            if needed > limit {
                return Err(ConfigError::CeilingTooLow { kernel: spec.id.clone(), what, needed, limit }.into());
            }
        }
        let compiled = engine.compile(code, limits);
        let compiled = compiled.map_err(|error| Error::uncompiled(&spec.id, error))?;
        Ok(Self { engine: engine.clone(), interface, module: compiled, limits, ceiling })
    }

    /// Returns where the code came from.
    pub(crate) fn cache_outcome(&self) -> CacheOutcome {
        self.module.cache_outcome()
    }
}
