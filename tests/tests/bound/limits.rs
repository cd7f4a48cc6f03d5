//! Tests bindings when system resources or WAMR's pool are exhausted, each in its own process. Only Wasmtime needs
//! system resources for each binding; WAMR needs none.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::Command,
};

use kernelpack_abi::{KernelSpec, Lifecycle, ParamValue, ResourceLimits};
use kernelpack_host::{Bound, Error, RuntimeBuilder, Tensor, TypedKernel, error::ResourceError};
use kernelpack_tests::{apply, engine::Engine, on_each_engine};

use crate::{
    alone,
    stub::{Args, Forward, honest, square},
    wat_kernel::{Parts, SPEC},
};

const PACK: &str = "KERNELPACK_TEST_PACK";

/// Runs a test of this file again in a process with this limit; in that process, returns the kernel.
fn limited(test: &str, ulimit: &str) -> Option<TypedKernel<Forward>> {
    apart(Engine::Wasmtime, Engine::Wasmtime.builder(), test, ulimit)
}

/// Like [`limited`], with this runtime of an engine.
fn apart(engine: Engine, runtime: RuntimeBuilder, test: &str, ulimit: &str) -> Option<TypedKernel<Forward>> {
    let parts = square(ResourceLimits { max_epoch_ticks: 1000, ..SPEC.limits });
    apart_with(&parts, engine, runtime, test, ulimit)
}

