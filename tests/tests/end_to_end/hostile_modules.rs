//! Modules with a trusted signature that are invalid as kernels: each is refused before it is compiled, without
//! involving an engine.

use kernelpack_abi::{KernelSpec, ResourceLimits, section};
use kernelpack_host::{Error, pack::VerifiedPack};
use kernelpack_tests::{apply, engine::Engine, on_both_engines, on_each_engine, pack};

use crate::wat_kernel::{Parts, SPEC, append_custom_section, call, entry};

#[apply(on_each_engine)]
fn the_module_that_the_others_vary_is_accepted(engine: Engine) {
    let kernel = Parts::default().open(engine).kernel_named("wat_kernel").unwrap();
    assert_eq!(call(&kernel, 0).unwrap(), [0.0; 4]);
}

fn refusal(parts: Parts, expected: &str) {
    let refusal = parts.refusal();
    assert!(refusal.contains(expected), "expected {expected:?} in {refusal:?}");
}

#[test]
fn imports_and_start_functions_are_refused() {
    let imports = r#"(import "env" "gettimeofday" (func (param i32)))"#;
    refusal(Parts { imports, ..Parts::default() }, "gettimeofday");
    let imports = r#"(import "env" "memory" (memory 1))"#;
    refusal(Parts { imports, memory: "", ..Parts::default() }, "env");
    refusal(Parts { rest: "(func $s) (start $s)", ..Parts::default() }, "start");
}

