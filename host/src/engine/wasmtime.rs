//! Wasmtime, for servers.

mod code;
mod features;

use std::sync::Arc;

use kernelpack_abi::{ResourceLimits, exports};
use kernelpack_manifest::VerifiedModule;
use wasmtime::{
    Config, InstancePre, Linker, Memory, OptLevel, Store, Trap, TypedFunc, WasmBacktrace, WasmParams, WasmResults,
};

use super::{
    CompiledModule, Engine, Export, Instance, Stop, TICK,
    limits::Limits,
    stack::{Engines, with_room},
    ticker::Ticker,
};
use crate::{
    Backtrace, BacktraceFrame, EngineError, KernelError,
    cache::{CacheOutcome, CompileCache},
};

/// The version of Wasmtime that this crate is built with, which Wasmtime itself does not tell.
const VERSION: semver::Version = semver::Version::new(48, 0, 8);

/// What making an instance may take, far more than any does: 10 s.
const INSTANTIATION_TICKS: u64 = 1000;

/// Wasmtime with Cranelift, interrupted by epochs.
pub(crate) struct WasmtimeEngine {
    engines: Arc<Engines>,
    features: Vec<&'static str>,
    cache: Option<Arc<CompileCache>>,
    // Dropped with the last runtime and pack, and the ticking ends with it.
    _ticker: Ticker,
}

impl WasmtimeEngine {
    /// The configuration of section 6.1 of the specification, by its present names.
    pub(crate) fn new(cache: Option<Arc<CompileCache>>) -> Result<Self, EngineError> {
        let mut config = Config::new();
        config.cranelift_opt_level(OptLevel::Speed);
        config.cranelift_nan_canonicalization(false);
        config.parallel_compilation(true);
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
        config.epoch_interruption(true);
        let engines = Arc::new(Engines::new(config));
        // The one that most kernels use; a configuration that Wasmtime refuses is refused here.
        let engine = engines.with_stack(ResourceLimits::DEFAULT.max_stack_bytes)?;
        let features = features::detect(&engine).map_err(|error| EngineError::Configure(format!("{error:#}")))?;
        let ticked = engines.clone();
        let ticker = Ticker::start(TICK, move || ticked.increment_epoch()).map_err(EngineError::Ticker)?;
        Ok(Self { engines, features, cache, _ticker: ticker })
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
        limits: ResourceLimits,
    ) -> Result<Box<dyn CompiledModule>, EngineError> {
        let error =
            |error: wasmtime::Error| EngineError::Compile { kernel: kernel.to_owned(), message: format!("{error:#}") };
        let engine = self.engines.with_stack(limits.max_stack_bytes)?;
        let (compiled, cache) = code::load(&engine, self.cache.as_deref(), module).map_err(error)?;
        // A linker without a single definition: a module that imports anything cannot be instantiated.
        let instance = Linker::new(&engine).instantiate_pre(&compiled).map_err(error)?;
        Ok(Box::new(WasmtimeModule { instance, limits, cache }))
    }
}

struct WasmtimeModule {
    instance: InstancePre<Limits>,
    limits: ResourceLimits,
    cache: CacheOutcome,
}

impl CompiledModule for WasmtimeModule {
    fn cache_outcome(&self) -> CacheOutcome {
        self.cache.clone()
    }

    fn instantiate(&self) -> Result<Box<dyn Instance>, String> {
        WasmtimeInstance::new(&self.instance, self.limits)
            .map(|instance| Box::new(instance) as Box<dyn Instance>)
            .map_err(|error| format!("{error:#}"))
    }
}

struct WasmtimeInstance {
    store: Store<Limits>,
    memory: Memory,
    max_stack_bytes: u32,
    forward: TypedFunc<u32, i32>,
    info: TypedFunc<u32, i32>,
    backward: Option<TypedFunc<u32, i32>>,
    init: Option<TypedFunc<(u32, u32), i32>>,
    cleanup: Option<TypedFunc<(), i32>>,
}

impl WasmtimeInstance {
    fn new(instance: &InstancePre<Limits>, limits: ResourceLimits) -> wasmtime::Result<Self> {
        let engine = instance.module().engine();
        let mut store = Store::new(engine, Limits::new(limits));
        store.limiter(|limits| limits);
        // Verified modules have no start function: what runs here are Wasmtime's own steps that fill tables and memory,
        // which the module's size bounds. They check the epoch as well, and a tick may come at any time.
        store.set_epoch_deadline(INSTANTIATION_TICKS);
        let instance = instance.instantiate(&mut store)?;
        let memory = instance
            .get_memory(&mut store, exports::MEMORY)
            .ok_or_else(|| wasmtime::Error::msg("the module exports no memory"))?;
        let mut lookup = Lookup { instance, store: &mut store };
        Ok(Self {
            forward: lookup.required(exports::FORWARD)?,
            info: lookup.required(exports::INFO)?,
            backward: lookup.optional(exports::BACKWARD)?,
            init: lookup.optional(exports::INIT)?,
            cleanup: lookup.optional(exports::CLEANUP)?,
            memory,
            max_stack_bytes: limits.max_stack_bytes,
            store,
        })
    }
}

/// Typed access to an instance's exports.
struct Lookup<'a> {
    instance: wasmtime::Instance,
    store: &'a mut Store<Limits>,
}

impl Lookup<'_> {
    fn required<P: WasmParams, R: WasmResults>(&mut self, name: &str) -> wasmtime::Result<TypedFunc<P, R>> {
        self.instance.get_typed_func(&mut *self.store, name)
    }

    fn optional<P: WasmParams, R: WasmResults>(&mut self, name: &str) -> wasmtime::Result<Option<TypedFunc<P, R>>> {
        match self.instance.get_func(&mut *self.store, name) {
            None => Ok(None),
            Some(function) => function.typed(&*self.store).map(Some),
        }
    }
}

