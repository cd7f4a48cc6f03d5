//! Wasmtime, configured and started.

use std::{fmt, sync::Arc, time::Duration};

use kernelpack_abi::ResourceLimits;
use kernelpack_compile_cache::{CacheOutcome, CompileCache};
use kernelpack_engine::{
    CompileError, CompiledModule, EmptyFunction, Engine, Interruption, KernelCode, StartError, Ticker,
};
use kernelpack_interruptible::Reason;
use kernelpack_manifest::VerifiedModule;
use wasmtime::{Config, Inlining, Linker, OptLevel};

use crate::{
    VERSION,
    code::{self, Lookup},
    empty::Empty,
    engines::Engines,
    features,
    form::Form,
    module::WasmtimeModule,
    protection::Protection,
    sandbox::Sandbox,
};

/// A started Wasmtime engine, made by [`Wasmtime::start_engine`](crate::Wasmtime::start_engine).
pub struct WasmtimeEngine {
    engines: Arc<Engines>,
    features: Vec<&'static str>,
    cache: Option<CompileCache>,
    interruption: Interruption,
    protection: Protection,
    // Dropped with the last runtime and pack, which stops the ticking; `None` if calls are never stopped.
    _ticker: Option<Ticker>,
}

impl WasmtimeEngine {
    /// Starts Wasmtime: Cranelift optimizes for speed, SIMD is on, and features that kernels may not use are off.
    pub(crate) fn new(
        cache: Option<CompileCache>,
        interruption: Interruption,
        interval: Duration,
    ) -> Result<Self, StartError> {
        let mut config = Config::new();
        config.cranelift_opt_level(OptLevel::Speed);
        config.cranelift_nan_canonicalization(false);
        // Modules are compiled in parallel by our own threads (`parallel`), which are optional. Wasmtime would use
        // rayon's pool, which panics if it cannot start a thread, and which a forked child waits for forever.
        config.parallel_compilation(false);
        // Must stay off: `interruptible` adds calls as touches because Cranelift never removes a call, which holds only
        // if calls are not inlined.
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
        let protection = Protection::default();
        protection.configure(&mut config);
        let engines = Arc::new(Engines::new(config));
        // Most kernels use this engine; making it also checks the configuration.
        let refused = |error: wasmtime::Error| {
            let message = format!("{error:#}");
            if is_shortage(&error) { StartError::OutOfMemory(message) } else { StartError::Settings(message) }
        };
        let engine = engines.make(ResourceLimits::DEFAULT.max_stack_bytes, interruption).map_err(refused)?;
        let features = features::detect(&engine).map_err(refused)?;
        let tick = {
            let (engines, protection) = (engines.clone(), protection.clone());
            move || {
                engines.increment_epoch();
                protection.tick();
            }
        };
        let ticks = interruption != Interruption::Never;
        let ticker = ticks.then(|| Ticker::start(interval, tick)).transpose().map_err(StartError::Ticker)?;
        Ok(Self { engines, features, cache, interruption, protection, _ticker: ticker })
    }

    /// Returns the number of linear memories, and of those that are watched.
    #[doc(hidden)]
    pub fn alive(&self) -> (usize, usize) {
        self.protection.count()
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

    fn compile(&self, code: KernelCode, limits: ResourceLimits) -> Result<Box<dyn CompiledModule>, CompileError> {
        let KernelCode::Module(module) = code else {
            return Err(CompileError::Refused("Wasmtime runs no native code that a pack brings".to_owned()));
        };
        let compiled = self.code(&module, limits.max_stack_bytes).map_err(refused)?;
        // A linker without a single definition: a module that imports anything cannot be instantiated.
        let instance = Linker::new(compiled.module.engine()).instantiate_pre(&compiled.module).map_err(refused)?;
        let sandbox = Sandbox { form: Arc::new(compiled.form), protection: self.protection.clone() };
        Ok(Box::new(WasmtimeModule { instance, limits, cache: compiled.cache, sandbox }))
    }

    fn empty_function(&self) -> Result<Box<dyn EmptyFunction>, CompileError> {
        let engine = self.engines.make(ResourceLimits::DEFAULT.max_stack_bytes, self.interruption).map_err(refused)?;
        Ok(Box::new(Empty::new(&engine).map_err(refused)?))
    }
}

/// Converts Wasmtime's error for a module that it rejects or has no memory for.
fn refused(error: wasmtime::Error) -> CompileError {
    let message = format!("{error:#}");
    if is_shortage(&error) { CompileError::OutOfMemory(message) } else { CompileError::Refused(message) }
}

/// Returns whether the system lacks memory, address space, file descriptors or mappings.
fn is_shortage(error: &wasmtime::Error) -> bool {
    #[cfg(unix)]
    {
        use rustix::io::Errno;

        let lacks = |errno: Errno| matches!(errno, Errno::NOMEM | Errno::AGAIN | Errno::MFILE | Errno::NFILE);
        let errno = |cause: &(dyn std::error::Error + 'static)| {
            let of_io = || cause.downcast_ref().and_then(Errno::from_io_error);
            cause.downcast_ref::<Errno>().copied().or_else(of_io)
        };
        if error.chain().filter_map(errno).any(lacks) {
            return true;
        }
    }
    let is_memory = |error: &std::io::Error| error.kind() == std::io::ErrorKind::OutOfMemory;
    error.is::<wasmtime::error::OutOfMemory>()
        || error.chain().any(|cause| cause.downcast_ref::<std::io::Error>().is_some_and(is_memory))
}

impl WasmtimeEngine {
    /// Returns the code of a module, interrupted in the requested way, or by epochs if the module does not allow that
    /// way.
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
        let vacancy = match code::look_up(&engine, form.interruption, self.cache.as_ref(), module) {
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

/// A module's code and how it was made.
struct Code {
    module: wasmtime::Module,
    form: Form,
    cache: CacheOutcome,
}

impl fmt::Debug for WasmtimeEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasmtimeEngine").field("interruption", &self.interruption).finish_non_exhaustive()
    }
}

#[cfg(all(test, unix))]
mod tests;
