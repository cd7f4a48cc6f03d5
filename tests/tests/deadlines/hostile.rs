//! Runs the modules of `tests/fixtures/hostile` as kernels, and some more.

use std::{
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread,
};

use kernelpack_host::{Error, error::KernelError};
use kernelpack_tests::{apply, engine::Engine, on_each_engine};

use crate::{
    Patience, args,
    fixtures::{self, parts},
    kernel, large, outcome, tensors,
    wat_kernel::Parts,
};

/// Returns bodies of `$run` that are not files, since they are short or generated.
fn more() -> Vec<(&'static str, String)> {
    let functions = |count: usize, body: &dyn Fn(usize) -> String| (0..count).map(body).collect::<String>();
    vec![
        (
            "copies of one byte",
            "(func $run (loop $again (memory.copy (i32.const 1) (i32.const 0) (i32.const 1)) (br $again)))".into(),
        ),
        (
            "fills that begin where memory ends",
            "(func $run (loop $again
                (memory.fill (i32.mul (memory.size) (i32.const 65536)) (i32.const 0) (i32.const 0)) (br $again)))"
                .into(),
        ),
        (
            "globals",
            "(global $g (mut i64) (i64.const 0)) (func $run (loop $again
                (global.set $g (i64.add (global.get $g) (i64.const 1))) (br $again)))"
                .into(),
        ),
        (
            "divisions",
            format!(
                "(func $run (local $x i64) (local.set $x (i64.const -3)) (loop $again {} (br $again)))",
                "(local.set $x (i64.or (i64.div_u (local.get $x) (i64.const 7)) (i64.const 0x7000000000000000)))"
                    .repeat(1000)
            ),
        ),
        (
            "tables",
            "(table $t 5000 6000 funcref) (elem $e func $run) (func $run (loop $again
                (table.set $t (i32.const 7) (ref.func $run)) (drop (table.get $t (i32.const 7)))
                (table.init $t $e (i32.const 3) (i32.const 0) (i32.const 1))
                (table.fill $t (i32.const 0) (ref.null func) (i32.const 5000))
                (drop (table.grow $t (ref.null func) (i32.const 10)))
                (drop (table.size $t)) (br $again)))"
                .into(),
        ),
        (
            "segments that are dropped",
            "(table $t 10 10 funcref) (elem $e func $run) (func $run (loop $again (elem.drop $e) (br $again)))".into(),
        ),
        (
            "the size of memory",
            "(func $run (loop $again (br_if $again (memory.size)) (br $again)))".into(),
        ),
        (
            "memory that grows by nothing and by all",
            "(func $run (loop $again (drop (memory.grow (i32.const 0))) (drop (memory.grow (i32.const -1))) (br $again)))"
                .into(),
        ),
        (
            "a chain of a thousand functions",
            format!(
                "(func $run (loop $again (call $f0 (i32.const 1)) (br $again))) {} (func $f1000 (param i32))",
                functions(1000, &|i| format!("(func $f{i} (param i32) (call $f{} (local.get 0)))", i + 1))
            ),
        ),
        (
            "calls to itself",
            "(func $run (loop $again (call $down (i32.const 60)) (br $again)))
             (func $down (param i32) (br_if 0 (i32.le_s (local.get 0) (i32.const 0))) (call $down (i32.sub (local.get 0) (i32.const 1)))
                (call $down (i32.sub (local.get 0) (i32.const 2))))"
                .into(),
        ),
        (
            "a value that goes round",
            "(func $run (i64.const 0) (loop $again (param i64) (i64.const 1) (i64.add) (br $again)))".into(),
        ),
        (
            "a pointer that goes round",
            "(func $run (drop (i32.load (i32.const 8))) (i32.const 8)
                (loop $again (param i32) (result i32)
                (drop (i32.load)) (i32.const 8) (br $again)) (drop))"
                .into(),
        ),
        (
            "a selected address",
            "(func $run (local $p i32) (drop (i32.load (i32.const 8))) (loop $again
                (drop (i32.load (select (i32.const 8) (local.get $p) (i32.const 1))))
                (local.set $p (i32.add (local.get $p) (i32.const 4))) (br $again)))"
                .into(),
        ),
        (
            "a step that is masked away",
            "(func $run (local $p i32) (drop (i32.load (i32.const 0))) (loop $again
                (drop (i32.load (i32.and (i32.mul (local.get $p) (i32.const 4)) (i32.const 3))))
                (local.set $p (i32.add (local.get $p) (i32.const 4))) (br $again)))"
                .into(),
        ),
        (
            "vectors that are known",
            "(func $run (local $v v128) (local.set $v (v128.load (i32.const 16))) (loop $again
                (v128.store (i32.const 16) (local.get $v))
                (local.set $v (v128.load (i32.const 16))) (br $again)))"
                .into(),
        ),
    ]
}

