//! The effective budget is the smallest of the manifest's, the runtime's and the call's.

use std::time::{Duration, Instant};

use kernelpack_abi::{DType, KernelSpec, Lifecycle, ParamValue, ResourceLimits, Shape, TensorView, TensorViewMut};
use kernelpack_host::{DynKernel, Error, RuntimeBuilder, error::KernelError, tensor::DynView};
use kernelpack_tests::{apply, engine::Engine, on_both_engines, on_each_engine};

use crate::{
    stub::{Args, Both, WITH_BACKWARD, honest, square},
    wat_kernel::{Parts, SPEC, call, trap},
};

fn kernel(engine: Engine, parts: &Parts) -> DynKernel {
    kernel_in(engine, engine.builder(), parts)
}

fn kernel_in(engine: Engine, builder: RuntimeBuilder, parts: &Parts) -> DynKernel {
    let pack = engine.ready(honest(parts));
    builder.build().unwrap().open(pack.path()).unwrap().kernel_named("wat_kernel").unwrap()
}

const X: [f32; 4] = [1.0, 2.0, 3.0, 4.0];

/// Runs each pass of a kernel that never ends, typed and dynamic, and returns how long each took.
fn spin(engine: Engine, limits: ResourceLimits, builder: RuntimeBuilder, max_ticks: u32) -> Vec<Duration> {
    const EXPORTS: &str = r#"(export "kernel_forward" (func $forward)) (export "wat_forward" (func $forward))
        (func (export "kernel_info") (param i32) (result i32) i32.const 0)
        (func (export "kernel_backward") (param i32) (result i32) (loop $spin (br $spin)) i32.const 0)"#;
    const EXPORTS_INIT: &str = r#"(export "kernel_forward" (func $forward)) (export "wat_forward" (func $forward))
        (func (export "kernel_info") (param i32) (result i32) i32.const 0)
        (func (export "kernel_backward") (param i32) (result i32) i32.const 0)
        (func (export "kernel_init") (param i32 i32) (result i32) (loop $spin (br $spin)) i32.const 0)"#;
    let passes = KernelSpec { limits, ..WITH_BACKWARD };
    let init = KernelSpec { lifecycle: Lifecycle { init: true, cleanup: false }, ..passes };
    let forward = "(loop $spin (br $spin)) i32.const 0";
    let passes = Parts { forward, exports: EXPORTS, spec: passes, ..Parts::default() };
    let init = Parts { exports: EXPORTS_INIT, spec: init, ..Parts::default() };

    let runtime = builder.build().unwrap();
    let [passes, init] = [&passes, &init].map(|parts| runtime.open(engine.ready(honest(parts)).path()).unwrap());
    let mut y = [0.0; 4];
    let shape = Shape::new(&[4]).unwrap();
    let mut with_args = |call: &dyn Fn(Args<'_>) -> Result<(), Error>| {
        call(Args { x: TensorView::new(&X, &[4]).unwrap(), y: TensorViewMut::new(&mut y, &[4]).unwrap(), mode: 0 })
    };
    let bytes: Vec<u8> = X.into_iter().flat_map(f32::to_le_bytes).collect();
    let x = [("x", DynView { dtype: DType::F32, shape, bytes: &bytes })];
    let mode = [("mode", ParamValue::I32(0))];
    let typed = |pack: &kernelpack_host::Pack| {
        pack.kernel::<Both>().unwrap().with_budget(Duration::from_millis(10) * max_ticks)
    };
    let dynamic = |pack: &kernelpack_host::Pack| {
        pack.kernel_named("wat_kernel").unwrap().with_budget(Duration::from_millis(10) * max_ticks)
    };
    let mut times = Vec::new();
    let mut time = |call: &mut dyn FnMut() -> Result<(), Error>| {
        let start = Instant::now();
        match call().unwrap_err() {
            Error::Kernel(trapped) => assert_eq!(trapped.error, KernelError::EpochDeadline),
            other => panic!("{other}"),
        }
        times.push(start.elapsed());
    };
    time(&mut || with_args(&|args| typed(&passes).call(args)));
    time(&mut || with_args(&|args| typed(&passes).backward(args)));
    time(&mut || with_args(&|args| typed(&init).call(args)));
    time(&mut || with_args(&|args| typed(&init).backward(args)));
    time(&mut || dynamic(&passes).run(&x, &mode).map(drop));
    time(&mut || dynamic(&passes).backward(&x, &mode).map(drop));
    time(&mut || dynamic(&passes).prepare(&x, &mode).unwrap().enter());
    time(&mut || dynamic(&init).run(&x, &mode).map(drop));
    time(&mut || dynamic(&init).prepare(&x, &mode).map(drop));
    times
}

