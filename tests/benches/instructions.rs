//! Counts the instructions of warm calls. Callgrind counts exactly, and other load on the machine does not change the
//! result. `make bench-instructions` runs this, and fails if a count is above its limit.
//!
//! The kernel is `rmsnorm_f32` on 1x16, so that almost only the call itself is counted. Its pack has no other kernels,
//! since the set-up takes fifty times as long as usual under Callgrind.
#![allow(missing_docs, unused_qualifications, reason = "of what gungraun's macros expand to")]

use std::{fs, hint::black_box, path::Path};

use gungraun::{Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use kernelpack_host::{Bound, Runtime, Tensor, TypedKernel, measure::RawCall};
use kernelpack_kernels::rmsnorm_f32::{Args, Kernel};
use kernelpack_tests::pack;

/// The folder of the pack, which the set-up makes before Callgrind runs.
const PACK: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/instructions");
const KERNEL: &str = "rmsnorm_f32";
const DIM: usize = 16;
/// The number of calls before the counted one: the first lays out the call.
const WARM_UP: u32 = 3;

/// The limits of single calls: the counts measured with the pinned toolchain on x86-64, plus 5 %. Lower them when calls
/// get cheaper.
const TYPED: u64 = 1577 * 105 / 100;
const BOUND: u64 = 1065 * 105 / 100;
const RAW: u64 = 289 * 105 / 100;
/// The limit of a whole batch.
const BATCH: u64 = 17_182 * 105 / 100;

/// The number of calls in a batch.
const ROWS: usize = 16;

const _: () =
    assert!(BATCH * 4 < TYPED * ROWS as u64 * 3, "a call of a batch takes a good quarter less than a single one");

/// Makes a pack of one kernel.
fn make_pack() {
    let copy = pack::Copy::of(pack::core());
    copy.keep(&[KERNEL]);
    let _ = fs::remove_dir_all(PACK);
    pack::copy_folder(copy.path(), Path::new(PACK));
}

/// A kernel prepared for one way of calling, and its tensors. It is boxed, so that moving it in and out of the
/// benchmark takes few instructions.
struct Case<C> {
    call: C,
    x: Tensor<f32>,
    weight: Tensor<f32>,
    y: Tensor<f32>,
}

impl<C> Case<C> {
    /// Prepares a warm kernel.
    fn warm(prepare: impl FnOnce(TypedKernel<Kernel>, Args<'_>) -> C, run: fn(&mut Self)) -> Box<Self> {
        let tensor = |dims: &[usize]| Tensor::from_slice(&[1.5; DIM], dims).expect("a small tensor");
        let (x, weight, mut y) = (tensor(&[1, DIM]), tensor(&[DIM]), tensor(&[1, DIM]));
        let runtime = Runtime::server().trust(pack::key().public()).build().expect("the engine starts");
        let kernel = runtime.open(PACK).expect("the pack opens").kernel().expect("the kernel is in the pack");
        let call = prepare(kernel, Args::new(x.view(), weight.view(), y.view_mut()));
        let mut case = Box::new(Self { call, x, weight, y });
        (0..WARM_UP).for_each(|_| run(&mut case));
        case
    }
}

fn typed(case: &mut Case<TypedKernel<Kernel>>) {
    let Case { call, x, weight, y } = case;
    call.call(black_box(Args::new(x.view(), weight.view(), y.view_mut()))).expect("the kernel succeeds");
}

fn bound(case: &mut Case<Bound<Kernel>>) {
    let Case { call, x, weight, y } = case;
    call.call(black_box(Args::new(x.view(), weight.view(), y.view_mut()))).expect("the kernel succeeds");
}

/// A kernel and the rows of a batch, which share the weight.
struct BatchCase {
    kernel: TypedKernel<Kernel>,
    weight: Tensor<f32>,
    rows: Vec<(Tensor<f32>, Tensor<f32>)>,
}

impl BatchCase {
    fn warm() -> Box<Self> {
        let Case { call: kernel, x, weight, y } = *Case::warm(|kernel, _| kernel, typed);
        let row = |_| (Tensor::from_slice(x.as_slice(), &[1, DIM]), Tensor::from_slice(y.as_slice(), &[1, DIM]));
        let rows = (0..ROWS).map(row).map(|(x, y)| (x.expect("a small tensor"), y.expect("a small tensor"))).collect();
        let mut case = Box::new(Self { kernel, weight, rows });
        (0..WARM_UP).for_each(|_| batch(&mut case));
        case
    }
}

fn batch(case: &mut BatchCase) {
    let BatchCase { kernel, weight, rows } = case;
    let calls = rows.iter_mut().map(|(x, y)| black_box(Args::new(x.view(), weight.view(), y.view_mut())));
    kernel.call_batch(calls).expect("the kernel succeeds");
}

fn warm_raw() -> RawCall {
    let mut call = Runtime::server().build().expect("the engine starts").raw_call().expect("an instance can be made");
    call.repeat(WARM_UP).expect("the call returns");
    call
}

/// Returns a configuration in which a benchmark fails if it takes more instructions than this.
fn at_most(instructions: u64) -> LibraryBenchmarkConfig {
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(Callgrind::default().hard_limits([(EventKind::Ir, instructions)]));
    config
}

#[library_benchmark(config = at_most(TYPED))]
#[bench::rmsnorm_1x16(Case::warm(|kernel, _| kernel, typed))]
fn typed_call(mut case: Box<Case<TypedKernel<Kernel>>>) -> Box<Case<TypedKernel<Kernel>>> {
    typed(&mut case);
    case
}

#[library_benchmark(config = at_most(BOUND))]
#[bench::rmsnorm_1x16(Case::warm(|kernel, args| kernel.bind(args).expect("the tensors can be mapped"), bound))]
fn bound_call(mut case: Box<Case<Bound<Kernel>>>) -> Box<Case<Bound<Kernel>>> {
    bound(&mut case);
    case
}

#[library_benchmark(config = at_most(BATCH))]
#[bench::rmsnorm_1x16(BatchCase::warm())]
fn batch_call(mut case: Box<BatchCase>) -> Box<BatchCase> {
    batch(&mut case);
    case
}

#[library_benchmark(config = at_most(RAW))]
#[bench::empty(warm_raw())]
fn raw_call(mut call: RawCall) -> RawCall {
    black_box(call.repeat(1)).expect("the call returns");
    call
}

library_benchmark_group!(name = calls, benchmarks = [typed_call, bound_call, batch_call, raw_call]);

main!(
    // Building the pack needs these variables.
    config = LibraryBenchmarkConfig::default().pass_through_envs(["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME"]),
    setup = make_pack(),
    library_benchmark_groups = calls
);