/// Returns all modules that an engine can run, which never end in `mode` 1.
fn all(engine: Engine) -> Vec<(String, Parts)> {
    let mut all = fixtures::all();
    assert!(all.len() > 20);
    all.extend(more().into_iter().map(|(name, rest)| (name.to_owned(), parts(2, rest))));
    all.retain(|(_, parts)| engine.runs_simd() || !parts.rest.contains("v128"));
    // Without whole pages, accesses at the end of memory as the guest counts it are out of bounds.
    all.retain(|(_, parts)| engine.has_whole_pages() || !parts.rest.contains("(memory.size) (i32.const 65536)"));
    all
}

#[apply(on_each_engine)]
fn everything_is_stopped_whichever_way_it_is_called(engine: Engine) {
    let (all, next) = (all(engine), AtomicUsize::new(0));
    // Some have 256 MiB of memory, and WAMR's pool has room for only a few of those.
    let one_engine = large(engine);
    thread::scope(|scope| {
        for _ in 0..if one_engine.is_some() { 1 } else { 4 } {
            scope.spawn(|| {
                while let Some((name, parts)) = all.get(next.fetch_add(1, Relaxed)) {
                    let _patience = Patience::with(name.as_str());
                    stop(engine, name, parts);
                }
            });
        }
    });
}

/// Returns the result of a short call. The system may take the processor from the thread for longer than its one tick,
/// so the call is tried several times.
fn in_time(mut call: impl FnMut() -> Result<(), Error>) -> Result<(), KernelError> {
    let mut outcomes = (0..20).map(|_| outcome(call()));
    outcomes.find(|outcome| *outcome != Err(KernelError::EpochDeadline)).unwrap_or(Err(KernelError::EpochDeadline))
}

fn stop(engine: Engine, name: &str, parts: &Parts) {
    for &way in engine.interruptions() {
        let (_pack, kernel) = kernel(engine, parts, way);
        assert_eq!(kernel.interruption(), way, "{name}");
        let (x, mut y) = tensors();
        let mut bound = kernel.bind(args(&x, &mut y, 0)).unwrap();
        assert_eq!(bound.copied_bytes() == 0, engine.maps_tensors(), "{name} {way:?}");
        for round in 0..2 {
            let copied = outcome(kernel.call(args(&x, &mut y, 1)));
            assert_eq!(copied, Err(KernelError::EpochDeadline), "{name}, {way:?}, {round}");
            assert_eq!(in_time(|| kernel.call(args(&x, &mut y, 0))), Ok(()), "{name}, {way:?}, {round}");
            let mapped = outcome(bound.call(args(&x, &mut y, 1)));
            assert_eq!(mapped, Err(KernelError::EpochDeadline), "{name}, bound, {way:?}, {round}");
            assert_eq!(in_time(|| bound.call(args(&x, &mut y, 0))), Ok(()), "{name}, bound, {way:?}, {round}");
        }
    }
}
