//! Wasmtime, for servers.

mod code;
mod empty;
mod engines;
mod features;
mod form;
mod instance;
mod limits;
mod memory;
mod trap;

use std::{sync::Arc, time::Duration};

use kernelpack_abi::ResourceLimits;
use kernelpack_manifest::{VerifiedAot, VerifiedModule};
use wasmtime::{Config, Inlining, InstancePre, Linker, OptLevel};

#[cfg(target_os = "linux")]
use self::memory::Memories;
use self::{code::Lookup, empty::Empty, engines::Engines, form::Form, instance::WasmtimeInstance, limits::Limits};
#[cfg(target_os = "linux")]
use super::watchdog::Watchdog;
use super::{
    CompiledModule, EmptyFunction, Engine, Instance, Interruption, NoInstance, TICK, interruptible::Reason,
    ticker::Ticker,
};
#[cfg(target_os = "linux")]
use crate::memory::Region;
use crate::{
    EngineError,
    cache::{CacheOutcome, CompileCache},
};

/// The version of Wasmtime that this crate is built with, which Wasmtime itself does not tell.
const VERSION: semver::Version = semver::Version::new(48, 0, 8);

/// Wasmtime with Cranelift.
pub(crate) struct WasmtimeEngine {
    engines: Arc<Engines>,
    features: Vec<&'static str>,
    cache: Option<Arc<CompileCache>>,
    interruption: Interruption,
    #[cfg(target_os = "linux")]
    memories: Memories,
    #[cfg(target_os = "linux")]
    watchdog: Arc<Watchdog<Arc<Region>>>,
    // Dropped with the last runtime and pack, and the ticking ends with it; none if calls are never stopped.
    _ticker: Option<Ticker>,
}

impl WasmtimeEngine {
    /// The configuration of section 6.1 of the specification, by its present names.
    pub(crate) fn new(cache: Option<Arc<CompileCache>>, interruption: Interruption) -> Result<Self, EngineError> {
        Self::with_tick(cache, interruption, TICK)
    }

    /// The same with ticks of another length, for tests.
    pub(crate) fn with_tick(
        cache: Option<Arc<CompileCache>>,
        interruption: Interruption,
        interval: Duration,
    ) -> Result<Self, EngineError> {
        let mut config = Config::new();
        config.cranelift_opt_level(OptLevel::Speed);
        config.cranelift_nan_canonicalization(false);
        // Modules are compiled side by side by threads of our own (`parallel`), which it does without where there are none.
        // Wasmtime would use rayon's pool: it panics where a thread cannot be had, and a forked child waits for it forever.
        config.parallel_compilation(false);
        // What `interruptible` adds to a module are calls, since calls are what Cranelift never removes.
        config.compiler_inlining(Inlining::No);
        config.wasm_simd(true);
        config.wasm_relaxed_simd(true);
        config.wasm_bulk_memory(true);
        config.wasm_multi_value(true);
        config.wasm_multi_memory(false);
        config.wasm_memory64(false);
        config.wasm_tail_call(false);
        config.wasm_extended_const(false);
        // The whole 32-bit range is reserved, so that bounds checks are page faults and memory never moves.
        config.memory_reservation(1 << 32);
        config.memory_guard_size(1 << 16);
        config.memory_may_move(false);
        #[cfg(target_os = "linux")]
        let memories = Memories::default();
        #[cfg(target_os = "linux")]
        {
            config.with_host_memory(Arc::new(memories.clone()));
            // Wasmtime maps images of data segments into its own memories only.
            config.memory_init_cow(false);
        }
        let engines = Arc::new(Engines::new(config));
        // The one that most kernels use; a configuration that Wasmtime refuses is refused here.
        let engine = engines.make(ResourceLimits::DEFAULT.max_stack_bytes, interruption)?;
        let features = features::detect(&engine).map_err(|error| EngineError::Configure(format!("{error:#}")))?;
        #[cfg(target_os = "linux")]
        let watchdog = Arc::new(Watchdog::<Arc<Region>>::default());
        let tick = {
            let engines = engines.clone();
            #[cfg(target_os = "linux")]
            let watchdog = watchdog.clone();
            move || {
                engines.increment_epoch();
                #[cfg(target_os = "linux")]
                watchdog.tick();
            }
        };
        let ticks = interruption != Interruption::Never;
        let ticker = ticks.then(|| Ticker::start(interval, tick)).transpose().map_err(EngineError::Ticker)?;
        Ok(Self {
            engines,
            features,
            cache,
            interruption,
            #[cfg(target_os = "linux")]
            memories,
            #[cfg(target_os = "linux")]
            watchdog,
            _ticker: ticker,
        })
    }

