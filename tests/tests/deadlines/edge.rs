//! Deadlines at the very end of a call. The host's own tests have many more, with shorter ticks.

use std::time::Duration;

use kernelpack_abi::{KernelSpec, ResourceLimits};
use kernelpack_host::{engine::Interruption, error::KernelError};
use kernelpack_tests::{apply, engine::Engine, on_each_engine};

use crate::{
    Patience, args, kernel, outcome, tensors,
    wat_kernel::{Parts, SPEC},
};

/// Makes a kernel that counts to `mode` thousand in memory, and writes the count to each element of y.
fn counter() -> Parts {
    let rest = "(func $count (param $d i32) (param $mode i32) (result i32)
        (local $block i32) (local $y i32) (local $end i32) (local $i i32)
        (local.set $block (i32.load offset=32 (local.get $d)))
        (local.set $y (i32.load offset=64 (local.get $block)))
        (local.set $end (i32.add (local.get $y) (i32.load offset=68 (local.get $block))))
        (i32.store (i32.const 2048) (i32.const 0))
        (block $done (loop $next
            (br_if $done (i32.ge_u (local.get $i) (i32.mul (local.get $mode) (i32.const 1000))))
            (i32.store (i32.const 2048) (i32.add (i32.load (i32.const 2048)) (i32.const 1)))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br $next)))
        (loop $write
            (f32.store (local.get $y) (f32.convert_i32_s (i32.div_u (i32.load (i32.const 2048)) (i32.const 1000))))
            (local.set $y (i32.add (local.get $y) (i32.const 4)))
            (br_if $write (i32.lt_u (local.get $y) (local.get $end))))
        (i32.const 0))";
    let limits = ResourceLimits { max_epoch_ticks: 1000, ..SPEC.limits };
    Parts {
        rest,
        forward: "(call $count (local.get $descriptor) (local.get $mode))",
        spec: KernelSpec { limits, ..SPEC },
        ..Parts::default()
    }
}

#[apply(on_each_engine)]
fn a_call_that_ends_with_its_deadline_gives_its_result_or_is_stopped(engine: Engine) {
    let _patience = Patience::with("a call at the edge");
    for &way in engine.interruptions() {
        let (_pack, kernel) = kernel(engine, &counter(), way);
        let kernel = kernel.with_budget(Duration::from_millis(0));
        let (x, mut y) = tensors();
        let mut bound = kernel.bind(args(&x, &mut y, 0)).unwrap();
        let (mut thousands, mut seen) = (1000, [0, 0]);
        for round in 0..200 {
            y.as_mut_slice().fill(-1.0);
            let call = args(&x, &mut y, thousands);
            let result = if round % 2 == 0 { bound.call(call) } else { kernel.call(call) };
            match outcome(result) {
                Ok(()) => {
                    assert!(y.as_slice().iter().all(|y| *y == thousands as f32), "{way:?}: {:?}", y.as_slice());
                    seen[0] += 1;
                    thousands += thousands / 8 + 1;
                }
                Err(error) => {
                    assert_eq!(error, KernelError::EpochDeadline);
                    seen[1] += 1;
                    thousands -= thousands / 8;
                }
            }
        }
        assert!(seen[0] > 0 && seen[1] > 0, "{way:?}: {seen:?}");
    }
}

/// Shows that the other tests can fail: without interruption, nothing enforces budgets.
#[apply(on_each_engine)]
fn without_interruption_budgets_do_not_hold(engine: Engine) {
    let (_pack, kernel) = kernel(engine, &counter(), Interruption::Never);
    let (x, mut y) = tensors();
    // Far longer than a tick on any machine: 200 million rounds in compiled code.
    let thousands = engine.rounds(200_000) as i32;
    kernel.with_budget(Duration::from_millis(0)).call(args(&x, &mut y, thousands)).unwrap();
    assert_eq!(y.as_slice()[0], thousands as f32);
}
