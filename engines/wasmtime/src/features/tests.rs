use super::*;
use kernelpack_manifest::{FEATURES, required_features};
use wasmtime::Config;

fn detected(set: fn(&mut Config) -> &mut Config) -> Vec<&'static str> {
    let mut config = Config::new();
    set(&mut config);
    detect(&Engine::new(&config).unwrap()).unwrap()
}

#[test]
fn probes_are_what_they_stand_for() {
    let texts = [
        ("bulk-memory", "(module (memory 1) (func i32.const 0 i32.const 0 i32.const 0 memory.fill))"),
        ("exceptions", "(module (tag))"),
        ("extended-const", "(module (global i32 i32.const 1 i32.const 1 i32.add))"),
        ("gc", "(module (type (struct)))"),
        ("memory64", "(module (memory i64 1))"),
        ("multi-memory", "(module (memory 1) (memory 1))"),
        ("multi-value", "(module (func (result i32 i32) i32.const 0 i32.const 0))"),
        ("mutable-global", "(module (global (export \"g\") (mut i32) i32.const 0))"),
        ("reference-types", "(module (table 1 funcref) (table 1 funcref))"),
        (
            "relaxed-simd",
            "(module (func (param v128) (result v128) local.get 0 local.get 0 local.get 0 f32x4.relaxed_madd))",
        ),
        ("saturating-float-to-int", "(module (func (result i32) f32.const 0 i32.trunc_sat_f32_s))"),
        ("sign-extension", "(module (func (result i32) i32.const 0 i32.extend8_s))"),
        ("simd", "(module (func (param v128) (result v128) local.get 0 f32x4.neg))"),
        ("tail-call", "(module (func return_call 0))"),
        ("threads", "(module (memory 1 1 shared))"),
    ];
    assert_eq!(PROBES.map(|(name, _)| name), texts.map(|(name, _)| name));
    assert!(PROBES.is_sorted());
    for ((name, probe), (_, text)) in PROBES.iter().zip(texts) {
        assert_eq!(*probe, wat::parse_str(text).unwrap(), "{name}");
    }
}

#[test]
fn every_feature_that_kernels_may_use_has_a_probe_that_needs_it() {
    for feature in FEATURES {
        let (_, probe) = PROBES.iter().find(|(name, _)| *name == feature).expect(feature);
        let mut needed = required_features(probe);
        needed.remove(if feature == "relaxed-simd" { "simd" } else { "" });
        assert_eq!(needed.into_iter().collect::<Vec<_>>(), [feature]);
    }
}

#[test]
fn features_that_are_switched_off_are_not_found() {
    let without = |set: fn(&mut Config) -> &mut Config| {
        let (all, some) = (detected(|config| config), detected(set));
        assert!(some.iter().all(|feature| all.contains(feature)));
        all.into_iter().filter(|feature| !some.contains(feature)).collect::<Vec<_>>()
    };
    assert_eq!(without(|config| config.wasm_relaxed_simd(false)), ["relaxed-simd"]);
    assert_eq!(without(|config| config.wasm_relaxed_simd(false).wasm_simd(false)), ["relaxed-simd", "simd"]);
    assert_eq!(without(|config| config.wasm_multi_value(false)), ["multi-value"]);
    assert_eq!(without(|config| config.wasm_tail_call(false)), ["tail-call"]);
    assert_eq!(without(|config| config.wasm_multi_memory(false)), ["multi-memory"]);
    assert_eq!(without(|config| config.wasm_extended_const(false)), ["extended-const"]);
    assert!(detected(|config| config.wasm_memory64(true)).contains(&"memory64"));
    assert!(!detected(|config| config.wasm_memory64(false)).contains(&"memory64"));
}
