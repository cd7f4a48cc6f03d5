//! Tests that the thread which counts epochs exists exactly as long as something can call a kernel.
//!
//! The tests run one at a time in a program of their own, since they count threads.
#![cfg(target_os = "linux")]

#[path = "end_to_end/wat_kernel.rs"]
#[expect(dead_code, reason = "the other tests of hand-written modules use the rest")]
mod wat_kernel;

use std::{
    any::Any,
    fs,
    sync::{Mutex, PoisonError},
};

use kernelpack_abi::{ResourceLimits, TensorBuf};
use kernelpack_host::error::KernelError;
use kernelpack_tests::{apply, engine::Engine, on_both_engines};
use wat_kernel::{Parts, SPEC, call, trap};

/// Returns the number of threads of this process that count epochs. The system cuts names after 15 bytes.
fn tickers() -> usize {
    let name = |entry: std::io::Result<fs::DirEntry>| fs::read_to_string(entry.ok()?.path().join("comm")).ok();
    let names = fs::read_dir("/proc/self/task").unwrap().filter_map(name);
    names.filter(|name| name.trim_end() == "kernelpack-epoch".split_at(15).0).count()
}

/// Waits until this many threads are listed: a thread names itself shortly after it starts, and a joined thread may be
/// listed for a moment.
fn until(count: usize) {
    while tickers() != count {
        std::thread::yield_now();
    }
}

fn permutations(of: usize) -> Vec<Vec<usize>> {
    if of == 0 {
        return vec![Vec::new()];
    }
    let with = |shorter: &Vec<usize>, at: usize| {
        let mut longer = shorter.clone();
        longer.insert(at, of - 1);
        longer
    };
    permutations(of - 1).iter().flat_map(|shorter| (0..of).map(|at| with(shorter, at)).collect::<Vec<_>>()).collect()
}

#[apply(on_both_engines)]
fn the_ticker_ends_with_its_last_user_in_whatever_order_they_go(engine: Engine) {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let usual = Parts::forward("(if (local.get $mode) (then (loop $spin (br $spin)))) i32.const 0");
    let usual = usual.pack();
    until(0);
    for order in permutations(5) {
        let runtime = engine.runtime();
        until(1);
        let pack = runtime.open(usual.path()).unwrap();
        let kernel = pack.kernel_named("wat_kernel").unwrap();
        call(&kernel, 0).unwrap();
        let x = TensorBuf::<f32>::zeros(&[4]).unwrap();
        let prepared = kernel.prepare(&[("x", (&x).into())], &[]).unwrap();
        let other = kernel.clone();
        let mut users: Vec<Option<Box<dyn Any>>> = vec![
            Some(Box::new(runtime)),
            Some(Box::new(pack)),
            Some(Box::new(kernel)),
            Some(Box::new(other)),
            Some(Box::new(prepared)),
        ];
        for (gone, user) in order.iter().enumerate() {
            assert_eq!(tickers(), 1, "{order:?}: {gone} are gone");
            drop(users[*user].take());
        }
        until(0);
    }

    // A kernel that remains can still rely on the thread.
    let kernel = engine.runtime().open(usual.path()).unwrap().kernel_named("wat_kernel").unwrap();
    assert_eq!(trap(&kernel, 1), KernelError::EpochDeadline);
    drop(kernel);
    until(0);

    // One thread ticks all engines of a runtime.
    let runtime = engine.runtime();
    let packs = [64 << 10, 128 << 10, 1 << 20].map(|max_stack_bytes| {
        let limits = ResourceLimits { max_stack_bytes, ..SPEC.limits };
        let parts = Parts { spec: kernelpack_abi::KernelSpec { limits, ..SPEC }, ..Parts::default() };
        runtime.open(parts.pack_with(|manifest| manifest.kernels[0].resource_limits = limits).path()).unwrap()
    });
    until(1);
    drop(runtime);
    assert_eq!(tickers(), 1);
    drop(packs);
    until(0);
}