/// Like [`apart`], with a kernel made of these parts.
fn apart_with(
    parts: &Parts,
    engine: Engine,
    runtime: RuntimeBuilder,
    test: &str,
    ulimit: &str,
) -> Option<TypedKernel<Forward>> {
    if let Some(pack) = std::env::var_os(PACK) {
        let runtime = runtime.build().unwrap();
        return Some(runtime.open(std::path::Path::new(&pack)).unwrap().kernel().unwrap());
    }
    let pack = engine.ready(honest(parts));
    let output = Command::new("sh")
        .args(["-c", &format!(r#"{ulimit} && exec "$0" "$@""#)])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(PACK, pack.path())
        .output()
        .unwrap();
    let words = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(output.status.success(), "{}: {}", output.status, words.concat());
    None
}

fn tensors(len: usize) -> (Tensor<f32>, Tensor<f32>) {
    (Tensor::from_slice(&vec![3.0; len], &[len]).unwrap(), Tensor::zeros(&[len]).unwrap())
}

/// Makes as many bindings as possible, and returns the error of the last attempt.
fn bind_all(kernel: &TypedKernel<Forward>, x: &Tensor<f32>, y: &mut Tensor<f32>) -> (Vec<Bound<Forward>>, Error) {
    let mut all = Vec::new();
    loop {
        match bind(kernel, x, y) {
            Ok(bound) => all.push(bound),
            Err(error) => return (all, error),
        }
    }
}

fn bind(kernel: &TypedKernel<Forward>, x: &Tensor<f32>, y: &mut Tensor<f32>) -> Result<Bound<Forward>, Error> {
    kernel.bind(Args { x: x.view(), y: y.view_mut(), mode: 0 })
}

fn check(bound: &mut Bound<Forward>, x: &Tensor<f32>, y: &mut Tensor<f32>) {
    y.as_mut_slice().fill(0.0);
    bound.call(Args { x: x.view(), y: y.view_mut(), mode: 1 }).unwrap();
    assert!(y.as_slice().iter().all(|y| *y == 10.0));
}

#[test]
fn where_address_space_is_out_binding_fails_and_the_rest_goes_on() {
    // 32 GiB in units of 1 KiB: room for a few linear memories.
    let Some(kernel) =
        limited("limits::where_address_space_is_out_binding_fails_and_the_rest_goes_on", "ulimit -v 33554432")
    else {
        return;
    };
    let (x, mut y) = tensors(5000);
    let mut counts = Vec::new();
    for _ in 0..2 {
        let (mut all, error) = bind_all(&kernel, &x, &mut y);
        let error = error.to_string();
        assert!(error.contains("cannot reserve address space for a linear memory"), "{error}");
        let copied = kernel.call(Args { x: x.view(), y: y.view_mut(), mode: 0 }).unwrap_err().to_string();
        assert!(copied.contains("cannot reserve address space for a linear memory"), "{copied}");
        all.iter_mut().for_each(|bound| check(bound, &x, &mut y));
        counts.push(all.len());
    }
    assert!(counts[0] > 2 && counts[0] == counts[1], "{counts:?}");
}

#[test]
fn where_files_may_not_grow_tensors_live_on_the_heap() {
    // A few MiB, whether the shell's unit is 512 bytes or 1 KiB.
    let Some(kernel) = limited("limits::where_files_may_not_grow_tensors_live_on_the_heap", "ulimit -f 8192") else {
        return;
    };
    let (small, large) = (tensors(5000), tensors(4 << 20));
    assert!(small.0.is_mappable() && !large.0.is_mappable());
    for (x, mut y) in [small, large] {
        let mut bound = kernel.bind(Args { x: x.view(), y: y.view_mut(), mode: 0 });
        // Twice 16 MiB exceed this kernel's limit.
        match &mut bound {
            Ok(bound) => check(bound, &x, &mut y),
            Err(error) => assert!(matches!(error, Error::BadCall(_)) && !x.is_mappable(), "{error}"),
        }
    }
}

#[test]
fn where_files_may_not_grow_what_was_dropped_makes_room() {
    // 32 or 64 MiB, depending on the unit.
    let Some(kernel) = limited("limits::where_files_may_not_grow_what_was_dropped_makes_room", "ulimit -f 65536")
    else {
        return;
    };
    let (x, mut y) = tensors(5000);
    let mut bound = bind(&kernel, &x, &mut y).unwrap();
    for elements in [1, 1000, 1 << 18, 3 << 18] {
        for turn in 0..300 {
            let mut tensor = Tensor::<f32>::zeros(&[elements]).unwrap();
            assert!(tensor.is_mappable(), "tensor {turn} of {elements} elements");
            assert!(tensor.as_slice().iter().all(|element| *element == 0.0));
            tensor.as_mut_slice().fill(1.0);
        }
    }
    // Bound tensors keep their memory after they are dropped.
    drop((x, y));
    let others: Vec<_> = (0..1000).map(|_| Tensor::from_slice(&[1.0f32; 1000], &[1000]).unwrap()).collect();
    let (x, mut y) = tensors(5000);
    assert!(bound.call(Args { x: x.view(), y: y.view_mut(), mode: 1 }).is_err());
    assert!(others.iter().all(|other| other.as_slice() == [1.0; 1000]));
}

#[test]
fn small_tensors_leave_mappings_for_threads_and_bindings() {
    let Some(kernel) = limited("limits::small_tensors_leave_mappings_for_threads_and_bindings", "true") else { return };
    // The usual limit of mappings is 65530.
    let many: Vec<_> = (0..100_000).map(|_| Tensor::<f32>::zeros(&[1]).unwrap()).collect();
    assert!(many.iter().all(Tensor::is_mappable));
    std::thread::spawn(move || {
        let (x, mut y) = tensors(5000);
        check(&mut bind(&kernel, &x, &mut y).unwrap(), &x, &mut y);
    })
    .join()
    .unwrap();
}

#[test]
fn where_mappings_are_out_tensors_live_on_the_heap_and_the_rest_goes_on() {
    let test = "limits::where_mappings_are_out_tensors_live_on_the_heap_and_the_rest_goes_on";
    let Some(kernel) = limited(test, "true") else { return };
    // Each tensor has a mapping but no page, since nobody writes to it.
    let mut many = Vec::new();
    while many.len() < 100_000 && many.last().is_none_or(Tensor::<f32>::is_mappable) {
        many.push(Tensor::zeros(&[70_000]).unwrap());
    }
    if many.last().is_none_or(Tensor::is_mappable) {
        eprintln!("this system allows far more than {} mappings", many.len());
        return;
    }
    let on_heap = many.pop().unwrap();
    std::thread::spawn(move || {
        let (small, mut y) = (Tensor::from_slice(&[3.0f32; 70_000], &[70_000]).unwrap(), on_heap);
        assert!(!small.is_mappable());
        let mut bound = bind(&kernel, &small, &mut y).unwrap();
        check(&mut bound, &small, &mut y);
        assert_eq!(bound.copied_bytes(), 2 * 4 * 70_000);
        drop(many);
        let (x, mut y) = tensors(70_000);
        assert!(x.is_mappable());
        let mut bound = bind(&kernel, &x, &mut y).unwrap();
        check(&mut bound, &x, &mut y);
        assert_eq!(bound.copied_bytes(), 0);
    })
    .join()
    .unwrap();
}

/// Limits this process to its current address space, except for some small allocations, until this is dropped.
struct NoMoreAddressSpace(libc::rlimit);

impl NoMoreAddressSpace {
    fn new() -> Self {
        let pages: u64 =
            std::fs::read_to_string("/proc/self/statm").unwrap().split(' ').next().unwrap().parse().unwrap();
        let mut before = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: the structure is a local variable, and the call writes to nothing else.
        assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_AS, &mut before) }, 0);
        set_address_space(libc::rlimit { rlim_cur: pages * 4096 + (256 << 10), ..before });
        Self(before)
    }
}

