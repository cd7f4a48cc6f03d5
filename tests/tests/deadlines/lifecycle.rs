//! Tests deadlines of code that runs before and after calls.

use kernelpack_abi::{KernelSpec, Lifecycle};
use kernelpack_host::error::KernelError;
use kernelpack_tests::{apply, engine::Engine, on_each_engine};

use crate::{
    Patience, args, kernel, outcome, tensors,
    wat_kernel::{Parts, SPEC},
};

const LOOP: &str = "(loop $spin (br $spin))";

/// Returns a module whose `kernel_init` and `kernel_cleanup` have these bodies.
fn parts(init: &str, cleanup: &str) -> Parts {
    let exports = format!(
        r#"(export "kernel_forward" (func $forward)) (export "wat_forward" (func $forward))
        (func (export "kernel_info") (param i32) (result i32) i32.const 0)
        (func (export "kernel_init") (param i32 i32) (result i32) {init} i32.const 0)
        (func (export "kernel_cleanup") (result i32) {cleanup} i32.const 0)"#
    );
    let spec = KernelSpec { lifecycle: Lifecycle { init: true, cleanup: true }, ..SPEC };
    Parts { exports: exports.leak(), spec, ..Parts::default() }
}

#[apply(on_each_engine)]
fn an_initialization_that_loops_is_stopped_and_nothing_is_left(engine: Engine) {
    let _patience = Patience::with("an initialization");
    for &way in engine.interruptions() {
        let (_pack, kernel) = kernel(engine, &parts(LOOP, ""), way);
        let (x, mut y) = tensors();
        for _ in 0..3 {
            assert_eq!(outcome(kernel.call(args(&x, &mut y, 0))), Err(KernelError::EpochDeadline));
            assert_eq!(outcome(kernel.bind(args(&x, &mut y, 0)).map(drop)), Err(KernelError::EpochDeadline));
            let occupancy = kernel.occupancy();
            assert_eq!((occupancy.busy, occupancy.idle, occupancy.bound), (0, 0, 0));
        }
    }
}

#[apply(on_each_engine)]
fn a_cleanup_that_loops_is_stopped(engine: Engine) {
    let _patience = Patience::with("a cleanup");
    for &way in engine.interruptions() {
        let (pack, kernel) = kernel(engine, &parts("", LOOP), way);
        let (x, mut y) = tensors();
        kernel.call(args(&x, &mut y, 0)).unwrap();
        let mut bound = kernel.bind(args(&x, &mut y, 0)).unwrap();
        bound.call(args(&x, &mut y, 0)).unwrap();
        drop(bound);
        assert_eq!(kernel.occupancy().bound, 0);
        drop((pack, kernel));
    }
}