    /// The linear memories that there are, and those that are watched over.
    #[cfg(all(test, target_os = "linux"))]
    pub(crate) fn alive(&self) -> (usize, usize) {
        (self.memories.len(), self.watchdog.len())
    }
}

impl Engine for WasmtimeEngine {
    fn name(&self) -> &'static str {
        "wasmtime"
    }

    fn version(&self) -> semver::Version {
        VERSION
    }

    fn features(&self) -> Vec<&'static str> {
        self.features.clone()
    }

    fn compile(
        &self,
        kernel: &str,
        module: &VerifiedModule,
        _: Option<VerifiedAot>,
        limits: ResourceLimits,
    ) -> Result<Box<dyn CompiledModule>, EngineError> {
        let error =
            |error: wasmtime::Error| EngineError::Compile { kernel: kernel.to_owned(), message: format!("{error:#}") };
        let compiled = self.code(module, limits.max_stack_bytes).map_err(error)?;
        // A linker without a single definition: a module that imports anything cannot be instantiated.
        let instance = Linker::new(compiled.module.engine()).instantiate_pre(&compiled.module).map_err(error)?;
        let sandbox = Sandbox {
            form: Arc::new(compiled.form),
            #[cfg(target_os = "linux")]
            memories: self.memories.clone(),
            #[cfg(target_os = "linux")]
            watchdog: self.watchdog.clone(),
        };
        Ok(Box::new(WasmtimeModule { instance, limits, cache: compiled.cache, sandbox }))
    }

    fn empty_function(&self) -> Result<Box<dyn EmptyFunction>, EngineError> {
        let engine = self.engines.make(ResourceLimits::DEFAULT.max_stack_bytes, self.interruption)?;
        let empty = Empty::new(&engine).map_err(|error| EngineError::Configure(format!("{error:#}")))?;
        Ok(Box::new(empty))
    }
}

impl WasmtimeEngine {
    /// The code of a module, interrupted in the way that was asked for or, where the module cannot be, by epochs.
    fn code(&self, module: &VerifiedModule, max_stack_bytes: u32) -> wasmtime::Result<Code> {
        if self.interruption == Interruption::PageProtection {
            match self.code_of(Form::protected(module.bytes()), module, max_stack_bytes)? {
                Ok(code) => return Ok(code),
                Err(reason) => {
                    let kernel = &module.spec().id;
                    tracing::info!(target: "kernelpack", kernel, %reason, "calls are interrupted by epochs, and copy");
                }
            }
        }
        let interruption =
            if self.interruption == Interruption::Never { Interruption::Never } else { Interruption::Epoch };
        let made = self.code_of(Form::lowered(module.bytes(), interruption), module, max_stack_bytes)?;
        made.map_err(|reason| wasmtime::Error::msg(reason.to_string()))
    }

    fn code_of(
        &self,
        form: Form,
        module: &VerifiedModule,
        max_stack_bytes: u32,
    ) -> wasmtime::Result<Result<Code, Reason>> {
        let engine = self.engines.make(max_stack_bytes, form.interruption)?;
        let vacancy = match code::look_up(&engine, form.interruption, self.cache.as_deref(), module) {
            Lookup::Found(module) => return Ok(Ok(Code { module, form, cache: CacheOutcome::Hit })),
            Lookup::Missing(vacancy) => vacancy,
        };
        let made = match form.make() {
            Ok(made) => made,
            Err(reason) => return Ok(Err(reason)),
        };
        let (module, cache) = vacancy.fill(&made.wasm)?;
        Ok(Ok(Code { module, form, cache }))
    }
}

/// What was made of a module.
struct Code {
    module: wasmtime::Module,
    form: Form,
    cache: CacheOutcome,
}

/// What instances of a module need besides its code.
struct Sandbox {
    form: Arc<Form>,
    #[cfg(target_os = "linux")]
    memories: Memories,
    #[cfg(target_os = "linux")]
    watchdog: Arc<Watchdog<Arc<Region>>>,
}

struct WasmtimeModule {
    instance: InstancePre<Limits>,
    limits: ResourceLimits,
    cache: CacheOutcome,
    sandbox: Sandbox,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_lock_file() {
        let lock = include_str!("../../../Cargo.lock");
        assert!(lock.contains(&format!("name = \"wasmtime\"\nversion = \"{VERSION}\"")), "update VERSION");
    }

    /// No more than kernels may use, so that what they could not be checked for is off, and no less.
    #[test]
    fn the_engine_has_on_what_kernels_may_use() {
        assert_eq!(WasmtimeEngine::new(None, Interruption::BEST).unwrap().features(), kernelpack_manifest::FEATURES);
    }
}