impl Drop for NoMoreAddressSpace {
    fn drop(&mut self) {
        set_address_space(self.0);
    }
}

fn set_address_space(limit: libc::rlimit) {
    // SAFETY: the call reads the structure, and only changes what the system grants this process from now on.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) }, 0);
}

/// A call on a small thread needs a newly mapped stack, and panics if that fails.
#[test]
fn after_a_panic_of_the_engine_a_binding_has_a_new_instance() {
    let test = "limits::after_a_panic_of_the_engine_a_binding_has_a_new_instance";
    let few = Engine::Wasmtime.builder().max_bindings(8);
    let Some(kernel) = apart(Engine::Wasmtime, few, test, "true") else { return };
    let (x, mut y) = tensors(5000);
    let mut bound = bind(&kernel, &x, &mut y).unwrap();
    let small = std::thread::Builder::new().stack_size(256 << 10);
    std::thread::scope(|scope| {
        let calls = || {
            check(&mut bound, &x, &mut y);
            let mut call = |mode| bound.call(Args { x: x.view(), y: y.view_mut(), mode });
            let none_left = NoMoreAddressSpace::new();
            let panicked = catch_unwind(AssertUnwindSafe(|| call(5))).is_err();
            drop(none_left);
            assert!(panicked, "the call found a stack");
            call(7).unwrap();
            assert!(y.as_slice().iter().all(|y| *y == 16.0), "{:?}", y.as_slice()[0]);
        };
        small.spawn_scoped(scope, calls).unwrap().join().unwrap();
    });
    // The instance in which the engine panicked has been released.
    drop(bound);
    let (all, error) = bind_all(&kernel, &x, &mut y);
    assert!(all.len() == 8 && matches!(error, Error::Resources(ResourceError::TooManyBindings { .. })), "{error}");
}

#[apply(on_each_engine)]
fn bindings_take_no_instance_of_other_calls(engine: Engine) {
    let _alone = alone();
    let pack = engine.ready(honest(&square(SPEC.limits)));
    let runtime = engine.builder().max_bindings(100).build().unwrap();
    let opened = runtime.open(pack.path()).unwrap();
    let kernel: TypedKernel<Forward> = opened.kernel().unwrap();
    let (x, mut y) = tensors(100);
    let start = std::time::Instant::now();
    let (mut all, error) = bind_all(&kernel, &x, &mut y);
    assert!(start.elapsed() < std::time::Duration::from_secs(5), "binding waited for {:?}", start.elapsed());
    assert_eq!(all.len(), 100);
    assert_eq!(
        error.to_string(),
        "the bindings of kernel \"wat_kernel\" already have all 100 instances that they may have; drop some bindings, or \
         raise the runtime's `max_bindings`"
    );
    all.iter_mut().for_each(|bound| check(bound, &x, &mut y));
    kernel.call(Args { x: x.view(), y: y.view_mut(), mode: 1 }).unwrap();
    // As many bindings as the manifest allows exist at the same time.
    let named = opened.kernel_named("wat_kernel").unwrap();
    let limit = kernel.occupancy().limit;
    let held: Vec<_> =
        (0..limit).map(|_| named.prepare(&[("x", (&x).into())], &[("mode", ParamValue::I32(1))]).unwrap()).collect();
    drop(held);
    assert_eq!(kernel.occupancy().busy, 0);
    all.pop();
    drop(bind(&kernel, &x, &mut y).unwrap());
}

