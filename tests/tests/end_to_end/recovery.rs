//! Tests what callers of a failing kernel get, which is the reference's result or an error, and what the logs contain.

pub(crate) mod capture;
mod scrape;

use std::time::Duration;

use kernelpack_abi::{
    DType, Kernel as _, ParamValue, Pass as _, Shape, TensorView, TensorViewMut, native::NativeKernel,
};
use kernelpack_fixture_with_std::{falls, falls_backward};
use kernelpack_host::{
    Error, Pack, RuntimeBuilder, TypedKernel,
    error::KernelError,
    policy::{BreakerPolicy, FallbackPolicy, Placement},
    tensor::DynView,
};
use kernelpack_tests::{
    apply,
    engine::Engine,
    on_each_engine,
    pack::{self, Copy},
};
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::wat_kernel::{Parts, call as call_wat};
use capture::Capture;
use scrape::sample;

const X: [f32; 4] = [1.0, 2.0, 3.0, 4.0];
const START: [f32; 4] = [10.0, 20.0, 30.0, 40.0];

fn open(engine: Engine, builder: RuntimeBuilder) -> Pack {
    builder.build().unwrap().open(engine.fixture("with-std")).unwrap()
}

fn falls_of(engine: Engine, builder: RuntimeBuilder) -> TypedKernel<falls::Kernel> {
    open(engine, builder).kernel().unwrap()
}

fn args<'a>(sum: &'a mut [f32], y: &'a mut [f32], fault: i32) -> falls::Args<'a> {
    falls::Args {
        x: TensorView::new(&X, &[4]).unwrap(),
        sum: TensorViewMut::new(sum, &[4]).unwrap(),
        y: TensorViewMut::new(y, &[4]).unwrap(),
        fault,
    }
}

/// Calls the kernel and returns the tensors afterwards, and the result.
fn call(kernel: &TypedKernel<falls::Kernel>, fault: i32) -> ([f32; 4], [f32; 4], Result<(), Error>) {
    let (mut sum, mut y) = (START, [-1.0; 4]);
    let result = kernel.call(args(&mut sum, &mut y, fault));
    (sum, y, result)
}

/// Calls the kernel with tensors of different lengths.
fn call_short(kernel: &TypedKernel<falls::Kernel>) -> Result<(), Error> {
    let (mut sum, mut y) = (START, [-1.0; 4]);
    kernel.call(falls::Args { x: TensorView::new(&X[..3], &[3]).unwrap(), ..args(&mut sum, &mut y, 0) })
}

/// Returns the error of a call, which must leave the tensors unchanged.
fn refused(kernel: &TypedKernel<falls::Kernel>, fault: i32) -> Error {
    let (sum, y, result) = call(kernel, fault);
    assert_eq!((sum, y), (START, [-1.0; 4]), "a call that fails writes nothing");
    result.unwrap_err()
}

fn trapped(kernel: &TypedKernel<falls::Kernel>, fault: i32) -> KernelError {
    match refused(kernel, fault) {
        Error::Kernel(trapped) => trapped.error,
        other => panic!("{other}"),
    }
}

/// Checks that a call gives the native function's result.
fn succeeds(kernel: &TypedKernel<falls::Kernel>, fault: i32) {
    let (mut sum, mut y) = (START, [-1.0; 4]);
    falls::Kernel::reference(args(&mut sum, &mut y, 0)).unwrap();
    assert_eq!((sum[0], y[0]), (11.0, 22.0));
    let (got_sum, got_y, result) = call(kernel, fault);
    result.unwrap();
    assert_eq!((got_sum, got_y), (sum, y));
}

fn native() -> NativeKernel {
    *NativeKernel::all().find(|kernel| kernel.spec.id == "falls").unwrap()
}

#[apply(on_each_engine)]
fn a_fallback_gives_the_references_result_on_untouched_tensors(engine: Engine) {
    let kernel = falls_of(engine, engine.builder());
    assert_eq!(kernel.reference_name(), Some("falls_reference"));
    // The kernel adds x to the sum in its sandbox before it fails; x must have been added exactly once.
    for fault in [0, 1, 3, 0, 1] {
        succeeds(&kernel, fault);
    }
    let mut dx = [0.0; 4];
    let backward = falls_backward::Args {
        dy: TensorView::new(&X, &[4]).unwrap(),
        dx: TensorViewMut::new(&mut dx, &[4]).unwrap(),
        fault: 1,
    };
    kernel.backward(backward).unwrap();
    assert_eq!(dx, [2.0, 4.0, 6.0, 8.0]);
}

