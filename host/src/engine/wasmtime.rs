//! Wasmtime, for servers.

use kernelpack_abi::{ResourceLimits, exports};
use kernelpack_manifest::VerifiedModule;
use wasmtime::{
    Config, Engine as Wasmtime, InstancePre, Linker, Memory, Module, OptLevel, Store, Trap, TypedFunc, WasmParams,
    WasmResults,
};

use super::{CompiledModule, Engine, Export, Instance, TICK, limits::Limits, ticker::Ticker};
use crate::{EngineError, KernelError};

/// The version of Wasmtime that this crate is built with, which Wasmtime itself does not tell.
const VERSION: semver::Version = semver::Version::new(48, 0, 8);

/// The features that the configuration below switches on, by the names that manifests use.
const FEATURES: [&str; 8] = [
    "bulk-memory",
    "multi-value",
    "mutable-global",
    "reference-types",
    "relaxed-simd",
    "saturating-float-to-int",
    "sign-extension",
    "simd",
];

/// Wasmtime with Cranelift, interrupted by epochs.
pub(crate) struct WasmtimeEngine {
    engine: Wasmtime,
    // Dropped with the last runtime and pack, and the ticking ends with it.
    _ticker: Ticker,
}

impl WasmtimeEngine {
    /// The configuration of section 6.1 of the specification, by its present names.
    pub(crate) fn new() -> Result<Self, EngineError> {
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
        let engine = Wasmtime::new(&config).map_err(|error| EngineError::Configure(format!("{error:#}")))?;
        let weak = engine.weak();
        let ticker = Ticker::start(TICK, move || {
            if let Some(engine) = weak.upgrade() {
                engine.increment_epoch();
            }
        })
        .map_err(EngineError::Ticker)?;
        Ok(Self { engine, _ticker: ticker })
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
        FEATURES.to_vec()
    }

    fn compile(
        &self,
        kernel: &str,
        module: &VerifiedModule,
        limits: ResourceLimits,
    ) -> Result<Box<dyn CompiledModule>, EngineError> {
        let error =
            |error: wasmtime::Error| EngineError::Compile { kernel: kernel.to_owned(), message: format!("{error:#}") };
        let compiled = Module::from_binary(&self.engine, module.bytes()).map_err(error)?;
        // A linker without a single definition: a module that imports anything cannot be instantiated.
        let instance = Linker::new(&self.engine).instantiate_pre(&compiled).map_err(error)?;
        Ok(Box::new(WasmtimeModule { instance, limits }))
    }
}

struct WasmtimeModule {
    instance: InstancePre<Limits>,
    limits: ResourceLimits,
}

impl CompiledModule for WasmtimeModule {
    fn instantiate(&self) -> Result<Box<dyn Instance>, String> {
        WasmtimeInstance::new(&self.instance, self.limits)
            .map(|instance| Box::new(instance) as Box<dyn Instance>)
            .map_err(|error| format!("{error:#}"))
    }
}

struct WasmtimeInstance {
    store: Store<Limits>,
    memory: Memory,
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
        // Verified modules have no start function, so nothing runs here; a deadline is set all the same.
        store.set_epoch_deadline(1);
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

    fn call(&mut self, export: Export, address: u32, ticks: u32) -> Result<i32, KernelError> {
        // The current epoch is under way, so one more than the budget gives the call at least its whole budget.
        self.store.set_epoch_deadline(u64::from(ticks) + 1);
        let store = &mut self.store;
        let missing = || wasmtime::Error::msg("the module has no such export");
        match export {
            Export::Forward => self.forward.call(store, address),
            Export::Info => self.info.call(store, address),
            Export::Backward => self.backward.as_ref().ok_or_else(missing).and_then(|f| f.call(store, address)),
            Export::Init { size } => {
                self.init.as_ref().ok_or_else(missing).and_then(|f| f.call(store, (address, size)))
            }
            Export::Cleanup => self.cleanup.as_ref().ok_or_else(missing).and_then(|f| f.call(store, ())),
        }
        .map_err(|error| kernel_error(&error))
    }
}

/// The one place where Wasmtime's traps become ours.
#[cold]
fn kernel_error(error: &wasmtime::Error) -> KernelError {
    let Some(trap) = error.downcast_ref::<Trap>() else {
        return KernelError::Other { message: format!("{error:#}") };
    };
    match trap {
        Trap::Interrupt => KernelError::EpochDeadline,
        Trap::MemoryOutOfBounds => KernelError::MemoryAccessViolation { offset: fault_address(error), size: 0 },
        Trap::IntegerOverflow | Trap::BadConversionToInteger => KernelError::IntegerOverflow,
        Trap::IntegerDivisionByZero => KernelError::IntegerDivisionByZero,
        Trap::UnreachableCodeReached => KernelError::Unreachable,
        Trap::StackOverflow => KernelError::StackOverflow,
        Trap::BadSignature | Trap::IndirectCallToNull | Trap::TableOutOfBounds => KernelError::IndirectCallTypeMismatch,
        other => KernelError::Other { message: other.to_string() },
    }
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

    /// Switched on means that a module that uses it compiles, switched off that it does not.
    #[test]
    fn the_features_are_those_of_the_engine() {
        let engine = WasmtimeEngine::new().unwrap();
        let compiles = |text: &str| Module::new(&engine.engine, wat::parse_str(text).unwrap()).is_ok();
        let used = [
            ("bulk-memory", "(module (memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0))))"),
            ("multi-value", "(module (func (result i32 i32) i32.const 0 i32.const 0))"),
            ("mutable-global", r#"(module (global (export "g") (mut i32) (i32.const 0)))"#),
            ("reference-types", "(module (table 1 funcref) (func (drop (table.size 0))))"),
            (
                "relaxed-simd",
                "(module (func (param v128) (result v128)
                (f32x4.relaxed_madd (local.get 0) (local.get 0) (local.get 0))))",
            ),
            ("saturating-float-to-int", "(module (func (result i32) (i32.trunc_sat_f32_s (f32.const 0))))"),
            ("sign-extension", "(module (func (result i32) (i32.extend8_s (i32.const 0))))"),
            ("simd", "(module (func (param v128) (result v128) (f32x4.neg (local.get 0))))"),
        ];
        assert_eq!(used.map(|(feature, _)| feature), FEATURES);
        for (feature, module) in used {
            assert!(compiles(module), "{feature}");
        }
        for module in [
            "(module (memory 1 1 shared))",
            "(module (memory i64 1))",
            "(module (memory 1) (memory 1))",
            "(module (func $f (return_call $f)))",
            "(module (tag))",
            "(module (func (param externref)))",
        ] {
            assert!(!compiles(module), "{module}");
        }
    }
}
