//! Tests which signers may vouch for native code in packs. These tests need a compiler, and are skipped without one.

use kernelpack_host::{
    Error, Runtime, RuntimeBuilder,
    engine::{Execution, Wamr},
};
use kernelpack_tests::{
    engine::POOL,
    pack::{Copy, add_native, key},
};

use crate::{
    call,
    stub::{Forward, honest, square},
    wamr,
    wat_kernel::{Parts, SPEC},
};

/// Returns the pack of this module with native code for this machine.
fn native(parts: &Parts) -> Option<Copy> {
    Some(honest(parts)).filter(|pack| add_native(pack.path()))
}

pub(crate) fn embedded(execution: Execution) -> RuntimeBuilder {
    super::embedded().engine(wamr(execution))
}

#[test]
fn who_was_granted_modules_alone_is_not_believed_native_code() {
    let Some(pack) = native(&square(SPEC.limits)) else { return };
    let open = |runtime: RuntimeBuilder| -> Result<_, Error> { runtime.build()?.open(pack.path()) };
    let refused = open(embedded(Execution::Native)).unwrap_err().to_string();
    assert!(refused.contains("no native code for this machine that its signer may vouch for"), "{refused}");
    let interpreted = open(embedded(Execution::NativeElseInterpreted)).unwrap();
    assert_eq!(call(&interpreted.kernel::<Forward>().unwrap(), 0).unwrap(), [1.0, 4.0, 9.0, 16.0]);
}

#[test]
fn native_code_that_was_read_for_another_runtime_is_not_run_where_modules_are_interpreted() {
    let Some(pack) = native(&square(SPEC.limits)) else { return };
    let granting = |execution| embedded(execution).trust_native(key().public()).build().unwrap();
    let verified = granting(Execution::Native).verify(pack.path()).unwrap();
    assert!(verified.kernels()[0].native().is_some());
    let refused = granting(Execution::Interpreted).load(verified).unwrap_err().to_string();
    assert!(refused.contains("this one only interprets; open the pack with this runtime"), "{refused}");
}

#[test]
fn what_has_no_native_code_is_interpreted_unless_told_otherwise() {
    for (engine, refused) in [(Wamr::new(), false), (Wamr::new().execution(Execution::Native), true)] {
        let runtime = Runtime::builder(engine.pool_bytes(POOL)).trust(key().public()).build().unwrap();
        assert_eq!(runtime.open(honest(&square(SPEC.limits)).path()).is_err(), refused);
    }
}
