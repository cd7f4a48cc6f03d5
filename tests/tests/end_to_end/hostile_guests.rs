//! Kernels that misbehave: each is stopped with its own error, and the next call on the same pack works.

use std::time::{Duration, Instant};

use kernelpack_abi::{KernelSpec, Lifecycle, ResourceLimits};
use kernelpack_host::{Error, error::KernelError};
use kernelpack_tests::{apply, engine::Engine, on_both_engines, on_each_engine};

use crate::wat_kernel::{Parts, SPEC, call, trap};

/// Runs a kernel that misbehaves if `mode` is not 0, and calls it again afterwards.
fn misbehave(engine: Engine, forward: &'static str) -> KernelError {
    misbehave_as(engine, &Parts::forward(forward))
}

fn misbehave_as(engine: Engine, parts: &Parts) -> KernelError {
    let kernel = parts.open(engine).kernel_named("wat_kernel").unwrap();
    call(&kernel, 0).unwrap();
    let error = trap(&kernel, 1);
    call(&kernel, 0).unwrap();
    assert_eq!(trap(&kernel, 1), error, "the second failure is like the first");
    call(&kernel, 0).unwrap();
    error
}

#[apply(on_each_engine)]
fn an_endless_loop_is_stopped_at_its_deadline(engine: Engine) {
    let parts = Parts::forward("(if (local.get $mode) (then (loop $spin (br $spin)))) i32.const 0");
    let kernel = parts.open(engine).kernel_named("wat_kernel").unwrap();
    let start = Instant::now();
    assert_eq!(trap(&kernel, 1), KernelError::EpochDeadline);
    // The budget is five ticks of 10 ms; the upper bound only distinguishes a deadline from a hang.
    assert!(start.elapsed() >= Duration::from_millis(50) && start.elapsed() < Duration::from_secs(5));
    call(&kernel, 0).unwrap();

    // Endless recursion through calls, and recursion that a caller's or a runtime's limit stops.
    let recursion = r#"(func $even (param i32) (result i32)
        (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0)) (else (call $odd (i32.const 0)))))
        (func $odd (param i32) (result i32) (loop $spin (drop (call $even (local.get 0))) (br $spin)) unreachable)"#;
    let forward = "(if (result i32) (local.get $mode) (then (call $odd (i32.const 0))) (else (i32.const 0)))";
    let parts = Parts { rest: recursion, forward, ..Parts::default() };
    let kernel = parts.open(engine).kernel_named("wat_kernel").unwrap().with_budget(Duration::from_millis(10));
    assert_eq!(trap(&kernel, 1), KernelError::EpochDeadline);
    let impatient = engine.builder().max_budget(Duration::from_millis(10)).build().unwrap();
    let kernel = impatient.open(engine.ready(parts.pack()).path()).unwrap().kernel_named("wat_kernel").unwrap();
    assert_eq!(trap(&kernel, 1), KernelError::EpochDeadline);
}

#[apply(on_each_engine)]
fn memory_out_of_bounds_is_a_violation_with_its_address(engine: Engine) {
    let forward = "(if (local.get $mode) (then (drop (i32.load (i32.const 0x7fff0000))))) i32.const 0";
    assert_eq!(misbehave(engine, forward), engine.violation(0x7fff_0000));
    let forward = "(if (local.get $mode) (then (i64.store (i32.const -8) (i64.const 1)))) i32.const 0";
    assert_eq!(misbehave(engine, forward), engine.violation(0xffff_fff8));
    // Bulk instructions check the whole range first and report no address.
    let forward = "(if (local.get $mode) (then (memory.fill (i32.const 0) (i32.const 1) (i32.const -1)))) i32.const 0";
    assert_eq!(misbehave(engine, forward), engine.violation(0));
}