#[apply(on_each_engine)]
fn the_deadline_is_the_smallest_of_three(engine: Engine) {
    // The budgets are in ticks of 10 ms. The measured times are three orders of magnitude below the larger ones.
    const SMALL: u32 = 3;
    const LARGE: u32 = 3000;
    for (manifest, runtimes, call) in [(SMALL, LARGE, LARGE), (LARGE, SMALL, LARGE), (LARGE, LARGE, SMALL)] {
        // Another stack size gives the kernel a Wasmtime engine of its own, and so an epoch of its own.
        let limits = ResourceLimits { max_epoch_ticks: manifest, max_stack_bytes: 128 << 10, ..SPEC.limits };
        for time in spin(engine, limits, engine.builder().max_budget(Duration::from_millis(10) * runtimes), call) {
            assert!(time >= Duration::from_millis(10) * SMALL, "{manifest} {runtimes} {call}: {time:?} is too short");
            assert!(time < Duration::from_millis(10) * LARGE, "{manifest} {runtimes} {call}: {time:?} is too long");
        }
    }
}

/// Makes a kernel that calls itself `mode` times.
fn recursive(max_stack_bytes: u32) -> Parts {
    let rest = "(func $deep (param i32) (result i32)
        (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0))
            (else (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))))";
    let forward = "(if (result i32) (i32.eq (call $deep (local.get $mode)) (local.get $mode))
        (then (i32.const 0)) (else (i32.const 6)))";
    let limits = ResourceLimits { max_stack_bytes, max_epoch_ticks: 1000, ..SPEC.limits };
    Parts { rest, forward, spec: KernelSpec { limits, ..SPEC }, ..Parts::default() }
}

/// A depth that takes more than 64 KiB of stack at 16 bytes per frame, and well below 1 MiB.
const DEEP: i32 = 5000;
const ENDLESS: i32 = i32::MAX;

#[apply(on_each_engine)]
fn the_stack_is_the_smaller_of_two_limits(engine: Engine) {
    let shallow = kernel(engine, &recursive(64 << 10));
    call(&shallow, 100).unwrap();
    assert_eq!(trap(&shallow, DEEP), KernelError::StackOverflow);
    call(&shallow, 100).unwrap();

    let deep = kernel(engine, &recursive(1 << 20));
    call(&deep, DEEP).unwrap();
    assert_eq!(trap(&deep, ENDLESS), KernelError::StackOverflow);
    call(&deep, DEEP).unwrap();

    let strict = kernel_in(engine, engine.builder().max_stack_bytes(64 << 10), &recursive(1 << 20));
    assert_eq!(trap(&strict, DEEP), KernelError::StackOverflow);
    // A limit need not be a power of two.
    let odd = kernel_in(engine, engine.builder().max_stack_bytes(999_999), &recursive(1 << 20));
    call(&odd, DEEP).unwrap();
}

