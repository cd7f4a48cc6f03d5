//! Calls that are divided over threads. Only Wasmtime divides them, since all parts have the same tensors mapped; on
//! WAMR calls stay whole.

use std::{
    num::NonZeroUsize,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use kernelpack_host::{
    Error, Runtime, Tensor, TypedKernel,
    error::KernelError,
    policy::{BreakerPolicy, FallbackPolicy},
};
use kernelpack_kernels::{kv_pack_q8, lora_apply_f32, rmsnorm_f32, rope_f32, swiglu_f32};
use kernelpack_tests::{
    apply,
    engine::Engine,
    on_each_engine,
    pack::{self, key},
};

use crate::{
    alone,
    chain::values,
    folder,
    stub::{Args, Forward, honest},
    wat_kernel::{Parts, SPEC},
};

fn threaded(threads: usize) -> Runtime {
    let builder = Runtime::server().threads(NonZeroUsize::new(threads).unwrap()).trust(key().public());
    builder.fallback(FallbackPolicy::Never).breaker(BreakerPolicy::Never).build().unwrap()
}

fn tensor(dims: &[usize], seed: u32) -> Tensor<f32> {
    Tensor::from_slice(&values(dims.iter().product(), seed), dims).unwrap()
}

/// Runs a kernel whole and divided on these arguments, with the output in `$y`, and compares the results bit for bit.
macro_rules! compare {
    ($kernel:ident, $threads:expr, $y:ident = $start:expr, $($argument:expr),*) => {{
        let mut $y = $start;
        let pack = pack::runtime().open(pack::core()).unwrap();
        pack.kernel::<$kernel::Kernel>().unwrap().call($kernel::Args::new($($argument),*)).unwrap();
        let whole = $y;

        let mut $y = $start;
        let pack = threaded($threads).open(pack::core()).unwrap();
        let kernel = pack.kernel::<$kernel::Kernel>().unwrap();
        let mut bound = kernel.bind($kernel::Args::new($($argument),*)).unwrap();
        assert_eq!((bound.threads(), bound.copied_bytes()), ($threads, 0));
        for _ in 0..3 {
            // In-out tensors start with the same values.
            $y.as_mut_slice().copy_from_slice($start.as_slice());
            bound.call($kernel::Args::new($($argument),*)).unwrap();
            assert!($y.as_slice() == whole.as_slice(), "{}", stringify!($kernel));
        }
    }};
}

#[test]
fn divided_calls_give_what_whole_ones_give() {
    let _alone = alone();
    let (x, weight) = (tensor(&[61, 2048], 1), tensor(&[2048], 2));
    let zeros = || Tensor::<f32>::zeros(&[61, 2048]).unwrap();
    compare!(rmsnorm_f32, 2, y = zeros(), x.view(), weight.view(), y.view_mut());
    compare!(rmsnorm_f32, 5, y = zeros(), x.view(), weight.view(), y.view_mut());

    let (gate, up) = (tensor(&[64, 1001], 3), tensor(&[64, 1001], 4));
    let zeros = || Tensor::<f32>::zeros(&[64, 1001]).unwrap();
    compare!(swiglu_f32, 3, y = zeros(), gate.view(), up.view(), y.view_mut());

    let (x, a, b) = (tensor(&[64, 512], 5), tensor(&[8, 512], 6), tensor(&[1024, 8], 7));
    let start = || tensor(&[64, 1024], 8);
    compare!(lora_apply_f32, 2, y = start(), x.view(), a.view(), b.view(), y.view_mut());

    let x = tensor(&[4, 16, 16, 128], 9);
    let zeros = || Tensor::<f32>::zeros(&[4, 16, 16, 128]).unwrap();
    compare!(rope_f32, 2, y = zeros(), x.view(), y.view_mut());

    let x = tensor(&[40, 4096], 10);
    let zeros = || Tensor::zeros(&[40, 128]).unwrap();
    compare!(kv_pack_q8, 4, y = zeros(), x.view(), y.view_mut());
}

#[apply(on_each_engine)]
fn what_is_small_or_copied_stays_whole(engine: Engine) {
    let _alone = alone();
    let runtime = engine.builder().threads(NonZeroUsize::new(4).unwrap()).build().unwrap();
    let pack = runtime.open(folder(engine)).unwrap();
    let kernel = pack.kernel::<rmsnorm_f32::Kernel>().unwrap();
    let weight = tensor(&[64], 1);
    let threads = |x: &Tensor<f32>, mut y: Tensor<f32>| {
        let mut expected = Tensor::on_heap(&[x.as_slice().len() / 64, 64]).unwrap();
        let mut bound = kernel.bind(rmsnorm_f32::Args::new(x.view(), weight.view(), y.view_mut())).unwrap();
        bound.call(rmsnorm_f32::Args::new(x.view(), weight.view(), y.view_mut())).unwrap();
        kernel.call(rmsnorm_f32::Args::new(x.view(), weight.view(), expected.view_mut())).unwrap();
        assert_eq!(y.as_slice(), expected.as_slice());
        bound.threads()
    };
    assert_eq!(threads(&tensor(&[16, 64], 2), tensor(&[16, 64], 3)), 1);
    let x = tensor(&[4096, 64], 2);
    assert_eq!(threads(&x, Tensor::on_heap(&[4096, 64]).unwrap()), 1);
    assert_eq!(threads(&x, Tensor::zeros(&[4096, 64]).unwrap()) > 1, engine.maps_tensors());
}

/// Returns a kernel whose calls can be divided, and which traps or spins in the part whose first input is the mode.
fn fragile() -> (kernelpack_host::Pack, TypedKernel<Divided>) {
    let parts = Parts {
        rest: "(func $first (param $d i32) (result f32)
                (f32.load (i32.load offset=16 (i32.load offset=32 (local.get $d)))))
            (func $y (param $d i32) (result i32) (i32.load offset=64 (i32.load offset=32 (local.get $d))))",
        forward: "(if (f32.eq (call $first (local.get $descriptor)) (f32.const 1)) (then unreachable))
            (if (f32.eq (call $first (local.get $descriptor)) (f32.const 2)) (then (loop $spin (br $spin))))
            (f32.store (call $y (local.get $descriptor)) (f32.const 9)) (i32.const 0)",
        spec: kernelpack_abi::KernelSpec { split: &[0], ..SPEC },
        ..Parts::default()
    };
    let pack = threaded(2).open(honest(&parts).path()).unwrap();
    let kernel = pack.kernel::<Divided>().unwrap();
    (pack, kernel)
}

