//! Tests calls that return futures: they never block the executor's thread, and dropping a future loses nothing.

use std::{
    cell::Cell,
    pin::{Pin, pin},
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
};

use futures_lite::future::{block_on, poll_once, yield_now, zip};
use kernelpack_abi::{ParamValue, ResourceLimits, TensorBuf};
use kernelpack_fixture_with_std::panics;
use kernelpack_host::{
    Error, Pack, TypedKernel,
    error::KernelError,
    policy::{PoolPolicy, WhenFull},
    tensor::DynTensor,
};
use kernelpack_tests::{apply, engine::Engine, on_both_engines, on_each_engine};

use crate::{
    stub::{Args, Both, Forward, SPIN, TRAP, WITH_BACKWARD, honest, square},
    wat_kernel::{Parts, SPEC},
};

const FOREVER: WhenFull = WhenFull::Wait { timeout: None };

fn open(engine: Engine, size: u32) -> Pack {
    let limits = ResourceLimits { max_epoch_ticks: 10, ..SPEC.limits };
    let policy = PoolPolicy::new().size(size).when_full(FOREVER);
    let runtime = engine.builder().pool(policy).build().unwrap();
    runtime.open(engine.ready(honest(&square(limits))).path()).unwrap()
}

fn typed(engine: Engine, size: u32) -> TypedKernel<Forward> {
    open(engine, size).kernel().unwrap()
}

type Tensors = (TensorBuf<f32>, TensorBuf<f32>);

fn tensors(start: f32) -> Tensors {
    (TensorBuf::new(vec![start, start + 1.0], &[2]).unwrap(), TensorBuf::zeros(&[2]).unwrap())
}

fn squares(start: f32, mode: i32) -> [f32; 2] {
    [start, start + 1.0].map(|x| x * x + mode as f32)
}

/// Runs a future to its end, while another one runs on the same thread, and returns how often the other was polled.
fn beside<T>(future: impl Future<Output = T>, mut turn: impl FnMut(u32)) -> (T, u32) {
    let done = Cell::new(false);
    let first = async {
        let result = future.await;
        done.set(true);
        result
    };
    let heartbeat = async {
        let mut beats = 0;
        while !done.get() {
            turn(beats);
            beats += 1;
            yield_now().await;
        }
        beats
    };
    block_on(zip(first, heartbeat))
}

fn error(result: Result<(), Error>) -> KernelError {
    match result.unwrap_err() {
        Error::Kernel(trapped) => trapped.error,
        other => panic!("{other}"),
    }
}

#[apply(on_each_engine)]
fn the_data_comes_back_with_the_result(engine: Engine) {
    let kernel = typed(engine, 1);
    let call =
        |mode| block_on(kernel.call_async(tensors(3.0), move |(x, y)| Args { x: x.view(), y: y.view_mut(), mode }));
    let ((x, y), called) = call(5);
    called.unwrap();
    assert_eq!((x.data(), y.data()), ([3.0, 4.0].as_slice(), squares(3.0, 5).as_slice()));
    let ((x, y), called) = call(TRAP);
    assert_eq!(error(called), KernelError::Unreachable);
    assert_eq!((x.data(), y.data()), ([3.0, 4.0].as_slice(), [0.0; 2].as_slice()));
}

#[apply(on_each_engine)]
fn a_kernel_that_spins_does_not_hold_up_the_executor(engine: Engine) {
    let kernel = typed(engine, 1);
    // The other future is polled before the kernel starts, however slow the machine is.
    let (turn, turns) = channel();
    let call = kernel.call_async(tensors(1.0), move |(x, y)| {
        turns.recv().unwrap();
        Args { x: x.view(), y: y.view_mut(), mode: SPIN }
    });
    let ((_, called), beats) = beside(call, |_| {
        let _ = turn.send(());
    });
    assert_eq!(error(called), KernelError::EpochDeadline);
    assert!(beats > 0);
}

