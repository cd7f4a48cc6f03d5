//! Thousands of deadlines, in engines whose ticks are a hundredth of the usual length.

use std::{thread, time::Duration};

use kernelpack_abi::{KernelSpec, Lifecycle};

use super::*;
#[cfg(feature = "wamr")]
use crate::{Execution, Wamr};
use crate::{
    KernelError, Tensor, Wasmtime,
    binding::Binding,
    fixture::{self, Entry, MODULE, Observed, SPEC, SPIN, module},
};

const TICK: Duration = Duration::from_micros(100);

/// Loads the kernel, compiled with this engine.
fn load(engine: Arc<dyn Engine>) -> Arc<LoadedKernel> {
    fixture::load(engine, module(&SPEC, MODULE), 1).loaded
}

/// Calls the kernel from one thread, with copies or bound.
struct Caller {
    loaded: Arc<LoadedKernel>,
    bound: Binding,
    x: Tensor<f32>,
    y: Tensor<f32>,
}

impl Caller {
    fn new(loaded: &Arc<LoadedKernel>, budget: u32) -> Self {
        let (x, mut y) = (Tensor::from_slice(&[0.5; 8], &[8]).unwrap(), Tensor::zeros(&[8]).unwrap());
        let mut tensors = [TensorArg::input(x.view()), TensorArg::output(y.view_mut())];
        let bound = Binding::new(loaded.clone(), &SPEC.forward, &mut tensors, &[0; 4], budget).unwrap();
        Self { loaded: loaded.clone(), bound, x, y }
    }

    /// Calls the kernel and checks that y is right if there is no error.
    fn call(&mut self, bound: bool, mode: i32, budget: u32) -> Result<(), KernelError> {
        self.y.as_mut_slice().fill(-1.0);
        let mut tensors = [TensorArg::input(self.x.view()), TensorArg::output(self.y.view_mut())];
        let scalars = mode.to_le_bytes();
        let result = if bound {
            self.bound.call(&SPEC.forward, &mut tensors, &scalars)
        } else {
            self.loaded.call(Export::Forward, &SPEC.forward, &mut tensors, &scalars, budget)
        };
        match result {
            Ok(()) => {
                assert!(self.y.as_slice().iter().all(|y| *y == mode as f32 + 0.5), "{mode}: {:?}", self.y.as_slice());
                Ok(())
            }
            Err(Error::Kernel(trapped)) => Err(trapped.error),
            Err(other) => panic!("{other}"),
        }
    }
}

/// Runs `run` on four threads, and checks that no instance is in use afterwards.
fn on_four_threads(loaded: &Arc<LoadedKernel>, budget: u32, run: impl Fn(&mut Caller) + Sync) {
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| run(&mut Caller::new(loaded, budget)));
        }
    });
    let occupancy = loaded.pool.occupancy();
    assert_eq!((occupancy.busy, occupancy.waiting), (0, 0));
    assert!(occupancy.idle <= 4);
}

/// Like [`on_four_threads`], but in Wasmtime, and checks that no mapping is left.
fn in_wasmtime(interruption: Interruption, budget: u32, run: impl Fn(&mut Caller) + Sync) {
    let engine = Arc::new(Wasmtime::new().interruption(interruption).tick(TICK).start_engine().unwrap());
    let loaded = load(engine.clone());
    assert_eq!(loaded.interruption(), interruption);
    // Eight elements in and eight out, where tensors cannot be mapped.
    let copied = if cfg!(target_os = "linux") { 0 } else { 64 };
    assert_eq!(Caller::new(&loaded, budget).bound.copied_bytes(&SPEC.forward), copied);
    on_four_threads(&loaded, budget, run);
    #[cfg(target_os = "linux")]
    {
        let idle = loaded.pool.occupancy().idle as usize;
        let watched = if interruption == Interruption::PageProtection { idle } else { 0 };
        assert_eq!(engine.alive(), (idle, watched), "memories, and those that are watched");
        loaded.trim();
        assert_eq!(engine.alive(), (0, 0));
    }
}

/// Like [`on_four_threads`], but in WAMR, and checks that nothing is left in the pool.
#[cfg(feature = "wamr")]
fn in_wamr(budget: u32, run: impl Fn(&mut Caller) + Sync) {
    use std::sync::{Mutex, PoisonError};

    // The process has only one pool.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let engine = Wamr::new().pool_bytes(4 << 20).execution(Execution::Interpreted).tick(TICK).start_engine().unwrap();
    let engine = Arc::new(engine);
    let loaded = load(engine.clone());
    let before = engine.pool_used();
    on_four_threads(&loaded, budget, run);
    loaded.trim();
    assert_eq!(engine.pool_used(), before);
}

/// The budget of [`stop_often`].
const ONE_TICK: u32 = 1;

fn stop_often(caller: &mut Caller, stops: i32) {
    for stop in 0..stops {
        let bound = stop % 2 == 0;
        assert_eq!(caller.call(bound, SPIN, ONE_TICK), Err(KernelError::EpochDeadline));
        // The system may run other threads on this processor for longer than a tick.
        while let Err(error) = caller.call(!bound, stop % 7, ONE_TICK) {
            assert_eq!(error, KernelError::EpochDeadline);
        }
    }
}

