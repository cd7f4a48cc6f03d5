//! Tests that a hostile kernel cannot reach the tensors of others.
//!
//! Where tensors are copied, the kernel only has copies and nothing needs protection, so tests of mapped pages run on
//! Wasmtime, which maps.

use kernelpack_abi::{KernelSpec, Lifecycle, TensorView, TensorViewMut};
use kernelpack_host::{
    Error, Tensor, TypedKernel,
    error::{BadCall, KernelError},
    policy::{BreakerPolicy, FallbackPolicy},
};
use kernelpack_tests::{apply, engine::Engine, on_each_engine};

use crate::{
    alone,
    stub::{Args, Forward, honest},
    wat_kernel::{Parts, SPEC},
};

fn open(engine: Engine, parts: &Parts) -> TypedKernel<Forward> {
    let runtime = engine.builder().fallback(FallbackPolicy::Never).breaker(BreakerPolicy::Never).build().unwrap();
    runtime.open(engine.ready(honest(parts)).path()).unwrap().kernel().unwrap()
}

/// Returns a kernel with this body. `$x` and `$y` are the addresses of its tensors, `$bytes` their size, `$mode` its
/// scalar.
fn kernel(engine: Engine, body: &'static str) -> TypedKernel<Forward> {
    let rest = Box::leak(
        format!(
            "(func $body (param $d i32) (param $mode i32) (result i32)
                (local $block i32) (local $x i32) (local $y i32) (local $bytes i32)
                (local.set $block (i32.load offset=32 (local.get $d)))
                (local.set $x (i32.load offset=16 (local.get $block)))
                (local.set $bytes (i32.load offset=20 (local.get $block)))
                (local.set $y (i32.load offset=64 (local.get $block)))
                {body})"
        )
        .into_boxed_str(),
    );
    let parts = Parts {
        rest,
        forward: "(call $body (local.get $descriptor) (local.get $mode))",
        spec: SPEC,
        ..Parts::default()
    };
    open(engine, &parts)
}

/// Runs a kernel with this body, bound to a tensor of ones and one of zeros, and returns the result and the tensors.
fn attack(engine: Engine, body: &'static str, mode: i32) -> (Result<(), KernelError>, Vec<f32>, Vec<f32>) {
    let kernel = kernel(engine, body);
    let (x, mut y) = (Tensor::from_slice(&[1.0; 2048], &[2048]).unwrap(), Tensor::zeros(&[2048]).unwrap());
    let mut bound = kernel.bind(Args { x: x.view(), y: y.view_mut(), mode }).unwrap();
    assert_eq!(bound.copied_bytes() == 0, engine.maps_tensors(), "both are mapped, or neither");
    let result = match bound.call(Args { x: x.view(), y: y.view_mut(), mode }) {
        Ok(()) => Ok(()),
        Err(Error::Kernel(trapped)) => Err(trapped.error),
        Err(other) => panic!("{other}"),
    };
    (result, x.as_slice().to_vec(), y.as_slice().to_vec())
}

fn is_violation(result: &Result<(), KernelError>) -> bool {
    matches!(result, Err(KernelError::MemoryAccessViolation { .. }))
}

#[apply(on_each_engine)]
fn an_output_can_be_written_and_an_input_read(engine: Engine) {
    let _alone = alone();
    let body = "(f32.store (local.get $y) (f32.add (f32.load (local.get $x)) (f32.const 1))) (i32.const 0)";
    let (result, _, y) = attack(engine, body, 0);
    assert_eq!((result, y[0], y[1]), (Ok(()), 2.0, 0.0));
}

#[apply(on_each_engine)]
fn a_write_to_an_input_changes_nothing_and_traps_where_it_is_mapped(engine: Engine) {
    let _alone = alone();
    for body in [
        "(f32.store (local.get $x) (f32.const 7)) (i32.const 0)",
        "(i32.store8 (i32.add (local.get $x) (i32.sub (local.get $bytes) (i32.const 1))) (i32.const 7)) (i32.const 0)",
        "(v128.store (local.get $x) (v128.const i32x4 7 7 7 7)) (i32.const 0)",
        "(memory.fill (local.get $x) (i32.const 7) (local.get $bytes)) (i32.const 0)",
        "(memory.copy (local.get $x) (local.get $y) (local.get $bytes)) (i32.const 0)",
        "(memory.copy (local.get $x) (local.get $y) (i32.const 1)) (i32.const 0)",
    ] {
        if body.contains("v128") && !engine.runs_simd() {
            continue;
        }
        let (result, x, _) = attack(engine, body, 0);
        assert_eq!(is_violation(&result), engine.maps_tensors(), "{body}: {result:?}");
        assert!(x.iter().all(|x| *x == 1.0), "{body}");
    }
}