#[apply(on_each_engine)]
fn a_dynamic_call_falls_back_wherever_its_bytes_lie(engine: Engine) {
    let kernel = open(engine, engine.builder()).kernel_named("falls").unwrap();
    let shape = Shape::new(&[4]).unwrap();
    let to_bytes = |values: [f32; 4]| values.into_iter().flat_map(f32::to_le_bytes).collect::<Vec<u8>>();
    for shift in 0..4 {
        let shifted = |values| [vec![0; shift], to_bytes(values)].concat();
        let (x, sum) = (shifted(X), shifted(START));
        let view = |bytes| DynView { dtype: DType::F32, shape, bytes };
        let inputs = [("x", view(&x[shift..])), ("sum", view(&sum[shift..]))];
        let results = kernel.run(&inputs, &[("fault", ParamValue::I32(1))]).unwrap();
        assert_eq!(results[0].bytes, to_bytes([11.0, 22.0, 33.0, 44.0]));
        assert_eq!(results[1].bytes, to_bytes([22.0, 44.0, 66.0, 88.0]));
        let results = kernel.backward(&[("dy", view(&x[shift..]))], &[("fault", ParamValue::I32(3))]).unwrap();
        assert_eq!(results[0].bytes, to_bytes([2.0, 4.0, 6.0, 8.0]));
    }
}

#[apply(on_each_engine)]
fn the_policy_says_when_and_answers_are_answers(engine: Engine) {
    let panicked = |error: KernelError, text: &str| match error {
        KernelError::Returned { code: 6, message: Some(message) } => assert!(message.contains(text), "{message}"),
        other => panic!("{other:?}"),
    };
    let never = falls_of(engine, engine.builder().fallback(FallbackPolicy::Never));
    assert_eq!(never.reference_name(), None);
    panicked(trapped(&never, 1), "in the sandbox");
    let on_trap = falls_of(engine, engine.builder());
    assert_eq!(trapped(&on_trap, 2), KernelError::EpochDeadline);
    let always = falls_of(engine, engine.builder().fallback(FallbackPolicy::Always));
    succeeds(&always, 2);
    for kernel in [&never, &on_trap, &always] {
        let expected = KernelError::Returned { code: 1, message: Some("everywhere".to_owned()) };
        assert_eq!(trapped(kernel, 4), expected);
        // If the reference fails too, by a panic or an error, the kernel's own error is returned.
        panicked(trapped(kernel, 5), "everywhere");
        let expected = KernelError::Returned { code: 5, message: Some("in the sandbox".to_owned()) };
        assert_eq!(trapped(kernel, 6), expected);
        succeeds(kernel, 0);
    }
}

#[apply(on_each_engine)]
fn a_reference_must_be_of_the_crate_that_wrote_the_module_unless_it_is_given(engine: Engine) {
    let copy = Copy::of(pack::fixture("with-std"));
    copy.keep(&["falls"]);
    let path = copy.manifest().kernels[0].module_for(engine.name()).path.to_owned();
    let mut wasm = copy.read(&path);
    let name = b"kernelpack-fixture-with-std 0";
    let places: Vec<usize> = (0..wasm.len()).filter(|&at| wasm[at..].starts_with(name)).collect();
    for at in &places {
        wasm[at + name.len() - 3] = b'u';
    }
    assert!(!places.is_empty());
    copy.replace_module_for(engine, "falls", &wasm);
    let copy = engine.ready(copy);

    let open = |builder: RuntimeBuilder| builder.build().unwrap().open(copy.path());
    let kernel = open(engine.builder()).unwrap().kernel::<falls::Kernel>().unwrap();
    assert_eq!(kernel.reference_name(), None);
    assert!(matches!(trapped(&kernel, 1), KernelError::Returned { code: 6, .. }));
    let refused = open(engine.builder().placement("falls", Placement::Native)).unwrap_err();
    assert!(matches!(refused, Error::Config(_)));
    assert_eq!(
        refused.to_string(),
        "kernel \"falls\" cannot be placed natively: its reference \"falls_reference\" was not registered, and the one \
         of crate \"kernelpack-fixture-with-stu\" is not compiled into this program"
    );

    succeeds(&open(engine.builder().reference(native())).unwrap().kernel().unwrap(), 1);
    // A native function with another interface cannot replace the kernel.
    let mut spec = falls::Kernel::SPEC;
    spec.backward = None;
    let other = NativeKernel { spec: Box::leak(Box::new(spec)), ..native() };
    let refused =
        open(engine.builder().reference(other).placement("falls", Placement::Native)).unwrap_err().to_string();
    assert!(refused.ends_with("differs from the pack in its backward is false and true"), "{refused}");
    // A pack whose manifest names no reference has none.
    let pack = engine.ready(Parts::default().pack());
    let refused = engine.builder().placement("wat_kernel", Placement::Native).build().unwrap().open(pack.path());
    assert!(refused.unwrap_err().to_string().contains("the manifest's fallbacks do not name a reference"));
}

