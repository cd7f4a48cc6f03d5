//! Tests that a warm call allocates nothing, copying, bound or in a batch, with and without a metrics recorder.
//!
//! WAMR's own allocations are in its pool; the host's are counted here as on Wasmtime.
//!
//! All allocations of the program go through a per-thread counter, so that neither the ticker nor the harness
//! interferes.
#![allow(unsafe_code, reason = "an allocator can be counted only by standing in for it")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use kernelpack_host::{Pack, Tensor};
use kernelpack_kernels::{rmsnorm_f32, rope_f32};
use kernelpack_tests::{apply, engine::Engine, on_each_engine, pack};
use metrics::{Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};

const CALLS: u64 = 1000;
/// The number of calls in a batch, and the number of batches that are counted.
const ROWS: u64 = 16;
const BATCHES: u64 = 4;
/// The number of calls before counting starts: the first lays out the call and makes the instance.
const WARM_UP: u64 = 3;
/// Counts this thread's allocations.
struct Counting;

thread_local! {
    static ASKED: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // When a thread ends, its counter may be destroyed already, and nobody reads it any more.
    let _ = ASKED.try_with(|asked| asked.set(asked.get() + 1));
}

// SAFETY: each call is passed on to the system's allocator unchanged; counting touches a cell of this thread that needs
// neither an allocation nor a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's guarantees are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's guarantees are passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's guarantees are passed on.
        unsafe { System.realloc(ptr, layout, new_size) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        count();
        // SAFETY: the caller's guarantees are passed on.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Returns the number of allocations of this thread while `f` ran.
fn asked(f: impl FnOnce()) -> u64 {
    let before = ASKED.get();
    f();
    ASKED.get() - before
}

/// A recorder that sums everything up and allocates nothing when something is recorded.
#[derive(Default)]
struct Sums {
    calls: Arc<AtomicU64>,
    durations: Arc<Durations>,
}

#[derive(Default)]
struct Durations(AtomicU64);

impl HistogramFn for Durations {
    fn record(&self, _: f64) {
        self.0.fetch_add(1, Relaxed);
    }
}

impl Recorder for Sums {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let succeeded = key.name() == "kernelpack_calls_total" && key.labels().any(|label| label.value() == "ok");
        Counter::from_arc(if succeeded { self.calls.clone() } else { Arc::default() })
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Arc::<AtomicU64>::default())
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.durations.clone())
    }
}

fn open(engine: Engine, metrics: bool) -> Pack {
    let folder = engine.folder(pack::some_of_core(&["rmsnorm_f32", "rope_f32"]));
    engine.builder().metrics(metrics).build().unwrap().open(folder).unwrap()
}

/// Asserts that calls allocate nothing once they are warm.
fn hold(what: &str, mut call: impl FnMut()) {
    (0..WARM_UP).for_each(|_| call());
    assert_eq!(asked(|| (0..CALLS).for_each(|_| call())), 0, "{what}");
}

/// Checks typed and bound calls of kernels that have scratch, optional inputs and scalars, and of kernels without.
fn hold_all(pack: &Pack) {
    let norm = pack.kernel::<rmsnorm_f32::Kernel>().unwrap();
    let (x, weight) = (Tensor::zeros(&[8, 64]).unwrap(), Tensor::zeros(&[64]).unwrap());
    let mut y = Tensor::zeros(&[8, 64]).unwrap();
    hold("typed", || norm.call(rmsnorm_f32::Args::new(x.view(), weight.view(), y.view_mut())).unwrap());
    let mut bound = norm.bind(rmsnorm_f32::Args::new(x.view(), weight.view(), y.view_mut())).unwrap();
    hold("bound", || bound.call(rmsnorm_f32::Args::new(x.view(), weight.view(), y.view_mut())).unwrap());

    let rope = pack.kernel::<rope_f32::Kernel>().unwrap();
    let x = Tensor::zeros(&[1, 4, 2, 64]).unwrap();
    let mut y = Tensor::zeros(&[1, 4, 2, 64]).unwrap();
    let mut position_offset = 0;
    hold("typed with scratch", || {
        position_offset += 1;
        rope.call(rope_f32::Args { position_offset, ..rope_f32::Args::new(x.view(), y.view_mut()) }).unwrap();
    });
    let mut bound = rope.bind(rope_f32::Args::new(x.view(), y.view_mut())).unwrap();
    hold("bound with scratch", || {
        position_offset += 1;
        bound.call(rope_f32::Args { position_offset, ..rope_f32::Args::new(x.view(), y.view_mut()) }).unwrap();
    });

    // Half of the tensors are mapped, the others copied.
    let heap = Tensor::on_heap(&[1, 4, 2, 64]).unwrap();
    let mut bound = rope.bind(rope_f32::Args::new(heap.view(), y.view_mut())).unwrap();
    hold("bound and copying", || bound.call(rope_f32::Args::new(heap.view(), y.view_mut())).unwrap());

    // Calls with different shapes alternate, so each is laid out again, in the same instance.
    let (one, mut to) = (Tensor::zeros(&[1, 1, 2, 64]).unwrap(), Tensor::zeros(&[1, 1, 2, 64]).unwrap());
    hold("typed of two shapes in turns", || {
        rope.call(rope_f32::Args::new(x.view(), y.view_mut())).unwrap();
        rope.call(rope_f32::Args::new(one.view(), to.view_mut())).unwrap();
    });
    hold_batches(pack);
}