/// On a caller's stack that is smaller than the kernel's limit, the kernel still gets exactly its limit.
#[apply(on_each_engine)]
fn a_kernel_cannot_overflow_the_stack_of_its_caller(engine: Engine) {
    let usual = kernel(engine, &recursive(512 << 10));
    let large = kernel_in(engine, engine.builder().max_stack_bytes(u32::MAX), &recursive(16 << 20));
    let check = || {
        for (kernel, deep) in [(&usual, DEEP), (&large, 100_000)] {
            call(kernel, deep).unwrap();
            assert_eq!(trap(kernel, ENDLESS), KernelError::StackOverflow);
            call(kernel, deep).unwrap();
        }
        assert_eq!(trap(&usual, 100_000), KernelError::StackOverflow);
    };
    check();
    for stack_size in [128 << 10, 512 << 10, 640 << 10, 2 << 20, 64 << 20] {
        std::thread::scope(|scope| {
            let builder = std::thread::Builder::new().stack_size(stack_size);
            builder.spawn_scoped(scope, check).unwrap().join().unwrap();
        });
    }
}

/// Functions that an engine runs for a guest, such as growing memory, have room at the very end of the guest's stack.
#[apply(on_each_engine)]
fn growing_memory_at_the_end_of_the_stack_is_safe(engine: Engine) {
    let rest = "(func $deep (param i32) (result i32)
        (drop (memory.grow (i32.const 0))) (drop (table.grow $t (ref.null func) (i32.const 0)))
        (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))
        (table $t 1 2 funcref)";
    let parts = Parts { rest, forward: "(call $deep (local.get $mode))", ..recursive(512 << 10) };
    let kernel = kernel(engine, &parts);
    let check = || assert_eq!(trap(&kernel, 1), KernelError::StackOverflow);
    check();
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(128 << 10);
        builder.spawn_scoped(scope, check).unwrap().join().unwrap();
    });
}

#[apply(on_both_engines)]
fn tables_obey_the_ceiling_of_the_runtime(engine: Engine) {
    // Grows its table of one element by `mode`; returns status 4 if that fails.
    let parts = |limits| Parts {
        rest: "(table $t 1 funcref)",
        forward: "(if (result i32) (i32.eq (table.grow $t (ref.null func) (local.get $mode)) (i32.const -1))
            (then (i32.const 4)) (else (i32.const 0)))",
        spec: KernelSpec { limits, ..SPEC },
        ..Parts::default()
    };
    let limits = ResourceLimits { max_table_elements: 16, ..SPEC.limits };
    let refused = KernelError::Returned { code: 4, message: None };
    let generous = kernel(engine, &parts(limits));
    call(&generous, 15).unwrap();
    assert_eq!(trap(&kernel(engine, &parts(limits)), 16), refused);
    let strict = kernel_in(engine, engine.builder().max_table_elements(8), &parts(limits));
    assert_eq!(trap(&strict, 8), refused);
    call(&strict, 7).unwrap();
    let none = engine.builder().max_table_elements(0).build().unwrap();
    let none = none.open(honest(&parts(limits)).path()).unwrap_err();
    assert!(none.to_string().contains("starts with 1 table elements, but this runtime allows 0"), "{none}");
}

#[apply(on_both_engines)]
fn instances_obey_the_smaller_of_two_limits(engine: Engine) {
    let limits = |max_instances| ResourceLimits { max_instances, ..SPEC.limits };
    let limit = |builder, manifest| kernel_in(engine, builder, &square(limits(manifest))).occupancy().limit;
    assert_eq!(limit(engine.builder(), 64), 64);
    assert_eq!(limit(engine.builder().max_instances(3), 64), 3);
    assert_eq!(limit(engine.builder().max_instances(64), 3), 3);
    assert_eq!(limit(engine.builder(), 4096), 1024);
}

#[apply(on_both_engines)]
fn limits_that_no_kernel_could_live_with_are_refused(engine: Engine) {
    for (builder, message) in [
        (engine.builder().max_instances(0), "max_instances is 0; choose at least 1"),
        (engine.builder().max_bindings(0), "max_bindings is 0; choose at least 1"),
        (engine.builder().max_stack_bytes(65_535), "max_stack_bytes is 65535; choose at least 65536"),
    ] {
        let refused = builder.build().unwrap_err().to_string();
        assert!(refused.contains(message), "{refused}");
    }
}
