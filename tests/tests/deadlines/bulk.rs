//! Compares bulk instructions, which engines execute in pieces, with loops in the guest.

use kernelpack_abi::{KernelSpec, ResourceLimits};
use kernelpack_tests::{apply, engine::Engine, on_each_engine};

use crate::{args, fixtures::parts, kernel, large, outcome, tensors};

/// `$try` moves bytes up by a distance and down again, and fills them; it traps if a result is wrong.
const FUNCTIONS: &str = "
    (func $byte (param $i i32) (result i32)
        (i32.shr_u (i32.mul (local.get $i) (i32.const 0x9e3779b1)) (i32.const 24)))
    (func $scatter (param $from i32) (param $size i32) (local $i i32)
        (loop $next
            (i32.store8 (i32.add (local.get $from) (local.get $i)) (call $byte (local.get $i)))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $i) (local.get $size)))))
    (func $same (param $from i32) (param $first i32) (param $size i32) (local $i i32)
        (block $end (loop $next
            (br_if $end (i32.ge_u (local.get $i) (local.get $size)))
            (if (i32.ne (i32.load8_u (i32.add (local.get $from) (local.get $i)))
                    (call $byte (i32.add (local.get $first) (local.get $i))))
                (then unreachable))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br $next))))
    (func $all (param $from i32) (param $byte i32) (param $size i32) (local $i i32)
        (block $end (loop $next
            (br_if $end (i32.ge_u (local.get $i) (local.get $size)))
            (if (i32.ne (i32.load8_u (i32.add (local.get $from) (local.get $i))) (local.get $byte)) (then unreachable))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br $next))))
    (func $try (param $size i32) (param $distance i32) (local $end i32)
        (local.set $end (i32.add (local.get $size) (local.get $distance)))
        (call $scatter (i32.const 8191) (i32.add (local.get $end) (i32.const 1)))
        (memory.copy (i32.add (i32.const 8191) (local.get $distance)) (i32.const 8191) (local.get $size))
        (call $same (i32.add (i32.const 8191) (local.get $distance)) (i32.const 0) (local.get $size))
        (call $same (i32.const 8191) (i32.const 0) (local.get $distance))
        (call $same (i32.add (i32.const 8191) (local.get $end)) (local.get $end) (i32.const 1))
        (call $scatter (i32.const 8191) (i32.add (local.get $end) (i32.const 1)))
        (memory.copy (i32.const 8191) (i32.add (i32.const 8191) (local.get $distance)) (local.get $size))
        (call $same (i32.const 8191) (local.get $distance) (local.get $size))
        (call $same (i32.add (i32.const 8191) (local.get $size)) (local.get $size) (i32.add (local.get $distance) (i32.const 1)))
        (memory.fill (i32.const 8191) (i32.const 0x1a5) (local.get $size))
        (call $all (i32.const 8191) (i32.const 0xa5) (local.get $size))
        (call $same (i32.add (i32.const 8191) (local.get $size)) (local.get $size) (i32.add (local.get $distance) (i32.const 1))))
    (data $bytes \"0123456789\")
    (table $t 3 funcref) (elem $e func $byte $byte)";

/// Bulk instructions on zero bytes at the end of memory as the guest counts it.
const AT_THE_END: &str = "
    (memory.copy (i32.mul (memory.size) (i32.const 65536)) (i32.mul (memory.size) (i32.const 65536)) (i32.const 0))
    (memory.fill (i32.mul (memory.size) (i32.const 65536)) (i32.const 0) (i32.const 0))";

/// The other bulk instructions, up to the ends of segments and tables.
const SEGMENTS: &str = "
    (memory.init $bytes (i32.const 0xfffff6) (i32.const 0) (i32.const 10))
    (if (i64.ne (i64.load (i32.const 0xfffff8)) (i64.const 0x3938373635343332)) (then unreachable))
    (table.init $t $e (i32.const 1) (i32.const 0) (i32.const 2))
    (table.copy $t $t (i32.const 0) (i32.const 1) (i32.const 2))
    (table.fill $t (i32.const 2) (ref.null func) (i32.const 1))
    (if (i32.or (ref.is_null (table.get $t (i32.const 1))) (i32.eqz (ref.is_null (table.get $t (i32.const 2)))))
        (then unreachable))";

#[apply(on_each_engine)]
fn large_and_small_ranges_are_copied_and_filled_as_they_should(engine: Engine) {
    let mut run = String::new();
    for size in [0, 1, 255, 256, 257, 1000, 131_072, 131_073, 400_000] {
        for distance in [0, 1, 300, 131_071, 131_073] {
            // Disjoint ranges are a plain copy.
            if distance <= size + 300 {
                run += &format!("(call $try (i32.const {size}) (i32.const {distance}))");
            }
        }
    }
    let at_the_end = if engine.has_whole_pages() { AT_THE_END } else { "" };
    let mut parts = parts(256, format!("{FUNCTIONS} (func $run {at_the_end} {SEGMENTS} {run})"));
    let limits = ResourceLimits { max_epoch_ticks: 1000, ..parts.spec.limits };
    parts.spec = KernelSpec { limits, ..parts.spec };
    let _one_engine = large(engine);
    for &way in engine.interruptions() {
        let (_pack, kernel) = kernel(engine, &parts, way);
        let (x, mut y) = tensors();
        assert_eq!(outcome(kernel.call(args(&x, &mut y, 1))), Ok(()), "{way:?}");
    }
}
