//! Native code in packs: who may vouch for it, and that it obeys what modules obey. Left out where there is no compiler.

use kernelpack_host::{Error, Execution, KernelError, Pack, Runtime, RuntimeBuilder};
use kernelpack_tests::pack::{Copy, add_native, key};

use crate::{
    POOL, call, fixtures,
    stub::{Forward, SPIN, TRAP, honest, square},
    trap,
    wat_kernel::{Parts, SPEC},
};

/// The pack of this module with native code for this machine.
fn native(parts: &Parts) -> Option<Copy> {
    Some(honest(parts)).filter(|pack| add_native(pack.path()))
}

pub(crate) fn embedded(execution: Execution) -> RuntimeBuilder {
    super::embedded().with_pool(POOL).execution(execution)
}

#[test]
fn native_code_computes_traps_and_is_stopped_as_modules_are() {
    let Some(pack) = native(&square(SPEC.limits)) else { return };
    let runtime = embedded(Execution::Native).trust_native(key().public()).build().unwrap();
    let pack = runtime.open(pack.path()).unwrap();
    let kernel = pack.kernel::<Forward>().unwrap();
    for round in 0..3 {
        assert_eq!(call(&kernel, round).unwrap(), [1.0, 4.0, 9.0, 16.0].map(|square| square + round as f32));
        assert_eq!(trap(call(&kernel, TRAP)), KernelError::Unreachable);
        assert_eq!(trap(call(&kernel, SPIN)), KernelError::EpochDeadline);
    }
}

#[test]
fn traps_of_native_code_are_those_of_modules() {
    let out_of_bounds = KernelError::MemoryAccessViolation { offset: 0, size: 0 };
    let cases = [
        ("(i32.load (i32.const 0x7fffffff))", out_of_bounds.clone()),
        ("(i32.load offset=0xfffffff0 (local.get $mode))", out_of_bounds.clone()),
        ("(memory.fill (i32.const 0) (i32.const 1) (i32.const -1)) i32.const 0", out_of_bounds),
        ("(i32.div_s (i32.const 1) (local.get $mode))", KernelError::IntegerDivisionByZero),
        ("(i32.trunc_f32_s (f32.const nan))", KernelError::IntegerOverflow),
        ("(call $forward (local.get $descriptor))", KernelError::StackOverflow),
    ];
    for (body, error) in cases {
        let Some(pack) = native(&Parts::forward(body)) else { return };
        let runtime = embedded(Execution::Native).trust_native(key().public()).build().unwrap();
        let pack = runtime.open(pack.path()).unwrap();
        assert_eq!(trap(call(&pack.kernel::<Forward>().unwrap(), 0)), error, "{body}");
    }
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
fn in_release_builds_nothing_is_interpreted_unless_asked_for() {
    assert_eq!(Execution::default() == Execution::Native, !cfg!(debug_assertions));
    let runtime = Runtime::embedded().with_pool(POOL).trust(key().public()).build().unwrap();
    assert_eq!(runtime.open(honest(&square(SPEC.limits)).path()).is_err(), !cfg!(debug_assertions));
}

#[test]
fn no_hostile_module_outruns_its_deadline_as_native_code() {
    let runtime = embedded(Execution::Native).trust_native(key().public()).build().unwrap();
    stops_hostile_modules(|parts| Some(runtime.open(native(parts)?.path())));
}

/// Opens and calls hostile modules; those that native code may not be made of are refused before they run.
pub(crate) fn stops_hostile_modules(open: impl Fn(&Parts) -> Option<Result<Pack, Error>>) {
    let mut stopped = 0;
    for (name, parts) in fixtures::all() {
        let Some(opened) = open(&parts) else { return };
        let kernel = opened.as_ref().map(|pack| pack.kernel::<Forward>().unwrap());
        match kernel {
            Ok(kernel) => {
                // Deep recursion has used up the small stack by then.
                let error = trap(call(&kernel, 1));
                assert!(matches!(error, KernelError::EpochDeadline | KernelError::StackOverflow), "{name}: {error}");
                stopped += 1;
            }
            Err(error) => eprintln!("{name} is refused: {error}"),
        }
    }
    assert!(stopped > 20, "{stopped}");
}
