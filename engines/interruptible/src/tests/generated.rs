//! Compares random modules before and after the rewriting.

use arbitrary::Unstructured;
use wasm_smith::{Config, Module};
use wasmtime::{Engine, Instance, Store, Trap, Val};

use super::{lower_bulk, make};

/// Returns the configuration of modules that could be kernels: with one memory and no imports.
fn config() -> Config {
    Config {
        allow_start_export: false,
        bulk_memory_enabled: true,
        exceptions_enabled: false,
        export_everything: true,
        gc_enabled: false,
        max_imports: 0,
        max_memories: 1,
        max_memory32_bytes: 4 << 16,
        max_tables: 2,
        memory64_enabled: false,
        memory_max_size_required: true,
        min_funcs: 1,
        min_memories: 1,
        max_data_segments: 0,
        max_element_segments: 0,
        multi_value_enabled: true,
        reference_types_enabled: false,
        relaxed_simd_enabled: false,
        simd_enabled: true,
        tail_call_enabled: false,
        threads_enabled: false,
        custom_page_sizes_enabled: false,
        wide_arithmetic_enabled: false,
        extended_const_enabled: false,
        canonicalize_nans: true,
        ..Config::default()
    }
}

/// What a function returned, and the memory that it left.
#[derive(Debug, PartialEq)]
struct Outcome {
    results: Result<Vec<String>, Trap>,
    memory: Vec<u8>,
}

fn run(engine: &Engine, module: &wasmtime::Module) -> Vec<(String, Outcome)> {
    let mut outcomes = Vec::new();
    for export in module.exports().filter(|export| export.ty().func().is_some()) {
        let mut store = Store::new(engine, ());
        store.set_fuel(1_000_000).unwrap();
        let Ok(instance) = Instance::new(&mut store, module, &[]) else { return Vec::new() };
        let function = instance.get_func(&mut store, export.name()).unwrap();
        let ty = function.ty(&store);
        let arguments: Vec<_> = ty.params().map(|ty| Val::default_for_ty(&ty).unwrap()).collect();
        let mut results: Vec<_> = ty.results().map(|_| Val::I32(0)).collect();
        let ended = function.call(&mut store, &arguments, &mut results);
        let memory = instance.exports(&mut store).find_map(wasmtime::Export::into_memory);
        outcomes.push((
            export.name().to_owned(),
            Outcome {
                results: ended
                    .map(|()| results.iter().map(|value| format!("{value:?}")).collect())
                    .map_err(|error| error.downcast::<Trap>().unwrap()),
                memory: memory.map_or(Vec::new(), |memory| memory.data(&store).to_vec()),
            },
        ));
    }
    outcomes
}

#[test]
fn rewritten_modules_do_what_they_did() {
    let mut engine_config = wasmtime::Config::new();
    engine_config.consume_fuel(true).cranelift_nan_canonicalization(true);
    let engine = Engine::new(&engine_config).unwrap();
    let (mut made_some, mut compared) = (0, 0);
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..400 {
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed as u8
        })
        .take(2000)
        .collect();
        let Ok(module) = Module::new(config(), &mut Unstructured::new(&bytes)) else { continue };
        let wasm = module.to_bytes();
        let lowered = lower_bulk(&wasm).unwrap().wasm;
        wasmparser::Validator::new().validate_all(&lowered).unwrap();
        let Ok(made) = make(&wasm) else { continue };
        wasmparser::Validator::new().validate_all(&made.wasm).unwrap();
        made_some += 1;
        // The module has types that Wasmtime is built without.
        let Ok(original) = wasmtime::Module::new(&engine, &wasm) else { continue };
        let rewritten = wasmtime::Module::new(&engine, &made.wasm).unwrap();
        let (before, after) = (run(&engine, &original), run(&engine, &rewritten));
        for ((name, before), (other, after)) in before.into_iter().zip(after) {
            assert_eq!(name, other);
            let out = |outcome: &Outcome| matches!(outcome.results, Err(Trap::OutOfFuel | Trap::StackOverflow));
            // Touches take fuel and stack, so calls that run out of either end differently.
            if !out(&before) && !out(&after) {
                assert_eq!(before, after, "{name}");
                compared += 1;
            }
        }
    }
    assert!(made_some > 20 && compared > 20, "{made_some} modules, {compared} functions");
}
