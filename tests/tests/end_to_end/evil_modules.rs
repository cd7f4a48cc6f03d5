//! Attacks that `#[kernel]` cannot express, as hand-written modules signed by a trusted key.

use std::collections::BTreeMap;

use kernelpack_abi::{KernelSpec, Lifecycle, ResourceLimits, Shape, section};
use kernelpack_host::{DynKernel, Error, error::KernelError, pack::VerifiedPack, tensor::DynView};
use kernelpack_manifest::{Digest, Kernel, Manifest};
use kernelpack_tests::{apply, engine::Engine, on_both_engines, on_each_engine, pack};

use crate::wat_kernel::{Parts, SPEC, append_custom_section, call, entry, trap};

const SPIN: &str = "(loop $spin (br $spin))";

fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// Returns the exports of a kernel with these bodies.
fn exports(info: &str, init: &str, cleanup: &str) -> &'static str {
    leak(format!(
        r#"(export "kernel_forward" (func $forward)) (export "wat_forward" (func $forward))
        (global $calls (mut i32) (i32.const 0))
        (func $count (global.set $calls (i32.add (global.get $calls) (i32.const 1))))
        (func (export "kernel_info") (param $at i32) (result i32) {info})
        (func (export "kernel_init") (param i32 i32) (result i32) {init})
        (func (export "kernel_cleanup") (result i32) {cleanup})"#
    ))
}

/// Returns a kernel with all lifecycle functions and these bodies.
fn with_life(engine: Engine, info: &str, init: &str, cleanup: &str, forward: &'static str) -> DynKernel {
    const LIFE: KernelSpec<'static> = KernelSpec {
        lifecycle: Lifecycle { init: true, cleanup: true },
        limits: ResourceLimits { max_epoch_ticks: 2, ..SPEC.limits },
        ..SPEC
    };
    let parts = Parts { exports: exports(info, init, cleanup), spec: LIFE, forward, ..Parts::default() };
    let change = |manifest: &mut Manifest| {
        let entry = &mut manifest.kernels[0];
        (entry.init, entry.cleanup, entry.resource_limits) = (true, true, LIFE.limits);
    };
    engine.ready(parts.pack_with(change)).open(engine).unwrap().kernel_named("wat_kernel").unwrap()
}

#[apply(on_both_engines)]
fn a_start_function_is_refused_before_it_could_spin(engine: Engine) {
    let rest = leak(format!("(func $s {SPIN}) (start $s)"));
    let said = Parts { rest, ..Parts::default() }.refusal();
    assert!(said.contains("start function"), "{said}");
    // A second start section, or one that names no function, is not accepted either.
    let wasm = Parts::default().wasm();
    for start in [&[8, 1, 0][..], &[8, 1, 99], &[8, 1, 0, 8, 1, 0]] {
        let pack = Parts::default().pack();
        pack.replace_module("wat_kernel", &[&wasm, start].concat());
        let refused = pack.open(engine).unwrap_err();
        assert!(matches!(refused, Error::Rejected(_)), "{refused}");
    }
}

#[apply(on_each_engine)]
fn every_number_is_a_status(engine: Engine) {
    let kernel = Parts::forward("local.get $mode").open(engine).kernel_named("wat_kernel").unwrap();
    for code in [0, 1, 2, 3, 4, 5, 6, 7, 255, 256, -1, i32::MIN, i32::MAX] {
        let result = call(&kernel, code);
        if code == 0 {
            result.unwrap();
            continue;
        }
        let Err(Error::Kernel(trapped)) = result else { panic!("{code}: {result:?}") };
        assert_eq!(trapped.error, KernelError::Returned { code: code as u32, message: None });
        let text = trapped.error.to_string();
        assert_eq!(text.contains("which is no status"), !(1..=6).contains(&code), "{text}");
        call(&kernel, 0).unwrap();
    }
}