#[test]
fn what_lies_around_the_tensors_is_out_of_reach() {
    let _alone = alone();
    // Probes every page from the end of the descriptor's to the end of memory, in steps of 4 KiB; only the tensors may
    // be reachable. The mode counts pages from the first tensor, backwards and forwards.
    let body = "(drop (i32.load (i32.add (local.get $x) (i32.mul (local.get $mode) (i32.const 4096))))) (i32.const 0)";
    let mut reachable = Vec::new();
    for page in -16..48 {
        let (result, ..) = attack(Engine::Wasmtime, body, page);
        match result {
            Ok(()) => reachable.push(page),
            result => assert!(is_violation(&result), "{page}: {result:?}"),
        }
    }
    // The tensors have 8 KiB each, and the second starts 128 KiB after the first.
    assert_eq!(&reachable[..2], [0, 1]);
    assert_eq!(reachable.len(), 4, "{reachable:?}");
}

#[test]
fn bulk_instructions_cannot_fault_in_the_host() {
    let _alone = alone();
    for body in [
        "(memory.fill (i32.const 0) (i32.const 7) (i32.mul (memory.size) (i32.const 65536))) (i32.const 0)",
        "(memory.copy (i32.const 0) (i32.add (local.get $x) (local.get $bytes)) (i32.const 65536)) (i32.const 0)",
        "(memory.copy (i32.add (local.get $y) (local.get $bytes)) (i32.const 0) (i32.const 64)) (i32.const 0)",
    ] {
        let (result, x, _) = attack(Engine::Wasmtime, body, 0);
        assert!(is_violation(&result), "{body}: {result:?}");
        assert!(x.iter().all(|x| *x == 1.0), "{body}");
    }
}

#[apply(on_each_engine)]
fn memory_that_a_bound_kernel_grows_is_its_own(engine: Engine) {
    let _alone = alone();
    // Sets `$bytes` to the address of the new page.
    let body = "(local.set $bytes (i32.mul (memory.grow (i32.const 1)) (i32.const 65536)))
        (f32.store (local.get $bytes) (f32.const 3))
        (f32.store (local.get $y) (f32.load (local.get $bytes)))
        (i32.const 0)";
    let (result, _, y) = attack(engine, body, 0);
    assert_eq!((result, y[0]), (Ok(()), 3.0));
}

#[apply(on_each_engine)]
fn a_binding_is_as_new_whatever_ran_before(engine: Engine) {
    let _alone = alone();
    // Counts its calls in its own memory and returns the count.
    let body = "(i32.store (i32.const 2048) (i32.add (i32.load (i32.const 2048)) (i32.const 1)))
        (f32.store (local.get $y) (f32.convert_i32_s (i32.load (i32.const 2048)))) (i32.const 0)";
    let kernel = kernel(engine, body);
    let (x, mut y) = (Tensor::zeros(&[4]).unwrap(), Tensor::zeros(&[4]).unwrap());
    kernel.call(Args { x: x.view(), y: y.view_mut(), mode: 0 }).unwrap();
    for _ in 0..3 {
        let mut bound = kernel.bind(Args { x: x.view(), y: y.view_mut(), mode: 0 }).unwrap();
        bound.call(Args { x: x.view(), y: y.view_mut(), mode: 0 }).unwrap();
        assert_eq!(y.as_slice()[0], 1.0);
    }
}

#[apply(on_each_engine)]
fn a_kernel_that_was_stopped_is_bound_anew(engine: Engine) {
    let _alone = alone();
    let body = "(if (i32.eq (local.get $mode) (i32.const 1)) (then (loop $spin (br $spin))))
        (if (i32.eq (local.get $mode) (i32.const 2)) (then unreachable))
        (f32.store (local.get $y) (f32.const 5)) (i32.const 0)";
    let kernel = kernel(engine, body);
    let (x, mut y) = (Tensor::zeros(&[4]).unwrap(), Tensor::zeros(&[4]).unwrap());
    let mut bound = kernel.bind(Args { x: x.view(), y: y.view_mut(), mode: 0 }).unwrap();
    for (mode, error) in [(1, KernelError::EpochDeadline), (2, KernelError::Unreachable)] {
        let Err(Error::Kernel(trapped)) = bound.call(Args { x: x.view(), y: y.view_mut(), mode }) else { panic!() };
        assert_eq!(trapped.error, error);
        y.as_mut_slice().fill(0.0);
        bound.call(Args { x: x.view(), y: y.view_mut(), mode: 0 }).unwrap();
        assert_eq!(y.as_slice()[0], 5.0);
    }
}