impl Instance for WasmtimeInstance {
    fn memory_size(&self) -> u64 {
        self.memory.data_size(&self.store) as u64
    }

    fn grow(&mut self, pages: u64) -> bool {
        self.memory.grow(&mut self.store, pages).is_ok()
    }

    fn memory(&mut self) -> &mut [u8] {
        self.memory.data_mut(&mut self.store)
    }

    fn call(&mut self, export: Export, address: u32, ticks: u32) -> Result<i32, Stop> {
        // The current epoch is under way, so one more than the budget gives the call at least its whole budget.
        self.store.set_epoch_deadline(u64::from(ticks) + 1);
        let store = &mut self.store;
        let missing = || wasmtime::Error::msg("the module has no such export");
        with_room(self.max_stack_bytes, || match export {
            Export::Forward => self.forward.call(store, address),
            Export::Info => self.info.call(store, address),
            Export::Backward => self.backward.as_ref().ok_or_else(missing).and_then(|f| f.call(store, address)),
            Export::Init { size } => {
                self.init.as_ref().ok_or_else(missing).and_then(|f| f.call(store, (address, size)))
            }
            Export::Cleanup => self.cleanup.as_ref().ok_or_else(missing).and_then(|f| f.call(store, ())),
        })
        .map_err(|error| Stop { error: kernel_error(&error), backtrace: backtrace(&error) })
    }
}

/// The one place where Wasmtime's traps become ours.
#[cold]
fn kernel_error(error: &wasmtime::Error) -> KernelError {
    match error.downcast_ref::<Trap>() {
        Some(Trap::MemoryOutOfBounds) => KernelError::MemoryAccessViolation { offset: fault_address(error), size: 0 },
        Some(trap) => trap_error(*trap),
        None => KernelError::Other { message: format!("{error:#}") },
    }
}

fn trap_error(trap: Trap) -> KernelError {
    match trap {
        Trap::Interrupt => KernelError::EpochDeadline,
        Trap::MemoryOutOfBounds => KernelError::MemoryAccessViolation { offset: 0, size: 0 },
        Trap::IntegerOverflow | Trap::BadConversionToInteger => KernelError::IntegerOverflow,
        Trap::IntegerDivisionByZero => KernelError::IntegerDivisionByZero,
        Trap::UnreachableCodeReached => KernelError::Unreachable,
        Trap::StackOverflow => KernelError::StackOverflow,
        Trap::BadSignature | Trap::IndirectCallToNull | Trap::TableOutOfBounds => KernelError::IndirectCallTypeMismatch,
        // Traps of proposals that are switched off: threads, garbage collection, components, stack switching, fuel.
        other => KernelError::Other { message: other.to_string() },
    }
}

/// Where the guest was, as Wasmtime attached it to the error.
#[cold]
fn backtrace(error: &wasmtime::Error) -> Backtrace {
    let frames = error.downcast_ref::<WasmBacktrace>().map_or(&[][..], WasmBacktrace::frames);
    let frames = frames
        .iter()
        .map(|frame| {
            let offset = frame.module_offset().map(|offset| offset as u64);
            BacktraceFrame::new(frame.func_name(), frame.func_index(), offset)
        })
        .collect();
    Backtrace { frames }
}

/// The address of a memory fault. Wasmtime attaches it as a context that it has no public type for, so it is read from
/// the words; 0 where there is none, as for accesses that a libcall makes.
fn fault_address(error: &wasmtime::Error) -> u32 {
    error
        .chain()
        .find_map(|cause| {
            let text = cause.to_string();
            let (_, rest) = text.split_once("memory fault at wasm address 0x")?;
            let digits = rest.split(|c: char| !c.is_ascii_hexdigit()).next()?;
            u64::from_str_radix(digits, 16).ok()
        })
        .map_or(0, |address| u32::try_from(address).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_lock_file() {
        let lock = include_str!("../../../Cargo.lock");
        assert!(lock.contains(&format!("name = \"wasmtime\"\nversion = \"{VERSION}\"")), "update VERSION");
    }

    /// Wasmtime's list is not exhaustive: one that a new version adds must be looked at, not fall under "other".
    #[test]
    fn every_trap_that_a_kernel_can_cause_has_a_variant() {
        let traps: Vec<Trap> = (0..=u8::MAX).filter_map(Trap::from_u8).collect();
        let named: Vec<Trap> =
            traps.iter().copied().filter(|trap| !matches!(trap_error(*trap), KernelError::Other { .. })).collect();
        assert_eq!(
            named,
            [
                Trap::StackOverflow,
                Trap::MemoryOutOfBounds,
                Trap::TableOutOfBounds,
                Trap::IndirectCallToNull,
                Trap::BadSignature,
                Trap::IntegerOverflow,
                Trap::IntegerDivisionByZero,
                Trap::BadConversionToInteger,
                Trap::UnreachableCodeReached,
                Trap::Interrupt,
            ]
        );
        assert_eq!(traps.len(), 50, "Wasmtime knows other traps than before: can a kernel cause them?");
    }

    /// No more than kernels may use, so that what they could not be checked for is off, and no less.
    #[test]
    fn the_engine_has_on_what_kernels_may_use() {
        assert_eq!(WasmtimeEngine::new(None).unwrap().features(), kernelpack_manifest::FEATURES);
    }
}
