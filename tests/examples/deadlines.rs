//! Measures how late a call is stopped: the time beyond its deadline, over many runs of kernels that do not end, with
//! each way of stopping them; one JSON object a line. Usage: `deadlines [RUNS]`, 200 by default.

#[path = "../tests/deadlines/fixtures.rs"]
mod fixtures;
#[path = "../tests/pool/stub.rs"]
#[allow(dead_code, reason = "the stub does more than this needs")]
mod stub;
#[path = "../tests/end_to_end/wat_kernel.rs"]
#[allow(dead_code, reason = "tests use the rest of it")]
mod wat_kernel;

use std::time::{Duration, Instant};

use kernelpack_abi::{TensorView, TensorViewMut};
use kernelpack_host::{
    Error, Runtime, TypedKernel,
    engine::{Interruption, Wasmtime},
    error::KernelError,
    policy::{BreakerPolicy, FallbackPolicy},
};
use kernelpack_tests::pack::key;

use crate::{
    stub::{Args, Forward, honest},
    wat_kernel::Parts,
};

const TICK: Duration = Duration::from_millis(10);

fn main() -> Result<(), Error> {
    let runs: usize = std::env::args().nth(1).map_or(200, |runs| runs.parse().expect("the runs are a number"));
    // A loop, loops that write 256 MiB, deep recursion, tables and calls: `tests/fixtures/hostile` has the modules.
    let names = ["empty_loop", "fill_everything", "copy_everything", "long_tails", "table_work", "call_tree"];
    for (name, parts) in fixtures::all().iter().filter(|(name, _)| names.contains(&name.as_str())) {
        for way in [Interruption::PageProtection, Interruption::Epoch] {
            let kernel = load(parts, way)?;
            let mut late: Vec<f64> = (0..runs).map(|_| overshoot(&kernel)).collect();
            late.sort_by(f64::total_cmp);
            let at = |share: f64| late[((late.len() - 1) as f64 * share).round() as usize];
            println!(
                r#"{{"kernel":"{name}","interruption":"{way:?}","deadline_ms":{},"runs":{runs},"early_ms":{:.2},"median_ms":{:.2},"p99_ms":{:.2},"worst_ms":{:.2}}}"#,
                TICK.as_millis(),
                at(0.0),
                at(0.5),
                at(0.99),
                at(1.0)
            );
        }
    }
    Ok(())
}

fn load(parts: &Parts, way: Interruption) -> Result<TypedKernel<Forward>, Error> {
    let runtime = Runtime::builder(Wasmtime::new().interruption(way)).trust(key().public());
    let runtime = runtime.fallback(FallbackPolicy::Never).breaker(BreakerPolicy::Never).build()?;
    runtime.open(honest(parts).path())?.kernel()
}

/// Returns by how many milliseconds a call exceeds its deadline of one tick.
fn overshoot(kernel: &TypedKernel<Forward>) -> f64 {
    let (x, mut y) = ([1.0], [0.0]);
    // Makes the instance before the measurement starts.
    kernel.call(args(&x, &mut y, 0)).expect("it ends in this mode");
    let call = args(&x, &mut y, 1);
    let start = Instant::now();
    let result = kernel.call(call);
    let took = start.elapsed();
    match result {
        Err(Error::Kernel(trapped)) if trapped.error == KernelError::EpochDeadline => {}
        other => panic!("it was not stopped: {other:?}"),
    }
    (took.as_secs_f64() - TICK.as_secs_f64()) * 1e3
}

fn args<'a>(x: &'a [f32], y: &'a mut [f32], mode: i32) -> Args<'a> {
    let (x, y) = (TensorView::new(x, &[1]), TensorViewMut::new(y, &[1]));
    Args { x: x.expect("one element"), y: y.expect("one element"), mode }
}