/// Unwinding drops a kernel; if its cleanup panicked too, the process would abort.
#[test]
fn while_a_panic_of_the_engine_unwinds_no_cleanup_runs() {
    let test = "limits::while_a_panic_of_the_engine_unwinds_no_cleanup_runs";
    let exports = r#"(export "kernel_forward" (func $forward)) (export "wat_forward" (func $forward))
        (func (export "kernel_info") (param i32) (result i32) i32.const 0)
        (func (export "kernel_cleanup") (result i32) i32.const 0)"#;
    let spec = KernelSpec { lifecycle: Lifecycle { init: false, cleanup: true }, ..SPEC };
    let parts = Parts { exports, spec, ..square(SPEC.limits) };
    let Some(kernel) = apart_with(&parts, Engine::Wasmtime, Engine::Wasmtime.builder(), test, "true") else { return };
    let (x, mut y) = tensors(5000);
    let calls = move || {
        kernel.call(Args { x: x.view(), y: y.view_mut(), mode: 1 }).unwrap();
        let bound = bind(&kernel, &x, &mut y).unwrap();
        let none_left = NoMoreAddressSpace::new();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let (kernel, _bound) = (kernel, bound);
            kernel.call(Args { x: x.view(), y: y.view_mut(), mode: 5 })
        }));
        drop(none_left);
        assert!(panicked.is_err(), "the call found a stack");
    };
    std::thread::Builder::new().stack_size(256 << 10).spawn(calls).unwrap().join().unwrap();
}

/// The pool has room for only a few dozen instances.
mod where_the_pool_is_out_binding_fails_and_the_rest_goes_on {
    use super::*;

    #[test]
    fn wamr() {
        on(Engine::Wamr, "limits::where_the_pool_is_out_binding_fails_and_the_rest_goes_on::wamr");
    }

    #[test]
    fn wamr_aot() {
        if Engine::WamrAot.is_there() {
            on(Engine::WamrAot, "limits::where_the_pool_is_out_binding_fails_and_the_rest_goes_on::wamr_aot");
        }
    }

    fn on(engine: Engine, test: &str) {
        let runtime = engine.builder().engine(engine.wamr().pool_bytes(8 << 20).stack_bytes(32 << 10));
        let Some(kernel) = apart(engine, runtime, test, "true") else { return };
        let (x, mut y) = tensors(5000);
        let out = |error: &Error| {
            matches!(error, Error::Resources(ResourceError::Instantiate { .. } | ResourceError::OutOfMemory { .. }))
        };
        let mut counts = Vec::new();
        for _ in 0..2 {
            let (mut all, error) = bind_all(&kernel, &x, &mut y);
            assert!(out(&error), "{error}");
            let copied = kernel.call(Args { x: x.view(), y: y.view_mut(), mode: 0 }).unwrap_err();
            assert!(out(&copied), "{copied}");
            all.iter_mut().for_each(|bound| check(bound, &x, &mut y));
            drop(all.pop());
            kernel.call(Args { x: x.view(), y: y.view_mut(), mode: 0 }).unwrap();
            counts.push(all.len());
        }
        // The second time, one of them is the instance that the call left idle.
        assert!(counts[0] > 20 && counts[0] - counts[1] <= 1, "{counts:?}");
    }
}
