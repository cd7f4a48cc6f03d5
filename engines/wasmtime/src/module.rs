//! A module that Wasmtime compiled.

use kernelpack_abi::ResourceLimits;
use kernelpack_compile_cache::CacheOutcome;
use kernelpack_engine::{CompiledModule, Instance, Interruption, NoInstance};
use wasmtime::InstancePre;

use crate::{instance::WasmtimeInstance, limits::Limits, sandbox::Sandbox};

pub(crate) struct WasmtimeModule {
    pub(crate) instance: InstancePre<Limits>,
    pub(crate) limits: ResourceLimits,
    pub(crate) cache: CacheOutcome,
    pub(crate) sandbox: Sandbox,
}

impl CompiledModule for WasmtimeModule {
    fn cache_outcome(&self) -> CacheOutcome {
        self.cache.clone()
    }

    fn interruption(&self) -> Interruption {
        self.sandbox.form.interruption
    }

    fn instantiate(&self) -> Result<Box<dyn Instance>, NoInstance> {
        WasmtimeInstance::new(&self.instance, self.limits, &self.sandbox)
            .map(|instance| Box::new(instance) as Box<dyn Instance>)
            .map_err(|error| NoInstance {
                message: format!("{error:#}"),
                by_module: error.downcast_ref::<wasmtime::Trap>().is_some(),
            })
    }
}