#[test]
fn wrong_exports_are_refused() {
    let exports = r#"(export "kernel_forward" (func $forward))
        (func (export "kernel_info") (param i32) (result i32) i32.const 0)"#;
    refusal(Parts { exports, ..Parts::default() }, "wat_forward");
    let exports = r#"(export "wat_forward" (func $forward))
        (func (export "kernel_info") (param i32) (result i32) i32.const 0)"#;
    refusal(Parts { exports, ..Parts::default() }, "kernel_forward");
    let exports = r#"(export "kernel_forward" (func $forward)) (export "wat_forward" (func $forward))
        (func (export "kernel_info") (param i64) (result i32) i32.const 0)"#;
    refusal(Parts { exports, ..Parts::default() }, "kernel_info");
    refusal(Parts { rest: r#"(func (export "extra"))"#, ..Parts::default() }, "extra");
    refusal(
        Parts { rest: r#"(func (export "kernel_init") (param i32 i32) (result i32) i32.const 0)"#, ..Parts::default() },
        "kernel_init",
    );
    let batch = r#"(func (export "kernel_forward_batch") (param i32 i32) (result i32) i32.const 0)"#;
    refusal(Parts { rest: batch, ..Parts::default() }, "kernel_forward_batch");
    let batch = r#"(global (export "kernel_forward_batch") i32 (i32.const 0))"#;
    refusal(Parts { rest: batch, ..Parts::default() }, "kernel_forward_batch");
    let globals = r#"(global (export "__heap_base") i32 (i32.const 4096))
        (global (export "kernel_abi_version") i32 (i32.const 2))
        (global (export "kernel_message") i32 (i32.const 1024))"#;
    refusal(Parts { globals, ..Parts::default() }, "ABI version 2");
    let globals = r#"(global (export "__heap_base") i32 (i32.const 4096))
        (global (export "kernel_abi_version") i32 (i32.const 1))
        (global (export "kernel_message") i32 (i32.const 4000))"#;
    refusal(Parts { globals, ..Parts::default() }, "4000");
    let globals = r#"(global (export "__heap_base") i32 (i32.const 999999))
        (global (export "kernel_abi_version") i32 (i32.const 1))
        (global (export "kernel_message") i32 (i32.const 1024))"#;
    refusal(Parts { globals, ..Parts::default() }, "999999");
    let globals = r#"(global (export "__heap_base") (mut i32) (i32.const 4096))
        (global (export "kernel_abi_version") i32 (i32.const 1))
        (global (export "kernel_message") i32 (i32.const 1024))"#;
    refusal(Parts { globals, ..Parts::default() }, "__heap_base");
}

#[test]
fn memories_and_tables_over_their_limits_are_refused() {
    refusal(Parts { memory: r#"(memory (export "memory") 2 65)"#, ..Parts::default() }, "65");
    refusal(Parts { memory: r#"(memory (export "memory") 2)"#, ..Parts::default() }, "maximum");
    refusal(Parts { memory: r#"(memory (export "memory") 2 64 shared)"#, ..Parts::default() }, "shared");
    refusal(Parts { memory: r#"(memory (export "memory") i64 2 64)"#, ..Parts::default() }, "64");
    refusal(Parts { rest: "(memory 1 2)", ..Parts::default() }, "memories");
    refusal(Parts { rest: "(table 17 funcref)", ..Parts::default() }, "17");
}

#[test]
fn a_section_that_disagrees_is_refused() {
    refusal(Parts { section: false, ..Parts::default() }, "stripped");
    let spec = KernelSpec { id: "other", ..SPEC };
    refusal(Parts { spec, ..Parts::default() }, "other");
    let limits = ResourceLimits { max_memory_pages: 65, ..SPEC.limits };
    refusal(Parts { spec: KernelSpec { limits, ..SPEC }, ..Parts::default() }, "65");

    let with_section = |content: &[u8]| {
        let mut wasm = Parts { section: false, ..Parts::default() }.wasm();
        append_custom_section(&mut wasm, section::NAME, content);
        wasm
    };
    let refusal = |wasm: &[u8]| {
        let pack = Parts::default().pack();
        pack.replace_module("wat_kernel", wasm);
        let refused = VerifiedPack::open(pack.path(), &pack::runtime().verifier()).unwrap_err();
        assert!(matches!(refused, Error::Rejected(_)));
        refused.to_string()
    };
    let good = entry(&SPEC);
    assert!(refusal(&with_section(&good[..good.len() - 1])).contains("malformed"));
    assert!(refusal(&with_section(&[&good[..], &good].concat())).contains('2'));
    let mut newer = good.clone();
    newer[8] = 9;
    let message = refusal(&with_section(&newer));
    assert!(message.contains("schema version 9") && message.contains("version 3"), "{message}");
    let mut twice = with_section(&good);
    append_custom_section(&mut twice, section::NAME, &good);
    assert!(refusal(&twice).contains("section"));
}

#[apply(on_both_engines)]
fn bytes_that_are_no_module_are_refused(engine: Engine) {
    let wasm = Parts::default().wasm();
    let pack = Parts::default().pack();
    let refusal = |bytes: &[u8]| {
        pack.replace_module("wat_kernel", bytes);
        match VerifiedPack::open(pack.path(), &pack::runtime().verifier()) {
            Err(Error::Rejected(rejected)) => Some(rejected.to_string()),
            Err(other) => panic!("{other}"),
            Ok(_) => None,
        }
    };
    assert!(refusal(b"").is_some());
    assert!(refusal(b"(module)").unwrap().contains("WebAssembly"));
    assert!(refusal(b"\x7fELF\x02\x01\x01\0").is_some());
    assert!(refusal(b"\0asm\x0d\0\x01\0").unwrap().contains("component"));
    for len in (0..wasm.len()).step_by(7) {
        assert!(refusal(&wasm[..len]).is_some(), "cut at {len}");
    }
    // Damage under a valid signature must not panic; accepted modules must compile and stay in their sandbox.
    for at in (8..wasm.len()).step_by(3) {
        let mut damaged = wasm.clone();
        damaged[at] ^= 0x15;
        if refusal(&damaged).is_none() {
            let kernel = pack.open(engine).unwrap().kernel_named("wat_kernel").unwrap();
            let _ = call(&kernel, 1);
        }
    }
    assert_eq!(refusal(&wasm), None);
}