#[apply(on_each_engine)]
fn a_kernel_that_keeps_failing_is_out_of_service(engine: Engine) {
    let policy = BreakerPolicy::after(3, Duration::from_secs(3600));
    let kernel = falls_of(engine, engine.builder().fallback(FallbackPolicy::Never).breaker(policy));
    // Refusals, bad calls, and failures with a success between them do not count.
    for fault in [4, 4, 4, 4, 1, 3, 4, 0, 1, 3, 4] {
        let _ = call(&kernel, fault);
        let _ = kernel
            .call(falls::Args { x: TensorView::new(&X[..3], &[3]).unwrap(), ..args(&mut [0.0; 4], &mut [0.0; 4], 0) });
    }
    // Neither do overruns by a caller who gave the kernel less time than it may have.
    for _ in 0..4 {
        assert_eq!(trapped(&kernel.clone().with_budget(Duration::from_millis(10)), 2), KernelError::EpochDeadline);
    }
    assert!(matches!(trapped(&kernel, 6), KernelError::Returned { code: 5, .. }));
    let out = refused(&kernel, 0);
    let Error::OutOfService(details) = &out else { panic!("{out}") };
    assert_eq!((&*details.kernel, &*details.pack), ("falls", "kernelpack-fixture-with-std"));
    assert!(
        details.retry_in <= Duration::from_secs(3600) && details.retry_in > Duration::from_secs(3000),
        "{details:?}"
    );
    // Arguments are still checked, and other kernels of the pack still work.
    assert!(matches!(call_short(&kernel), Err(Error::BadCall(_))));

    // With a reference there is no error at all, whatever the kernel does.
    let kernel = falls_of(engine, engine.builder().breaker(policy));
    for fault in [1, 3, 1, 0, 2, 2, 1] {
        succeeds(&kernel, fault);
    }
    // A kernel that overran its budget is not replaced by native code, which could not be stopped.
    let kernel = falls_of(engine, engine.builder().breaker(policy));
    for _ in 0..3 {
        assert_eq!(trapped(&kernel, 2), KernelError::EpochDeadline);
    }
    assert!(matches!(refused(&kernel, 0), Error::OutOfService(_)));
}

#[apply(on_each_engine)]
fn a_kernel_that_recovers_is_back_in_service(engine: Engine) {
    let policy = BreakerPolicy::after(2, Duration::ZERO);
    let kernel = falls_of(engine, engine.builder().fallback(FallbackPolicy::Never).breaker(policy));
    for _ in 0..5 {
        // Open after the second failure; each later call is a probe, since the waiting time is zero.
        assert!(matches!(trapped(&kernel, 1), KernelError::Returned { code: 6, .. }));
    }
    // A refusal by the probe is not a success, and does not use up the probe.
    assert!(matches!(trapped(&kernel, 4), KernelError::Returned { code: 1, .. }));
    succeeds(&kernel, 0);
    succeeds(&kernel, 0);
}

#[apply(on_each_engine)]
fn a_native_placement_runs_the_reference_with_the_checks_of_the_sandbox(engine: Engine) {
    let capture = Capture::default();
    let pack = capture.during(|| open(engine, engine.builder().placement("falls", Placement::Native)));
    let native = pack.kernel::<falls::Kernel>().unwrap();
    let sandboxed = falls_of(engine, engine.builder());
    assert_eq!((native.placement(), sandboxed.placement()), (Placement::Native, Placement::Sandboxed));
    assert_eq!(pack.kernel_named("panics").unwrap().placement(), Placement::Sandboxed);
    let said = capture.take();
    let native_event = said.iter().find(|event| event.contains("outside the sandbox")).unwrap();
    assert!(native_event.starts_with("WARN ") && native_event.contains("kernel=falls "), "{native_event}");

    // The fault only occurs in the sandbox, so success shows that this ran natively.
    succeeds(&native, 1);
    for (name, shape) in [("x", 3), ("y", 5)] {
        let said = [&native, &sandboxed].map(|kernel| {
            let (mut sum, mut y, long) = ([0.0; 4], [0.0; 5], [0.0; 5]);
            let mut args = args(&mut sum, &mut y[..4], 0);
            let mut other = long;
            if name == "x" {
                args.x = TensorView::new(&long[..shape], &[shape]).unwrap();
            } else {
                args.y = TensorViewMut::new(&mut other, &[shape]).unwrap();
            }
            let Err(Error::BadCall(error)) = kernel.call(args) else { panic!("the call was taken") };
            error.to_string()
        });
        assert_eq!(said[0], said[1]);
    }
    let (_, _, result) = call(&native, 4);
    assert_eq!(
        result.unwrap_err().to_string(),
        "kernel \"falls\" of pack \"kernelpack-fixture-with-std\" 0.1.0: it failed with INVALID_INPUT (1): everywhere"
    );
    let (_, _, result) = call(&native, 5);
    assert!(result.unwrap_err().to_string().ends_with("INTERNAL_ERROR (6): panicked: everywhere"));
    succeeds(&native, 0);
}