/// The stub of a kernel whose calls can be divided.
enum Divided {}

impl kernelpack_abi::Pass for Divided {
    const SIGNATURE: kernelpack_abi::Signature<'static> = SPEC.forward;
    type Args<'a> = Args<'a>;
    type Params = i32;

    fn reborrow<'a>(args: &'a mut Args<'_>) -> Args<'a> {
        Forward::reborrow(args)
    }

    fn lend<R>(args: Args<'_>, f: impl FnOnce(&mut [kernelpack_abi::TensorArg<'_>], &[u8]) -> R) -> R {
        Forward::lend(args, f)
    }

    fn give<'a>(args: Args<'a>, row: impl FnMut(kernelpack_abi::TensorArg<'a>), scalars: impl FnOnce(&[u8])) {
        Forward::give(args, row, scalars);
    }

    fn reference(args: Args<'_>) -> kernelpack_abi::Result<()> {
        Forward::reference(args)
    }

    fn reference_on(tensors: &mut [kernelpack_abi::TensorArg<'_>], scalars: &[u8]) -> kernelpack_abi::Result<()> {
        Forward::reference_on(tensors, scalars)
    }
}

impl kernelpack_abi::Kernel for Divided {
    const SPEC: kernelpack_abi::KernelSpec<'static> = kernelpack_abi::KernelSpec { split: &[0], ..SPEC };
    type Backward = kernelpack_abi::NoBackward;
}