#[apply(on_each_engine)]
fn a_wait_for_an_instance_does_not_hold_up_the_executor(engine: Engine) {
    let pack = open(engine, 1);
    let dynamic = pack.kernel_named("wat_kernel").unwrap();
    let x = tensors(1.0).0;
    let mut held = Some(dynamic.prepare(&[("x", (&x).into())], &[]).unwrap());
    let kernel = pack.kernel::<Forward>().unwrap();
    let call = kernel.call_async(tensors(1.0), |(x, y)| Args { x: x.view(), y: y.view_mut(), mode: 0 });
    // Only this thread, when it polls the other future, can end the wait.
    let (((_, y), called), beats) = beside(call, |_| {
        if dynamic.occupancy().waiting == 1 {
            held = None;
        }
    });
    called.unwrap();
    assert_eq!(y.data(), squares(1.0, 0));
    assert!(beats > 0 && held.is_none());
}

#[apply(on_each_engine)]
fn many_calls_at_once_share_the_instances_there_are(engine: Engine) {
    let kernel = typed(engine, 2);
    block_on(async {
        let mut calls: Vec<Pin<Box<dyn Future<Output = _> + Send>>> = Vec::new();
        for i in 0..200 {
            calls.push(Box::pin(kernel.call_async(tensors(i as f32), move |(x, y)| Args {
                x: x.view(),
                y: y.view_mut(),
                mode: if i % 10 == 9 { TRAP } else { i },
            })));
        }
        // The first poll starts a call.
        let mut begun = Vec::new();
        for mut call in calls {
            begun.push((poll_once(&mut call).await, call));
        }
        for (i, (result, call)) in begun.into_iter().enumerate() {
            let ((_, y), called) = match result {
                Some(result) => result,
                None => call.await,
            };
            if i % 10 == 9 {
                assert_eq!(error(called), KernelError::Unreachable);
            } else {
                called.unwrap();
                assert_eq!(y.data(), squares(i as f32, i as i32));
            }
        }
    });
    assert_eq!((kernel.occupancy().busy, kernel.occupancy().limit), (0, 2));
    assert!(kernel.occupancy().idle <= 2);
}

/// Tensors that record whether they were dropped.
struct Watched {
    tensors: Tensors,
    _alive: Arc<()>,
}

/// Returns a call that reports its start, and then runs until its deadline once it may continue.
fn spin(kernel: &TypedKernel<Forward>, alive: &Arc<()>) -> (impl Future + Unpin, Receiver<()>, Sender<()>) {
    let ((begun, has_begun), (go_on, may_go_on)) = (channel(), channel());
    let watched = Watched { tensors: tensors(1.0), _alive: alive.clone() };
    let call = kernel.call_async(watched, move |Watched { tensors: (x, y), .. }| {
        begun.send(()).unwrap();
        may_go_on.recv().unwrap();
        Args { x: x.view(), y: y.view_mut(), mode: SPIN }
    });
    (Box::pin(call), has_begun, go_on)
}

#[apply(on_each_engine)]
fn a_future_that_is_dropped_or_leaked_leaves_its_call_to_end_within_its_budget(engine: Engine) {
    let alive = Arc::new(());
    let kernel = typed(engine, 1);
    // Nothing happens before the first poll.
    let (future, has_begun, _) = spin(&kernel, &alive);
    drop(future);
    assert!(has_begun.recv().is_err());
    assert_eq!(Arc::strong_count(&alive), 1);

    let (mut future, has_begun, go_on) = spin(&kernel, &alive);
    assert!(block_on(poll_once(&mut future)).is_none());
    has_begun.recv().unwrap();
    drop(future);
    assert_eq!(Arc::strong_count(&alive), 2, "the kernel is yet to read and write its data");
    go_on.send(()).unwrap();
    while Arc::strong_count(&alive) > 1 {
        std::thread::yield_now();
    }
    assert_eq!(kernel.occupancy().busy, 0);

    let (mut future, has_begun, go_on) = spin(&kernel, &alive);
    assert!(block_on(poll_once(&mut future)).is_none());
    has_begun.recv().unwrap();
    std::mem::forget(future);
    go_on.send(()).unwrap();
    let future = kernel.call_async(tensors(2.0), |(x, y)| Args { x: x.view(), y: y.view_mut(), mode: 0 });
    block_on(future).1.unwrap();
}