/// Returns a module whose `kernel_cleanup` writes to the output of the last call, and whose `mode` 1 never ends.
fn writes_when_it_goes() -> Parts {
    Parts {
        rest: "(func $body (param $d i32) (param $mode i32) (result i32)
            (local $y i32)
            (local.set $y (i32.load offset=64 (i32.load offset=32 (local.get $d))))
            (i32.store (i32.const 2048) (local.get $y))
            (if (local.get $mode) (then (loop $spin (br $spin))))
            (f32.store (local.get $y) (f32.const 5)) (i32.const 0))",
        exports: r#"(export "kernel_forward" (func $forward)) (export "wat_forward" (func $forward))
            (func (export "kernel_info") (param i32) (result i32) i32.const 0)
            (func (export "kernel_cleanup") (result i32)
                (f32.store (i32.load (i32.const 2048)) (f32.const 666)) i32.const 0)"#,
        forward: "(call $body (local.get $descriptor) (local.get $mode))",
        spec: KernelSpec { lifecycle: Lifecycle { init: false, cleanup: true }, ..SPEC },
        ..Parts::default()
    }
}

/// The host may be using its tensors when a binding is dropped.
#[apply(on_each_engine)]
fn a_cleanup_cannot_reach_what_was_bound(engine: Engine) {
    let _alone = alone();
    let kernel = open(engine, &writes_when_it_goes());
    for mode in [0, 1] {
        let (x, mut y) = (Tensor::zeros(&[4]).unwrap(), Tensor::zeros(&[4]).unwrap());
        let mut bound = kernel.bind(Args { x: x.view(), y: y.view_mut(), mode: 0 }).unwrap();
        bound.call(Args { x: x.view(), y: y.view_mut(), mode: 0 }).unwrap();
        let stopped = bound.call(Args { x: x.view(), y: y.view_mut(), mode });
        assert_eq!(stopped.is_err(), mode == 1);
        y.as_mut_slice().fill(1.0);
        drop(bound);
        assert_eq!(y.as_slice(), [1.0; 4], "after mode {mode}");
    }
}

/// The new instance is bound to the same tensors, although the old one's layout is gone.
#[apply(on_each_engine)]
fn a_kernel_that_was_stopped_takes_no_other_tensors(engine: Engine) {
    let _alone = alone();
    let body = "(if (local.get $mode) (then (loop $spin (br $spin))))
        (f32.store (local.get $y) (f32.load (local.get $x))) (i32.const 0)";
    let kernel = kernel(engine, body);
    let x = Tensor::from_slice(&[3.0; 4096], &[4096]).unwrap();
    let mut y = Tensor::zeros(&[4096]).unwrap();
    // Binds one page of each tensor, and later more of the same memory.
    let part = |len| TensorView::new(&x.as_slice()[..len], &[len]).unwrap();
    let mut bound = kernel
        .bind(Args { x: part(1024), y: TensorViewMut::new(&mut y.as_mut_slice()[..1024], &[1024]).unwrap(), mode: 0 })
        .unwrap();
    assert_eq!(bound.copied_bytes() == 0, engine.maps_tensors());
    for mode in [0, 1] {
        let y_part = TensorViewMut::new(&mut y.as_mut_slice()[..1024], &[1024]).unwrap();
        assert_eq!(bound.call(Args { x: part(1024), y: y_part, mode }).is_err(), mode == 1);
        let longer = bound.call(Args { x: part(4096), y: y.view_mut(), mode: 0 });
        assert!(matches!(longer, Err(Error::BadCall(bad)) if matches!(*bad, BadCall::NotBoundShape { .. })), "{mode}");
    }
    let y_part = TensorViewMut::new(&mut y.as_mut_slice()[..1024], &[1024]).unwrap();
    bound.call(Args { x: part(1024), y: y_part, mode: 0 }).unwrap();
    assert_eq!(y.as_slice()[0], 3.0);
}