#[apply(on_each_engine)]
fn what_kernel_info_says_is_asked_for_but_never_relied_on(engine: Engine) {
    // `kernel_info` answers differently each time: correctly except for the id, then with an address outside of memory,
    // a failure, a trap and a loop.
    let info = leak(format!(
        "(call $count)
        (i32.store offset=0 (local.get $at) (global.get $calls))
        (i32.store offset=16 (local.get $at) (i32.sub (i32.const 0) (global.get $calls)))
        (i32.store offset=20 (local.get $at) (i32.const 16))
        (if (i32.eq (global.get $calls) (i32.const 3)) (then (return (i32.const -7))))
        (if (i32.eq (global.get $calls) (i32.const 4)) (then unreachable))
        (if (i32.eq (global.get $calls) (i32.const 5)) (then {SPIN}))
        i32.const 0"
    ));
    let kernel = with_life(engine, info, "i32.const 0", "i32.const 0", "(i32.const 0)");
    let said = |kernel: &DynKernel| match kernel.info() {
        Ok((info, id)) => (info.abi_version, id),
        Err(error) => panic!("{error}"),
    };
    call(&kernel, 0).unwrap();
    assert_eq!(said(&kernel), (1, None));
    call(&kernel, 0).unwrap();
    assert_eq!(said(&kernel), (2, None), "the answer is the guest's, and another one now");
    assert!(matches!(kernel.info().unwrap_err(), Error::Kernel(trapped)
        if trapped.error == KernelError::Returned { code: -7i32 as u32, message: None }));
    call(&kernel, 0).unwrap();
    assert!(matches!(kernel.info().unwrap_err(), Error::Kernel(trapped) if trapped.error == KernelError::Unreachable));
    // The instance that trapped had counted; its successor starts again.
    assert_eq!(said(&kernel), (1, None));
    for _ in 2..5 {
        let _ = kernel.info();
    }
    assert_eq!(said(&kernel), (1, None));

    let spins = with_life(engine, leak(format!("{SPIN} i32.const 0")), "i32.const 0", "i32.const 0", "(i32.const 0)");
    assert!(matches!(spins.info().unwrap_err(), Error::Kernel(trapped) if trapped.error == KernelError::EpochDeadline));
    call(&spins, 0).unwrap();
}

#[apply(on_each_engine)]
fn a_kernel_that_changes_its_ways_is_judged_call_by_call(engine: Engine) {
    // The kernel succeeds, returns a failure, traps, and succeeds again in another instance.
    let forward = "(call $count)
        (if (i32.eq (global.get $calls) (i32.const 2)) (then (return (i32.const 5))))
        (if (i32.eq (global.get $calls) (i32.const 3)) (then unreachable))
        i32.const 0";
    let kernel = with_life(engine, "i32.const 0", "i32.const 0", "i32.const 0", forward);
    for _ in 0..3 {
        call(&kernel, 0).unwrap();
        assert_eq!(trap(&kernel, 0), KernelError::Returned { code: 5, message: None });
        assert_eq!(trap(&kernel, 0), KernelError::Unreachable);
    }
}

#[apply(on_each_engine)]
fn whatever_becomes_of_init_and_cleanup_the_host_goes_on(engine: Engine) {
    for (init, expected) in [
        ("i32.const 3", KernelError::Returned { code: 3, message: None }),
        ("i32.const -1", KernelError::Returned { code: u32::MAX, message: None }),
        ("unreachable", KernelError::Unreachable),
        ("(i32.store (i32.const -4) (i32.const 0)) i32.const 0", engine.violation(0xffff_fffc)),
    ] {
        let kernel = with_life(engine, "i32.const 0", init, "i32.const 0", "(i32.const 0)");
        for _ in 0..2 {
            assert_eq!(trap(&kernel, 0), expected, "{init}");
        }
        assert!(matches!(kernel.info(), Err(Error::Kernel(trapped)) if trapped.error == expected), "{init}");
    }
    for cleanup in ["i32.const 6", "unreachable", "(drop (memory.grow (i32.const 9))) i32.const 0"] {
        let kernel = with_life(engine, "i32.const 0", "i32.const 0", cleanup, "(local.get $mode)");
        call(&kernel, 0).unwrap();
        drop(kernel);
    }
}