#[apply(on_each_engine)]
fn a_call_that_waits_when_its_future_is_dropped_leaves_no_gap(engine: Engine) {
    let pack = open(engine, 1);
    let dynamic = pack.kernel_named("wat_kernel").unwrap();
    let kernel = pack.kernel::<Forward>().unwrap();
    let x = tensors(1.0).0;
    let held = dynamic.prepare(&[("x", (&x).into())], &[]).unwrap();
    let mut future =
        pin!(Some(kernel.call_async(tensors(1.0), |(x, y)| Args { x: x.view(), y: y.view_mut(), mode: 0 })));
    if let Some(future) = future.as_mut().as_pin_mut() {
        assert!(block_on(poll_once(future)).is_none());
    }
    while dynamic.occupancy().waiting == 0 {
        std::thread::yield_now();
    }
    future.set(None);
    drop(held);
    // The call has started, so it runs once it gets an instance.
    while dynamic.occupancy().busy + dynamic.occupancy().waiting > 0 {
        std::thread::yield_now();
    }
    assert_eq!(dynamic.occupancy().idle, 1);
}

#[apply(on_each_engine)]
fn a_panic_of_the_closure_reaches_who_awaits(engine: Engine) {
    let kernel = typed(engine, 1);
    let call = kernel.call_async(tensors(1.0), |_| std::panic::resume_unwind(Box::new("the closure's")));
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| block_on(call))).unwrap_err();
    assert_eq!(panicked.downcast_ref::<&str>(), Some(&"the closure's"));
    assert_eq!(kernel.occupancy().busy, 0);
}

#[apply(on_each_engine)]
fn every_other_call_has_its_future(engine: Engine) {
    const EXPORTS: &str = r#"(export "kernel_forward" (func $forward)) (export "wat_forward" (func $forward))
        (func (export "kernel_info") (param i32) (result i32) i32.const 0)
        (func (export "kernel_backward") (param i32) (result i32) (call $square (local.get 0) (i32.const 100)))"#;
    let parts = Parts { exports: EXPORTS, spec: WITH_BACKWARD, ..square(SPEC.limits) };
    let pack = engine.ready(honest(&parts)).open(engine).unwrap();
    let kernel = pack.kernel::<Both>().unwrap();
    let ((_, y), called) =
        block_on(kernel.backward_async(tensors(2.0), |(x, y)| Args { x: x.view(), y: y.view_mut(), mode: 1 }));
    called.unwrap();
    assert_eq!(y.data(), squares(2.0, 100));

    let dynamic = pack.kernel_named("wat_kernel").unwrap();
    let x = tensors(2.0).0;
    let input = || DynTensor {
        name: "x".to_owned(),
        dtype: kernelpack_abi::DType::F32,
        shape: x.shape(),
        bytes: x.data().iter().copied().flat_map(f32::to_le_bytes).collect(),
    };
    let mode = || vec![("mode".to_owned(), ParamValue::I32(1))];
    let bytes = |y: [f32; 2]| -> Vec<u8> { y.into_iter().flat_map(f32::to_le_bytes).collect() };
    let (inputs, results) = block_on(dynamic.run_async(vec![input()], mode()));
    assert_eq!((inputs, &results.unwrap()[0].bytes), (vec![input()], &bytes(squares(2.0, 1))));
    let y = DynTensor { name: "y".to_owned(), ..input() };
    let (inputs, outputs, called) = block_on(dynamic.call_async(vec![input()], vec![y.clone()], mode()));
    called.unwrap();
    assert_eq!((inputs, &outputs[0].bytes), (vec![input()], &bytes(squares(2.0, 1))));
    let (_, outputs, refused) = block_on(dynamic.call_async(vec![input()], vec![input()], mode()));
    assert!(matches!(refused, Err(Error::BadCall(_))) && outputs == [input()]);
    let (inputs, results) = block_on(dynamic.backward_async(vec![input()], mode()));
    assert_eq!((inputs, &results.unwrap()[0].bytes), (vec![input()], &bytes(squares(2.0, 100))));
    let (inputs, results) = block_on(dynamic.run_async(vec![input()], vec![("colour".to_owned(), ParamValue::I32(1))]));
    assert!(matches!(results, Err(Error::BadCall(_))) && inputs == [input()]);
}

#[apply(on_both_engines)]
fn a_stub_that_makes_its_outputs_has_its_future(engine: Engine) {
    let x = tensors(2.0).0;
    let pack = engine.runtime().open(engine.fixture("with-std")).unwrap();
    let kernel = pack.kernel::<panics::Kernel>().unwrap();
    let (x, outputs) = block_on(kernel.run_async(x, |x| panics::Inputs::new(x.view())));
    assert_eq!(outputs.unwrap().y.data(), x.data());
}
