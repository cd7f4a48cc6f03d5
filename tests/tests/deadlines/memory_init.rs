//! Instructions that cannot be interrupted by taking memory away; no engine runs them that way.

use kernelpack_abi::KernelSpec;
use kernelpack_host::{engine::Interruption, error::KernelError};
use kernelpack_tests::{apply, engine::Engine, on_each_engine};

use crate::{
    Patience, args, kernel, outcome, tensors,
    wat_kernel::{Parts, SPEC},
};

#[apply(on_each_engine)]
fn modules_with_memory_init_copy_and_are_stopped_by_epochs(engine: Engine) {
    let _patience = Patience::with("a kernel with memory.init");
    let parts = Parts {
        rest: r#"(data $bytes "12345678") (func $run (loop $again
            (memory.init $bytes (i32.const 2048) (i32.const 0) (i32.const 8)) (br $again)))"#,
        forward: "(if (local.get $mode) (then (call $run))) (i32.const 0)",
        spec: KernelSpec { ..SPEC },
        ..Parts::default()
    };
    let (_pack, kernel) = kernel(engine, &parts, engine.interruptions()[0]);
    assert_eq!(kernel.interruption(), Interruption::Epoch);
    let (x, mut y) = tensors();
    let mut bound = kernel.bind(args(&x, &mut y, 0)).unwrap();
    assert_eq!(bound.copied_bytes(), 2 * 64);
    for _ in 0..2 {
        assert_eq!(outcome(kernel.call(args(&x, &mut y, 1))), Err(KernelError::EpochDeadline));
        assert_eq!(outcome(kernel.call(args(&x, &mut y, 0))), Ok(()));
        assert_eq!(outcome(bound.call(args(&x, &mut y, 1))), Err(KernelError::EpochDeadline));
        assert_eq!(outcome(bound.call(args(&x, &mut y, 0))), Ok(()));
    }
}