/// Finds the length at which about half of the calls are stopped, and stays close to it.
fn end_with_the_deadline(caller: &mut Caller, rounds: u32) {
    let (mut mode, mut ended, mut stopped) = (100, 0, 0);
    for round in 0..rounds {
        match caller.call(round % 2 == 0, mode, 0) {
            Ok(()) => {
                ended += 1;
                mode += mode / 16 + 1;
            }
            Err(error) => {
                assert_eq!(error, KernelError::EpochDeadline);
                stopped += 1;
                mode -= mode / 16;
            }
        }
    }
    assert!(ended > 100 && stopped > 100, "{ended} {stopped}");
}

mod ten_thousand_stops_leave_everything_in_order {
    use super::*;

    #[test]
    fn wasmtime() {
        in_wasmtime(Interruption::BEST, ONE_TICK, |caller| stop_often(caller, 2500));
    }

    #[test]
    fn wasmtime_by_epochs() {
        in_wasmtime(Interruption::Epoch, ONE_TICK, |caller| stop_often(caller, 250));
    }

    #[test]
    #[cfg(feature = "wamr")]
    fn wamr() {
        in_wamr(ONE_TICK, |caller| stop_often(caller, 2500));
    }
}

mod a_deadline_at_the_end_of_a_call_is_settled_one_way {
    use super::*;

    #[test]
    fn wasmtime() {
        in_wasmtime(Interruption::BEST, 0, |caller| end_with_the_deadline(caller, 2000));
    }

    #[test]
    fn wasmtime_by_epochs() {
        in_wasmtime(Interruption::Epoch, 0, |caller| end_with_the_deadline(caller, 1000));
    }

    #[test]
    #[cfg(feature = "wamr")]
    fn wamr() {
        in_wamr(0, |caller| end_with_the_deadline(caller, 2000));
    }
}

/// Takes 4 ticks of 10 ms on any machine: 200 million steps, of which a processor does no more than one in a cycle.
const LONG: &str = r#"(local $i i32)
    (loop $next
        (i32.store (i32.const 2048) (i32.add (i32.load (i32.const 2048)) (i32.const 1)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $i) (i32.const 200000000))))"#;

const TICKS: u32 = SPEC.limits.max_epoch_ticks;

#[test]
fn the_time_of_init_comes_out_of_the_budget_of_the_call() {
    let init = format!(r#"(module (func (export "kernel_init") (param i32 i32) (result i32) {LONG} (i32.const 0))"#);
    let spec = KernelSpec { lifecycle: Lifecycle { init: true, cleanup: false }, ..SPEC };
    let engine = Arc::new(Wasmtime::new().start_engine().unwrap());
    let loaded = fixture::load(engine, module(&spec, &MODULE.replacen("(module", &init, 1)), 1).loaded;
    let given = || {
        let (lease, given) = loaded.enter(TICKS, |_, ticks| Ok(ticks)).unwrap();
        lease.give_back();
        given.unwrap_or_else(|_| panic!("the function fails"))
    };
    assert!((1..TICKS).contains(&given()), "a call in a new instance");
    assert_eq!(given(), TICKS, "a call in a warm instance");
}

/// The kernel's memory has grown, so that a large call does not fit any more: it runs in a new instance, after the
/// cleanup of the old one.
#[test]
fn a_call_that_needs_a_new_instance_has_the_rest_of_its_budget_there() {
    let cleanup = format!(r#"(module (func (export "kernel_cleanup") (result i32) {LONG} (i32.const 0))"#);
    let grows = "(drop (memory.grow (i32.const 20))) (local.set $mode (i32.load";
    let text = MODULE.replacen("(module", &cleanup, 1).replacen("(local.set $mode (i32.load", grows, 1);
    let spec = KernelSpec { lifecycle: Lifecycle { init: false, cleanup: true }, ..SPEC };
    let engine = Observed::new(Arc::new(Wasmtime::new().start_engine().unwrap()));
    let loaded = fixture::load(Arc::new(engine.clone()), module(&spec, &text), 1).loaded;
    let call = |elements: usize| {
        let (x, mut y) = (Tensor::from_slice(&vec![1.5; elements], &[elements]).unwrap(), vec![0.0; elements]);
        let y_view = kernelpack_abi::TensorViewMut::new(&mut y, &[elements]).unwrap();
        let mut tensors = [TensorArg::input(x.view()), TensorArg::output(y_view)];
        loaded.call(Export::Forward, &SPEC.forward, &mut tensors, &1i32.to_le_bytes(), TICKS).unwrap();
        assert!(y.iter().all(|y| *y == 2.5));
    };
    call(1);
    assert_eq!(engine.entries(), [Entry::Call(Export::Forward, TICKS)]);
    // Twice 25 pages: with the 21 that the instance has, more than its 64.
    call(25 << 14);
    let entries = engine.entries();
    let [Entry::Call(Export::Cleanup, CLEANUP_TICKS), Entry::Call(Export::Forward, left)] = entries[..] else {
        panic!("{entries:?}")
    };
    assert!((1..TICKS).contains(&left), "{left}");
}
