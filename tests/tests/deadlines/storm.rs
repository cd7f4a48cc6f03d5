//! Stops many calls. The host's own tests stop ten thousand, with shorter ticks.

use std::{thread, time::Duration};

use kernelpack_abi::ResourceLimits;
use kernelpack_host::error::KernelError;
use kernelpack_tests::{apply, engine::Engine, on_each_engine};

use crate::{
    Patience, args, kernel, outcome,
    stub::{SPIN, square},
    tensors,
    wat_kernel::SPEC,
};

const THREADS: usize = 16;
const STOPS: usize = 25;

#[apply(on_each_engine)]
fn many_stops_on_many_threads_leave_everything_in_order(engine: Engine) {
    let _patience = Patience::with("one of many");
    for &way in engine.interruptions() {
        let limits = ResourceLimits { max_epoch_ticks: 1000, ..SPEC.limits };
        let (_pack, kernel) = kernel(engine, &square(limits), way);
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let (steady, hasty) = (kernel.clone(), kernel.clone().with_budget(Duration::from_millis(0)));
                scope.spawn(move || {
                    let (x, mut y) = tensors();
                    let mut bound = hasty.bind(args(&x, &mut y, 0)).unwrap();
                    for stop in 0..STOPS {
                        let spin = args(&x, &mut y, SPIN);
                        let result = if stop % 2 == 0 { hasty.call(spin) } else { bound.call(spin) };
                        assert_eq!(outcome(result), Err(KernelError::EpochDeadline));
                        let mode = (thread * STOPS + stop) as i32;
                        steady.call(args(&x, &mut y, mode)).unwrap();
                        assert!(y.as_slice().iter().all(|y| *y == 1.0 + mode as f32));
                    }
                });
            }
        });
        let occupancy = kernel.occupancy();
        assert_eq!((occupancy.busy, occupancy.waiting), (0, 0), "{way:?}");
        assert!(occupancy.idle as usize <= 2 * THREADS);
    }
}