#[apply(on_each_engine)]
fn the_log_has_the_whole_context_and_nothing_that_a_guest_could_forge(engine: Engine) {
    let capture = Capture::default();
    let kernel = falls_of(engine, engine.builder());
    capture.during(|| succeeds(&kernel, 1));
    let said = capture.take();
    let event = said.iter().find(|event| event.contains("a kernel failed")).unwrap();
    for part in [
        "WARN kernelpack ",
        "kernel=falls ",
        "pack=kernelpack-fixture-with-std ",
        "version=0.1.0 ",
        "kind=internal_error ",
        "in the sandbox",
        "pass=Forward ",
        "shapes=x 4, sum 4, y 4 ",
        "duration_us=",
    ] {
        assert!(event.contains(part), "{part:?} is not in {event}");
    }
    // The packer keeps the names of functions.
    let frame = event.contains("backtrace=#") && event.contains("kernelpack_fixture_with_std::fail at 0x");
    assert_eq!(frame, engine.keeps_backtraces(), "{event}");
    assert!(said.iter().any(|event| event.starts_with("DEBUG ") && event.contains("reference=falls_reference")));

    // A message with control characters, from a function whose name contains some.
    let rest = r#"(data $m (i32.const 2048) "\18\00\00\00\1b[31m\nERROR all is well\r")
        (func $"\1b[2J\nINFO\u{202e}" (memory.copy (i32.const 1024) (i32.const 2048) (i32.const 28)) unreachable)"#;
    let forward = r#"(if (local.get $mode) (then (call $"\1b[2J\nINFO\u{202e}"))) i32.const 0"#;
    let kernel = Parts { rest, forward, ..Parts::default() }.open(engine).kernel_named("wat_kernel").unwrap();
    let error = capture.during(|| call_wat(&kernel, 1)).unwrap_err();
    let Error::Kernel(trapped) = &error else { panic!("{error}") };
    let function = trapped.backtrace.frames.first().and_then(|frame| frame.function.as_deref());
    assert_eq!(function, engine.keeps_backtraces().then_some("\u{1b}[2J\nINFO\u{202e}"));
    let said = capture.take();
    let event = said.iter().find(|event| event.contains("a kernel failed")).unwrap();
    assert!(event.contains(r"\u{1b}[31m\nERROR all is well\r"), "{event}");
    assert_eq!(event.contains(r"\u{1b}[2J\nINFO\u{202e}"), engine.keeps_backtraces(), "{event}");
    assert!(!event.contains(|c: char| c.is_control() || c == '\u{202e}'), "{event:?}");
}

#[apply(on_each_engine)]
fn the_gauges_follow_what_happens(engine: Engine) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let prometheus = recorder.handle();
    let gauge = |name: &str, label: &str| sample(&prometheus.render(), name, &[label]).unwrap();
    const FALLS: &str = r#"kernel="falls""#;
    metrics::with_local_recorder(&recorder, || {
        let policy = BreakerPolicy::after(2, Duration::ZERO);
        let pack = open(engine, engine.builder().breaker(policy));
        let again = open(engine, engine.builder());
        assert_eq!(gauge("kernelpack_pack_info", "pack"), 2.0);
        drop(again);
        assert_eq!(gauge("kernelpack_pack_info", "pack"), 1.0);
        let kernel = pack.kernel::<falls::Kernel>().unwrap();
        drop(pack);
        // A fallback counts as degraded, and a success does not.
        for (fault, degraded, out) in
            [(0, 0.0, 0.0), (1, 1.0, 0.0), (0, 0.0, 0.0), (1, 1.0, 0.0), (1, 1.0, 1.0), (0, 0.0, 0.0)]
        {
            succeeds(&kernel, fault);
            assert_eq!(gauge("kernelpack_degraded", FALLS), degraded, "after {fault}");
            assert_eq!(gauge("kernelpack_out_of_service", FALLS), out, "after {fault}");
            let label = r#"kernel="falls",state="idle""#;
            let idle = sample(&prometheus.render(), "kernelpack_instances", &[FALLS, r#"state="idle""#]).unwrap();
            assert_eq!(idle, if fault == 0 { 1.0 } else { 0.0 }, "{label} after {fault}");
        }
        assert_eq!(gauge("kernelpack_pack_info", "pack"), 1.0, "a kernel keeps its pack loaded");
        drop(kernel);
        assert_eq!(gauge("kernelpack_pack_info", "pack"), 0.0);
    });
    // A runtime with metrics turned off makes no series.
    let silent = PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&silent, || succeeds(&falls_of(engine, engine.builder().metrics(false)), 1));
    assert_eq!(silent.handle().render(), "");
}
