//! Stops work that the host does for straight-line code, which has no branch, loop or call where engines check for a
//! stop.

use std::time::{Duration, Instant};

use kernelpack_abi::{KernelSpec, ResourceLimits};
use kernelpack_host::error::KernelError;
use kernelpack_tests::{apply, engine::Engine, on_each_engine};

use crate::{
    Patience, args,
    fixtures::parts,
    large, outcome, runtime,
    stub::{Forward, honest},
    tensors,
    wat_kernel::Parts,
};

/// The number of repetitions, with which a call without a deadline takes minutes.
const TIMES: usize = 4000;

/// The number of pages that are filled or copied: 256 MiB.
const PAGES: u32 = 4096;

/// The number of a table's elements; more than hosts allow by default.
const ELEMENTS: u32 = 10_000_000;

fn straight(instructions: &str, times: usize, table: bool) -> Parts {
    let table = if table { format!("(table $t {ELEMENTS} {ELEMENTS} funcref)") } else { String::new() };
    // LLVM does not know this size; otherwise it would remove a fill that another one covers.
    let size = "(global $size (mut i32) (i32.const 268435456))";
    let mut parts = parts(PAGES, format!("{size} {table} (func $run {})", instructions.repeat(times)));
    parts.spec =
        KernelSpec { limits: ResourceLimits { max_table_elements: ELEMENTS, ..parts.spec.limits }, ..parts.spec };
    parts
}

fn stopped(engine: Engine, what: &str, parts: &Parts) {
    let _one_engine = large(engine);
    for &way in engine.interruptions() {
        let _patience = Patience::with(format!("{what} on {engine:?}, {way:?}"));
        let pack = engine.ready(honest(parts));
        let runtime = runtime(engine, way).max_table_elements(ELEMENTS).build().unwrap();
        let kernel = runtime.open(pack.path()).unwrap().kernel::<Forward>().unwrap();
        let (x, mut y) = tensors();
        for _ in 0..2 {
            let begun = Instant::now();
            assert_eq!(outcome(kernel.call(args(&x, &mut y, 1))), Err(KernelError::EpochDeadline), "{what}, {way:?}");
            // The limit is a twentieth of the time without a deadline, and hundreds of ticks; the budget is one tick.
            assert!(begun.elapsed() < Duration::from_secs(5), "{what}, {way:?}: {:?}", begun.elapsed());
        }
    }
}

#[apply(on_each_engine)]
fn memory_that_is_written_in_a_straight_line_is_left_alone_soon(engine: Engine) {
    let fill = "(memory.fill (i32.const 0) (i32.const 1) (global.get $size))";
    let copies = "(memory.copy (i32.const 0) (i32.const 9) (i32.const 268435440))
        (memory.copy (i32.const 9) (i32.const 0) (i32.const 268435440))";
    for (what, parts) in [("fills", straight(fill, TIMES, false)), ("copies", straight(copies, TIMES / 2, false))] {
        stopped(engine, what, &parts);
    }
}

#[apply(on_each_engine)]
fn tables_that_are_written_in_a_straight_line_are_left_alone_soon(engine: Engine) {
    let fill = format!("(table.fill $t (i32.const 0) (ref.null func) (i32.const {ELEMENTS}))");
    let copy = format!("(table.copy $t $t (i32.const 1) (i32.const 0) (i32.const {}))", ELEMENTS - 1);
    for (what, instruction) in [("fills of a table", fill), ("copies of a table", copy)] {
        stopped(engine, what, &straight(&instruction, TIMES, true));
    }
}

#[apply(on_each_engine)]
fn tables_that_one_instruction_works_on_for_long_take_a_host_that_allows_them(engine: Engine) {
    let pack = engine.ready(honest(&straight("", 1, true)));
    let refused = engine.builder().build().unwrap().open(pack.path()).unwrap_err().to_string();
    assert!(refused.contains("starts with 10000000 table elements, but this runtime allows 262144"), "{refused}");
    engine.builder().max_table_elements(ELEMENTS).build().unwrap().open(pack.path()).unwrap();
}