#[apply(on_each_engine)]
fn every_other_trap_has_its_variant(engine: Engine) {
    let if_mode = |then: &str| -> &'static str {
        Box::leak(format!("(if (local.get $mode) (then {then})) i32.const 0").into_boxed_str())
    };
    assert_eq!(misbehave(engine, if_mode("unreachable")), KernelError::Unreachable);
    assert_eq!(
        misbehave(engine, if_mode("(drop (i32.div_s (i32.const 1) (i32.const 0)))")),
        KernelError::IntegerDivisionByZero
    );
    assert_eq!(
        misbehave(engine, if_mode("(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))")),
        KernelError::IntegerOverflow
    );
    assert_eq!(misbehave(engine, if_mode("(drop (i32.trunc_f32_s (f32.const nan)))")), KernelError::IntegerOverflow);

    let rest = "(func $deep (param i32) (result i32) (i32.add (i32.const 1) (call $deep (i32.add (local.get 0) (i32.const 1)))))";
    let forward = if_mode("(drop (call $deep (i32.const 0)))");
    assert_eq!(misbehave_as(engine, &Parts { rest, forward, ..Parts::default() }), KernelError::StackOverflow);

    let rest = "(table 2 funcref) (elem (i32.const 0) $other) (func $other (param i64)) (type $t (func (param i32)))";
    for index in ["0", "1", "2"] {
        let forward = if_mode(&format!("(call_indirect (type $t) (i32.const 7) (i32.const {index}))"));
        let parts = Parts { rest, forward, ..Parts::default() };
        assert_eq!(misbehave_as(engine, &parts), KernelError::IndirectCallTypeMismatch, "table entry {index}");
    }
}

#[apply(on_each_engine)]
fn memory_cannot_grow_past_the_limit(engine: Engine) {
    // memory.grow returns -1 and the kernel fails with a status; what it got is within its 64 pages.
    let forward = "(if (result i32) (local.get $mode)
        (then (if (result i32) (i32.eq (memory.grow (i32.const 64)) (i32.const -1))
            (then (i32.const 4)) (else (i32.const 0))))
        (else (i32.const 0)))";
    assert_eq!(misbehave(engine, forward), KernelError::Returned { code: 4, message: None });
    // A kernel that takes all memory leaves no room for the next call, which is refused.
    let forward = "(drop (memory.grow (i32.sub (i32.const 64) (memory.size)))) i32.const 0";
    let kernel = Parts::forward(forward).open(engine).kernel_named("wat_kernel").unwrap();
    for _ in 0..3 {
        call(&kernel, 0).unwrap();
    }
    // A kernel that grows memory in turns with the host leaves holes; a new instance has the lost room again.
    let forward = "(drop (memory.grow (i32.const 1))) i32.const 0";
    let kernel = Parts::forward(forward).open(engine).kernel_named("wat_kernel").unwrap();
    for elements in (1..200).map(|step| step * 4096) {
        let x = kernelpack_abi::TensorBuf::<f32>::zeros(&[elements]).unwrap();
        match kernel.run(&[("x", (&x).into())], &[]) {
            Ok(_) => {}
            // Together with the module's two pages and one more, x and y do not fit 64 pages.
            Err(Error::BadCall(_)) => assert!(2 * elements * 4 > 58 * 65536, "{elements}"),
            Err(other) => panic!("{other}"),
        }
    }
    // A runtime may allow less than the manifest, here less than the module's own minimum.
    let small = engine.builder().max_memory_pages(1).build().unwrap();
    let refused = small.open(engine.ready(Parts::default().pack()).path()).unwrap_err();
    let message = "kernel \"wat_kernel\" starts with 2 pages of memory, but this runtime allows 1; raise its limit";
    assert!(matches!(refused, Error::Config(_)) && refused.to_string() == message, "{refused}");
}

#[apply(on_both_engines)]
fn tables_cannot_grow_past_the_limit(engine: Engine) {
    let rest = "(table $t 1 funcref)";
    let forward = "(if (result i32) (i32.eq (table.grow $t (ref.null func) (i32.const 1000000)) (i32.const -1))
        (then (local.get $mode)) (else (i32.const 6)))";
    let error = misbehave_as(engine, &Parts { rest, forward, ..Parts::default() });
    assert_eq!(error, KernelError::Returned { code: 1, message: None });
}