#[test]
fn a_part_that_fails_fails_the_call_and_the_next_one_works() {
    let _alone = alone();
    let (_pack, kernel) = fragile();
    const N: usize = 128 << 10;
    let (mut x, mut y) = (Tensor::zeros(&[N]).unwrap(), Tensor::zeros(&[N]).unwrap());
    let mut bound = kernel.bind(Args { x: x.view(), y: y.view_mut(), mode: 0 }).unwrap();
    assert_eq!(bound.threads(), 2);
    for (code, error) in [(1.0, KernelError::Unreachable), (2.0, KernelError::EpochDeadline)] {
        for part in [0, N / 2] {
            x.as_mut_slice()[part] = code;
            let result = bound.call(Args { x: x.view(), y: y.view_mut(), mode: 0 });
            let Err(Error::Kernel(trapped)) = result else { panic!("{result:?}") };
            assert_eq!(trapped.error, error);
            x.as_mut_slice()[part] = 0.0;
            y.as_mut_slice().fill(0.0);
            bound.call(Args { x: x.view(), y: y.view_mut(), mode: 0 }).unwrap();
            assert_eq!((y.as_slice()[0], y.as_slice()[N / 2], y.as_slice()[1]), (9.0, 9.0, 0.0));
        }
    }
}

struct SetWhenDropped<'a>(&'a AtomicBool);

impl Drop for SetWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// The parts of a call share one budget: if the helper is busy, the caller starts no part after one that was stopped.
#[test]
fn a_call_that_was_stopped_begins_no_other_part() {
    let _alone = alone();
    let (_pack, kernel) = fragile();
    const N: usize = 128 << 10;
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Sets the flag even if an assertion fails; otherwise the other thread would never end.
        let ending = SetWhenDropped(&done);
        scope.spawn(|| {
            let (mut x, mut y) = (Tensor::zeros(&[N]).unwrap(), Tensor::zeros(&[N]).unwrap());
            let mut bound = kernel.bind(Args { x: x.view(), y: y.view_mut(), mode: 0 }).unwrap();
            x.as_mut_slice()[N / 2] = 2.0;
            while !done.load(Relaxed) {
                bound.call(Args { x: x.view(), y: y.view_mut(), mode: 0 }).unwrap_err();
            }
        });
        let (mut x, mut y) = (Tensor::zeros(&[N]).unwrap(), Tensor::zeros(&[N]).unwrap());
        let mut bound = kernel.bind(Args { x: x.view(), y: y.view_mut(), mode: 0 }).unwrap();
        x.as_mut_slice()[0] = 2.0;
        // The helper may be free when a call is made, and then runs its second part.
        let left_out = (0..50).any(|_| {
            y.as_mut_slice().fill(0.0);
            bound.call(Args { x: x.view(), y: y.view_mut(), mode: 0 }).unwrap_err();
            y.as_slice()[N / 2] == 0.0
        });
        drop(ending);
        assert!(left_out, "each call went on after it was stopped");
    });
}

/// Helpers take one part at a time: the caller runs any part that no helper takes or starts.
#[test]
fn callers_that_share_helpers_get_each_their_own_results() {
    let _alone = alone();
    let pack = threaded(3).open(pack::core()).unwrap();
    let whole = pack::runtime().open(pack::core()).unwrap();
    std::thread::scope(|scope| {
        for caller in 0..5 {
            let (kernel, whole) =
                (pack.kernel::<rmsnorm_f32::Kernel>().unwrap(), whole.kernel::<rmsnorm_f32::Kernel>().unwrap());
            scope.spawn(move || {
                let (mut x, weight) = (tensor(&[48, 1024], caller), tensor(&[1024], 100 + caller));
                let (mut y, mut expected) = (tensor(&[48, 1024], 0), tensor(&[48, 1024], 0));
                let mut bound = kernel.bind(rmsnorm_f32::Args::new(x.view(), weight.view(), y.view_mut())).unwrap();
                assert_eq!(bound.threads(), 3);
                for call in 0..200 {
                    x.as_mut_slice()[call * 200] = call as f32;
                    bound.call(rmsnorm_f32::Args::new(x.view(), weight.view(), y.view_mut())).unwrap();
                    whole.call(rmsnorm_f32::Args::new(x.view(), weight.view(), expected.view_mut())).unwrap();
                    assert!(y.as_slice() == expected.as_slice(), "call {call} of caller {caller}");
                }
            });
        }
    });
}