fn hold_batches(pack: &Pack) {
    let norm = pack.kernel::<rmsnorm_f32::Kernel>().unwrap();
    let weight = Tensor::zeros(&[64]).unwrap();
    let row = || (Tensor::zeros(&[1, 64]).unwrap(), Tensor::zeros(&[1, 64]).unwrap());
    let mut rows: Vec<(Tensor<f32>, Tensor<f32>)> = (0..ROWS).map(|_| row()).collect();
    let mut eps = 0.0;
    let mut batch = |rows: &mut [(Tensor<f32>, Tensor<f32>)]| {
        eps += 1.0;
        let args = |x, y| rmsnorm_f32::Args { eps, ..rmsnorm_f32::Args::new(x, weight.view(), y) };
        norm.call_batch(rows.iter_mut().map(|(x, y)| args(x.view(), y.view_mut()))).unwrap();
    };
    hold("a batch", || batch(&mut rows));
    // Each batch is laid out again, in the same instance.
    hold("batches of two lengths in turns", || {
        batch(&mut rows[..7]);
        batch(&mut rows[7..]);
    });
    let (x, mut y) = row();
    hold("a batch and a single call in turns", || {
        batch(&mut rows);
        norm.call(rmsnorm_f32::Args::new(x.view(), weight.view(), y.view_mut())).unwrap();
    });

    let rope = pack.kernel::<rope_f32::Kernel>().unwrap();
    let x = Tensor::zeros(&[1, 4, 2, 64]).unwrap();
    let mut rows: Vec<_> = (0..ROWS).map(|_| Tensor::zeros(&[1, 4, 2, 64]).unwrap()).collect();
    hold("a batch with scratch", || {
        rope.call_batch(rows.iter_mut().map(|y| rope_f32::Args::new(x.view(), y.view_mut()))).unwrap();
    });
}

#[test]
fn the_counter_counts() {
    assert_eq!(asked(|| drop(std::hint::black_box(Box::new(1)))), 2);
    assert_eq!(asked(|| assert_eq!(std::thread::spawn(|| asked(|| drop(vec![1; 9]))).join().unwrap(), 2)).min(1), 1);
}

#[apply(on_each_engine)]
fn warm_calls_ask_nothing_of_the_allocator_where_nobody_records_metrics(engine: Engine) {
    hold_all(&open(engine, false));
    hold_all(&open(engine, true));
}

#[apply(on_each_engine)]
fn warm_calls_ask_nothing_of_the_allocator_where_metrics_are_recorded(engine: Engine) {
    let sums = Sums::default();
    hold_all(&metrics::with_local_recorder(&sums, || open(engine, true)));
    // The recorder was installed and used.
    assert_eq!(sums.calls.load(Relaxed), (8 + BATCHES * ROWS) * (CALLS + WARM_UP));
    // One call in 64 of each kernel is timed, except in batches.
    assert!(sums.durations.0.load(Relaxed) >= 8 * CALLS / 64);
}
