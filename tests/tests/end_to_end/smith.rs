//! Two thousand random modules with a trusted signature: each is refused, or opened and called, without a crash or a
//! hang.

use std::{
    ops::AddAssign,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use arbitrary::Unstructured;
use kernelpack_abi::section;
use kernelpack_host::{
    Error, Runtime,
    error::{KernelError, LoadError},
};
use kernelpack_tests::{apply, engine::Engine, on_both_engines, pack::Copy};
use walrus::{ConstExpr, RawCustomSection, ValType, ir::Value};
use wasm_smith::Config;

use crate::wat_kernel::{Parts, SPEC, call, entry};

/// The number of modules.
const MODULES: u64 = 2000;

/// The results.
#[derive(Debug, Default)]
struct Tally {
    /// Refused by verification.
    rejected: u32,
    /// Verified, but without an instance: segments that do not fit are found when one is made.
    unborn: u32,
    /// Called: forward with two modes and `kernel_info`.
    called: u32,
    /// Calls that returned success, that returned another status or trapped, and that exceeded their budget.
    succeeded: u32,
    failed: u32,
    stopped: u32,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.rejected += other.rejected;
        self.unborn += other.unborn;
        self.called += other.called;
        self.succeeded += other.succeeded;
        self.failed += other.failed;
        self.stopped += other.stopped;
    }
}

#[apply(on_both_engines)]
fn two_thousand_random_modules_neither_crash_nor_hang_the_host(engine: Engine) {
    let next = AtomicU64::new(0);
    let runtime = engine.builder().max_budget(Duration::from_millis(10)).build().unwrap();
    let work = || {
        let (copy, mut tally) = (Parts::default().pack(), Tally::default());
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= MODULES {
                return tally;
            }
            try_module(&runtime, &copy, &module(engine, seed), &mut tally);
        }
    };
    let mut tally = Tally::default();
    std::thread::scope(|scope| {
        let workers = [scope.spawn(work), scope.spawn(work)];
        for worker in workers {
            tally += worker.join().unwrap();
        }
    });
    println!("{tally:?}");
    // Not all are refused: about half of them are compiled, and most of these run.
    assert_eq!(u64::from(tally.rejected + tally.unborn + tally.called), MODULES);
    assert!(tally.rejected >= 400, "{tally:?}");
    assert!(tally.called >= 500, "{tally:?}");
    assert!(tally.succeeded > 0 && tally.failed >= 200 && tally.stopped > 0, "{tally:?}");
    // The runtime still works.
    let kernel = runtime.open(Parts::default().pack().path()).unwrap().kernel_named("wat_kernel").unwrap();
    call(&kernel, 0).unwrap();
}

fn try_module(runtime: &Runtime, copy: &Copy, wasm: &[u8], tally: &mut Tally) {
    copy.replace_module("wat_kernel", wasm);
    let kernel = match runtime.open(copy.path()) {
        Ok(pack) => pack.kernel_named("wat_kernel").unwrap(),
        Err(Error::Rejected(_)) => return tally.rejected += 1,
        Err(other) => panic!("what is verified compiles: {other}"),
    };
    let results = [call(&kernel, 0).map(drop), call(&kernel, -1).map(drop), kernel.info().map(drop)];
    if results.iter().all(|result| matches!(result, Err(Error::Load(LoadError::Instantiate { .. })))) {
        return tally.unborn += 1;
    }
    tally.called += 1;
    for result in results {
        match result {
            Ok(()) => tally.succeeded += 1,
            Err(Error::Kernel(trapped)) if trapped.error == KernelError::EpochDeadline => tally.stopped += 1,
            Err(Error::Kernel(_)) => tally.failed += 1,
            Err(other) => panic!("{other}"),
        }
    }
}

/// Returns the module for a seed: one in four is nothing like a kernel, one in four has a kernel's exports and uses all
/// of WebAssembly, and the others only use what kernels may.
fn module(engine: Engine, seed: u64) -> Vec<u8> {
    let bytes = noise(seed);
    let mut noise = Unstructured::new(&bytes);
    let wild = || Config { max_memories: 3, memory64_enabled: true, ..Config::default() };
    let config = match seed % 4 {
        0 => wild(),
        1 => Config { exports: Some(shape()), max_imports: 0, max_memories: 0, ..wild() },
        _ => kernel_like(engine),
    };
    let mut wasm = wasm_smith::Module::new(config, &mut noise).unwrap().to_bytes();
    // wasm-smith cannot make the other exports: constants with a meaning, and two names for one function.
    if !seed.is_multiple_of(4)
        && let Ok(finished) = finish(&wasm)
    {
        wasm = finished;
    }
    wasm
}

/// Returns a random module's exports, except those that `finish` adds.
fn shape() -> Vec<u8> {
    wat::parse_str(
        r#"(module (memory (export "memory") 2 64)
            (func (export "kernel_forward") (param i32) (result i32) unreachable)
            (func (export "kernel_info") (param i32) (result i32) unreachable))"#,
    )
    .unwrap()
}

fn kernel_like(engine: Engine) -> Config {
    Config {
        exports: Some(shape()),
        allow_start_export: false,
        compact_imports_enabled: false,
        exceptions_enabled: false,
        extended_const_enabled: false,
        gc_enabled: false,
        max_imports: 0,
        max_memories: 0,
        max_instructions: 300,
        max_table_elements: u64::from(SPEC.limits.max_table_elements),
        max_tables: 1,
        memory64_enabled: false,
        // Reference types imply references that need a garbage collector.
        reference_types_enabled: false,
        relaxed_simd_enabled: engine.runs_simd(),
        simd_enabled: engine.runs_simd(),
        // Some accesses are beyond the memory, but not all.
        memory_offset_choices: wasm_smith::MemoryOffsetChoices(95, 4, 1),
        tail_call_enabled: false,
        threads_enabled: false,
        wide_arithmetic_enabled: false,
        ..Config::default()
    }
}

/// Adds the constants, the entry point's name and the section.
fn finish(wasm: &[u8]) -> walrus::Result<Vec<u8>> {
    let mut module = walrus::Module::from_buffer(wasm)?;
    for (name, value) in [("__heap_base", 4096), ("kernel_abi_version", 1), ("kernel_message", 1024)] {
        let global = module.globals.add_local(ValType::I32, false, false, ConstExpr::Value(Value::I32(value)));
        module.exports.add(name, global);
    }
    let forward = module.exports.get_func("kernel_forward")?;
    module.exports.add(SPEC.entry_point, forward);
    module.customs.add(RawCustomSection { name: section::NAME.to_owned(), data: entry(&SPEC) });
    Ok(module.emit_wasm())
}

/// Returns bytes that depend only on the seed: SplitMix64.
fn noise(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut word = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)).to_le_bytes()
    };
    (0..512).flat_map(|_| word()).collect()
}
