//! How late a call is stopped: the time beyond its deadline, over many runs of a kernel that spins, for several
//! deadlines; one JSON object a line. `deadlines [RUNS]` takes the number of runs, 200 unless given.

use std::time::{Duration, Instant};

use kernelpack_abi::{TensorView, TensorViewMut};
use kernelpack_fixture_evil::spins;
use kernelpack_host::{Error, KernelError};
use kernelpack_tests::pack;

const TICK: Duration = Duration::from_millis(10);

fn main() -> Result<(), Error> {
    let runs: usize = std::env::args().nth(1).map_or(200, |runs| runs.parse().expect("the runs are a number"));
    let kernel = pack::runtime().open(pack::fixture("evil"))?.kernel::<spins::Kernel>()?;
    // The kernel's own budget is 3 ticks. Mode 1 is a loop, mode 2 one of calls.
    for (mode, what) in [(1, "loop"), (2, "calls")] {
        for ticks in 1..=3 {
            let kernel = kernel.clone().with_max_ticks(ticks);
            let mut late: Vec<f64> = (0..runs).map(|_| overshoot(&kernel, mode, ticks)).collect();
            late.sort_by(f64::total_cmp);
            let at = |share: f64| late[((late.len() - 1) as f64 * share).round() as usize];
            println!(
                r#"{{"kernel":"{what}","deadline_ms":{},"runs":{runs},"early_ms":{:.2},"median_ms":{:.2},"p99_ms":{:.2},"worst_ms":{:.2}}}"#,
                (TICK * ticks).as_millis(),
                at(0.0),
                at(0.5),
                at(0.99),
                at(1.0)
            );
        }
    }
    Ok(())
}

/// Milliseconds beyond the deadline.
fn overshoot(kernel: &kernelpack_host::TypedKernel<spins::Kernel>, mode: u32, ticks: u32) -> f64 {
    let (x, mut y) = ([1], [0]);
    let view = |data| TensorView::new(data, &[1]).expect("one element");
    let out = TensorViewMut::new(&mut y, &[1]).expect("one element");
    let args = spins::Args { mode, ..spins::Args::new(view(&x), out) };
    let start = Instant::now();
    let result = kernel.call(args);
    let took = start.elapsed();
    match result {
        Err(Error::Trapped(trapped)) if trapped.error == KernelError::EpochDeadline => {}
        other => panic!("it was not stopped: {other:?}"),
    }
    (took.as_secs_f64() - (TICK * ticks).as_secs_f64()) * 1e3
}