#[apply(on_each_engine)]
fn any_number_is_a_status_and_any_bytes_are_a_message(engine: Engine) {
    for (code, expected) in [("7", 7), ("-1", u32::MAX), ("0x7fffffff", i32::MAX as u32)] {
        let forward = Box::leak(
            format!("(if (result i32) (local.get $mode) (then (i32.const {code})) (else (i32.const 0)))")
                .into_boxed_str(),
        );
        assert_eq!(misbehave(engine, forward), KernelError::Returned { code: expected, message: None });
    }
    // A message that claims 4 GiB, with bytes that are not UTF-8.
    let forward = "(if (result i32) (local.get $mode)
        (then (i32.store (i32.const 1024) (i32.const -1)) (i32.store (i32.const 1028) (i32.const -1)) (i32.const 6))
        (else (i32.const 0)))";
    let KernelError::Returned { code: 6, message: Some(message) } = misbehave(engine, forward) else {
        panic!("no message")
    };
    assert!(message.starts_with("\u{fffd}\u{fffd}\u{fffd}\u{fffd}\0"), "{message:?}");
    // A message from one call is not taken for the next one's.
    let forward = "(if (result i32) (i32.eq (local.get $mode) (i32.const 2)) (then unreachable)
        (else (i32.store (i32.const 1024) (i32.const 1)) (i32.store8 (i32.const 1028) (i32.const 65)) (local.get $mode)))";
    let kernel = Parts::forward(forward).open(engine).kernel_named("wat_kernel").unwrap();
    assert_eq!(trap(&kernel, 1), KernelError::Returned { code: 1, message: Some("A".to_owned()) });
    assert_eq!(trap(&kernel, 2), KernelError::Unreachable);
}

#[apply(on_each_engine)]
fn a_kernel_that_lies_about_itself_changes_nothing(engine: Engine) {
    let exports = r#"(export "kernel_forward" (func $forward)) (export "wat_forward" (func $forward))
        (func (export "kernel_info") (param $at i32) (result i32)
            (i32.store offset=0 (local.get $at) (i32.const 99))
            (i32.store offset=16 (local.get $at) (i32.const -1))
            (i32.store offset=20 (local.get $at) (i32.const -1))
            i32.const 0)"#;
    let kernel = Parts { exports, ..Parts::default() }.open(engine).kernel_named("wat_kernel").unwrap();
    let (info, id) = kernel.info().unwrap();
    assert_eq!((info.abi_version, info.id_offset, id), (99, u32::MAX, None));
    call(&kernel, 0).unwrap();
}

/// A kernel with all lifecycle functions.
const WHOLE_LIFE: KernelSpec<'static> = KernelSpec {
    lifecycle: Lifecycle { init: true, cleanup: true },
    limits: ResourceLimits { max_epoch_ticks: 2, ..SPEC.limits },
    ..SPEC
};

#[apply(on_each_engine)]
fn loops_in_init_and_cleanup_are_stopped_too(engine: Engine) {
    let life = |init: &str, cleanup: &str| -> &'static str {
        Box::leak(
            format!(
                r#"(export "kernel_forward" (func $forward)) (export "wat_forward" (func $forward))
                (func (export "kernel_info") (param i32) (result i32) i32.const 0)
                (func (export "kernel_init") (param i32 i32) (result i32) {init} i32.const 0)
                (func (export "kernel_cleanup") (result i32) {cleanup} i32.const 0)"#
            )
            .into_boxed_str(),
        )
    };
    const SPIN: &str = "(loop $spin (br $spin))";
    let open = |exports| {
        let parts = Parts { exports, spec: WHOLE_LIFE, ..Parts::default() };
        let pack = parts.pack_with(|manifest| {
            let entry = &mut manifest.kernels[0];
            (entry.init, entry.cleanup) = (true, true);
            entry.resource_limits = WHOLE_LIFE.limits;
        });
        engine.ready(pack).open(engine).unwrap().kernel_named("wat_kernel").unwrap()
    };
    let kernel = open(life(SPIN, ""));
    assert_eq!(trap(&kernel, 0), KernelError::EpochDeadline);
    assert_eq!(trap(&kernel, 0), KernelError::EpochDeadline);

    let kernel = open(life("", SPIN));
    call(&kernel, 0).unwrap();
    let start = Instant::now();
    drop(kernel);
    // When cleanup starts, most of the first of its two ticks of 10 ms may have passed.
    assert!(start.elapsed() >= Duration::from_millis(10), "cleanup is entered");
    assert!(start.elapsed() < Duration::from_secs(5), "dropping a kernel ends");
}
