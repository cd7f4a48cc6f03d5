//! A module that WAMR loaded.

use std::sync::Arc;

use kernelpack_abi::ResourceLimits;
use kernelpack_compile_cache::CacheOutcome;
use kernelpack_engine::{CompiledModule, Instance, Interruption, NoInstance, Watchdog};

use crate::{
    instance::WamrInstance,
    vm::{Brake, Code},
};

pub(crate) struct WamrModule {
    pub(crate) code: Arc<Code>,
    pub(crate) cache: CacheOutcome,
    pub(crate) limits: ResourceLimits,
    pub(crate) stack_bytes: u32,
    pub(crate) watchdog: Option<Arc<Watchdog<Brake>>>,
}

impl CompiledModule for WamrModule {
    fn cache_outcome(&self) -> CacheOutcome {
        self.cache.clone()
    }

    fn interruption(&self) -> Interruption {
        if self.watchdog.is_some() { Interruption::Epoch } else { Interruption::Never }
    }

    fn instantiate(&self) -> Result<Box<dyn Instance>, NoInstance> {
        WamrInstance::new(&self.code, self.limits, self.stack_bytes, self.watchdog.as_ref())
            .map(|instance| Box::new(instance) as Box<dyn Instance>)
            // WAMR only has messages; these are about segments.
            .map_err(|message| NoInstance { by_module: message.contains("out of bounds"), message })
    }
}