#[apply(on_each_engine)]
fn what_a_kernel_does_to_the_call_itself_the_host_does_not_read(engine: Engine) {
    // The kernel overwrites its whole call, from the heap base to the end of its last tensor, and then succeeds.
    let forward = "(local.set $mode (i32.load offset=32 (local.get $descriptor)))
        (memory.fill (i32.const 4096) (i32.const 0xEE)
            (i32.sub (i32.add (i32.load offset=64 (local.get $mode)) (i32.load offset=68 (local.get $mode)))
                (i32.const 4096)))
        i32.const 0";
    let kernel = Parts::forward(forward).open(engine).kernel_named("wat_kernel").unwrap();
    for _ in 0..3 {
        // The output contains what the kernel wrote, at its place and with its size.
        assert_eq!(call(&kernel, 0).unwrap().iter().map(|y| y.to_bits()).collect::<Vec<_>>(), [0xEEEE_EEEE; 4]);
    }
    // The kernel changes the addresses in its descriptor, also in a call that is laid out once for many entries.
    let forward = "(i32.store offset=16 (local.get $descriptor) (i32.const 0))
        (i32.store offset=20 (local.get $descriptor) (i32.const -1))
        (i32.store offset=64 (i32.load offset=32 (local.get $descriptor)) (i32.const 0))
        (i32.store offset=68 (i32.load offset=32 (local.get $descriptor)) (i32.const -1))
        (i32.store offset=32 (local.get $descriptor) (local.get $mode))
        i32.const 0";
    let kernel = Parts::forward(forward).open(engine).kernel_named("wat_kernel").unwrap();
    assert_eq!(call(&kernel, 0).unwrap(), [0.0; 4]);
    let x = [0; 16];
    let shape = Shape::new(&[4]).unwrap();
    let view = DynView { dtype: kernelpack_abi::DType::F32, shape, bytes: &x };
    let mut prepared = kernel.prepare(&[("x", view)], &[]).unwrap();
    for _ in 0..3 {
        // The kernel now reads the block at its forged address, which is in its own memory.
        prepared.enter().unwrap();
        assert_eq!(prepared.results().unwrap()[0].bytes, [0; 16]);
    }
}

#[apply(on_both_engines)]
fn all_tables_together_grow_to_the_limit_and_no_further(engine: Engine) {
    let rest = "(table $a 1 funcref) (table $b 3 funcref)";
    let forward = "(loop $more
            (br_if $more (i32.ne (table.grow $a (ref.null func) (i32.const 1)) (i32.const -1))))
        (loop $more (br_if $more (i32.ne (table.grow $b (ref.null func) (i32.const 1)) (i32.const -1))))
        (i32.add (table.size $a) (i32.mul (i32.const 100) (table.size $b)))";
    let kernel = Parts { rest, forward, ..Parts::default() }.open(engine).kernel_named("wat_kernel").unwrap();
    for _ in 0..2 {
        // Of the 16 elements, the first loop leaves none for the second table. WAMR divides the remaining twelve when
        // the module is loaded.
        let code = if engine == Engine::Wasmtime { 313 } else { 907 };
        assert_eq!(trap(&kernel, 0), KernelError::Returned { code, message: None });
    }
}

#[test]
fn more_code_than_a_host_compiles_is_refused_before_it_is_compiled() {
    // As much code as a module may have, in more kernels than a pack may have.
    let rest = leak(format!("(func {}) ", "nop ".repeat(65_000)).repeat(8));
    let parts = Parts { rest, section: false, ..Parts::default() };
    let code = parts.wasm();
    let specs: Vec<KernelSpec<'static>> =
        (0..33).map(|index| KernelSpec { id: leak(format!("wat_kernel_{index}")), ..SPEC }).collect();
    let pack = Parts::default().pack();
    let mut manifest = pack.manifest();
    manifest.kernels.clear();
    std::fs::remove_file(pack.path().join("wat/wat_kernel.wasm")).unwrap();
    for spec in &specs {
        let mut wasm = code.clone();
        append_custom_section(&mut wasm, section::NAME, &entry(spec));
        let spec = spec.into();
        let kernel = Kernel::from_spec(&spec, Digest::of(&wasm), BTreeMap::new(), BTreeMap::new()).unwrap();
        pack.write(&kernel.path, &wasm);
        manifest.kernels.push(kernel);
    }
    pack.sign(&manifest.to_json());
    let said = VerifiedPack::open(pack.path(), &pack::runtime().verifier()).unwrap_err().to_string();
    let expected = "pack rejected: kernel \"wat_kernel_32\" brings the pack to more than 16777216 bytes of \
                    code; split the pack";
    assert_eq!(said, expected);
    let refused = kernelpack_packer::sign(pack.path(), &pack::key()).unwrap_err().to_string();
    assert!(refused.contains("more than 16777216 bytes of code"), "{refused}");
}
