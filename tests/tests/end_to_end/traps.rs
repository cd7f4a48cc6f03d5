//! Every way in which a kernel can be stopped, each provoked by a hand-written module: the error's variant, its
//! location, and that the instance is discarded. WAMR gives the same variants, but no locations.

use kernelpack_host::{
    Error,
    error::{KernelError, KernelFailure},
};
use kernelpack_tests::{apply, engine::Engine, on_each_engine};

use crate::wat_kernel::{Parts, call};

/// A way to trap: the code that runs if `mode` is not 0, the other parts of the module that it needs, and the error.
struct Case {
    name: &'static str,
    rest: &'static str,
    then: &'static str,
    error: KernelError,
}

const fn case(name: &'static str, then: &'static str, error: KernelError) -> Case {
    Case { name, rest: "", then, error }
}

const OUT_OF_BOUNDS: KernelError = KernelError::MemoryAccessViolation { offset: 0, size: 0 };

const fn at(offset: u32) -> KernelError {
    KernelError::MemoryAccessViolation { offset, size: 0 }
}

const TABLE: &str =
    "(table $t 2 funcref) (elem (i32.const 0) $other) (func $other (param i64)) (type $f (func (param i32)))";
const MISTYPED: KernelError = KernelError::IndirectCallTypeMismatch;

fn cases() -> [Case; 24] {
    [
        case("spins", "(loop $spin (br $spin))", KernelError::EpochDeadline),
        case("loads", "(drop (i64.load offset=4 (i32.const 0x7fff0000)))", at(0x7fff_0004)),
        case("loads far", "(drop (i32.load (i32.const -4)))", at(0xffff_fffc)),
        case("loads a vector", "(drop (v128.load (i32.const 0x10000000)))", at(0x1000_0000)),
        case("stores", "(i32.store8 (i32.const 0x00800000) (i32.const 1))", at(0x0080_0000)),
        case("fills", "(memory.fill (i32.const 0) (i32.const 1) (i32.const -1))", OUT_OF_BOUNDS),
        case("copies", "(memory.copy (i32.const 0) (i32.const 4) (i32.const -1))", OUT_OF_BOUNDS),
        Case {
            rest: r#"(data $d "four")"#,
            ..case("initializes", "(memory.init $d (i32.const 0) (i32.const 2) (i32.const 3))", OUT_OF_BOUNDS)
        },
        case("divides", "(drop (i32.div_s (i32.const 1) (i32.const 0)))", KernelError::IntegerDivisionByZero),
        case("takes a remainder", "(drop (i64.rem_u (i64.const 1) (i64.const 0)))", KernelError::IntegerDivisionByZero),
        case("overflows", "(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))", KernelError::IntegerOverflow),
        case("converts a NaN", "(drop (i32.trunc_f32_s (f32.const nan)))", KernelError::IntegerOverflow),
        case("converts a large number", "(drop (i32.trunc_f64_u (f64.const 1e300)))", KernelError::IntegerOverflow),
        case("is unreachable", "unreachable", KernelError::Unreachable),
        Case {
            rest: "(func $deep (param i32) (result i32)
            (i32.add (i32.const 1) (call $deep (i32.add (local.get 0) (i32.const 1)))))",
            ..case("recurses", "(drop (call $deep (i32.const 0)))", KernelError::StackOverflow)
        },
        Case {
            rest: TABLE,
            ..case("calls another type", "(call_indirect (type $f) (i32.const 7) (i32.const 0))", MISTYPED)
        },
        Case { rest: TABLE, ..case("calls null", "(call_indirect (type $f) (i32.const 7) (i32.const 1))", MISTYPED) },
        Case { rest: TABLE, ..case("calls beyond", "(call_indirect (type $f) (i32.const 7) (i32.const 2))", MISTYPED) },
        Case {
            rest: TABLE,
            ..case("calls far beyond", "(call_indirect (type $f) (i32.const 7) (i32.const -1))", MISTYPED)
        },
        Case { rest: TABLE, ..case("gets beyond", "(drop (table.get $t (i32.const 2)))", MISTYPED) },
        Case { rest: TABLE, ..case("sets beyond", "(table.set $t (i32.const 9) (ref.null func))", MISTYPED) },
        Case {
            rest: TABLE,
            ..case("fills beyond", "(table.fill $t (i32.const 1) (ref.null func) (i32.const 2))", MISTYPED)
        },
        Case {
            rest: TABLE,
            ..case("copies beyond", "(table.copy $t $t (i32.const 0) (i32.const 1) (i32.const 2))", MISTYPED)
        },
        Case {
            rest: r#"(data $boom (i32.const 2048) "\04\00\00\00boom")"#,
            ..case(
                "panics",
                "(memory.copy (i32.const 1024) (i32.const 2048) (i32.const 8)) unreachable",
                KernelError::Other { message: String::new() },
            )
        },
    ]
}

fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

fn failure(result: Result<Vec<f32>, Error>) -> KernelFailure {
    match result {
        Err(Error::Kernel(trapped)) => *trapped,
        other => panic!("{other:?}"),
    }
}

#[apply(on_each_engine)]
fn every_trap_has_its_variant_its_place_and_an_instance_that_is_thrown_away(engine: Engine) {
    for Case { name, rest, then, error } in cases() {
        // An instance that is reused after a trap would be detected: the global is set before it.
        let rest = leak(format!("{rest} (global $stained (mut i32) (i32.const 0)) (func $fail {then})"));
        let forward = "(if (global.get $stained) (then (return (i32.const 5))))
            (if (local.get $mode) (then (global.set $stained (i32.const 1)) (call $fail)))
            i32.const 0";
        if then.contains("v128") && !engine.runs_simd() {
            continue;
        }
        let kernel = Parts { rest, forward, ..Parts::default() }.open(engine).kernel_named("wat_kernel").unwrap();
        let expected = match error {
            KernelError::Other { .. } => KernelError::Returned { code: 6, message: Some("boom".to_owned()) },
            KernelError::MemoryAccessViolation { offset, .. } => engine.violation(offset),
            error => error,
        };
        for _ in 0..3 {
            call(&kernel, 0).unwrap_or_else(|error| panic!("{name}: {error}"));
            let trapped = failure(call(&kernel, 1));
            assert_eq!(trapped.error, expected, "{name}");
            assert_eq!((&*trapped.kernel, &*trapped.pack), ("wat_kernel", "kernelpack-core-kernels"), "{name}");
            let frames = &trapped.backtrace.frames;
            if !engine.keeps_backtraces() {
                assert!(frames.is_empty(), "{name}: {}", trapped.backtrace);
                continue;
            }
            let names: Vec<Option<&str>> = frames.iter().map(|frame| frame.function.as_deref()).collect();
            let innermost = if name == "recurses" { "deep" } else { "fail" };
            assert_eq!(names[0], Some(innermost), "{name}: {}", trapped.backtrace);
            // For a stack overflow, the innermost frames are kept.
            assert!(name == "recurses" || names == [Some("fail"), Some("forward")], "{name}: {}", trapped.backtrace);
            assert!(frames.len() <= 20, "{name}: {}", trapped.backtrace);
            // A function without room for its frame has not reached an instruction yet.
            let begun = if name == "recurses" { &frames[1..] } else { &frames[..] };
            assert!(begun.iter().all(|frame| frame.module_offset.is_some()), "{name}: {}", trapped.backtrace);
        }
    }
}

#[apply(on_each_engine)]
fn a_stack_that_has_left_memory_is_told_from_other_accesses_out_of_bounds(engine: Engine) {
    const STACK: &str = "(global $sp (mut i32) (i32.const 4096))";
    let load = |address: &str| format!("(drop (i32.load (i32.const {address})))");
    let moved = |pointer: &str, then: &str| format!("(global.set $sp (i32.const {pointer})) {then}");
    let far = load("-16");
    let overflow = KernelError::StackOverflow;
    for (name, rest, then, error) in [
        ("wraps around", STACK, moved("-16", &far), overflow.clone()),
        ("uses the red zone", STACK, moved("64", &load("-64")), overflow.clone()),
        ("fills", STACK, moved("-16", "(memory.fill (i32.const -16) (i32.const 1) (i32.const 8))"), overflow),
        ("is within its stack", STACK, moved("1024", &far), engine.violation(0xffff_fff0)),
        ("is at its start", STACK, far.clone(), engine.violation(0xffff_fff0)),
        ("fails otherwise", STACK, moved("-16", "unreachable"), KernelError::Unreachable),
        ("has a variable", "(global $sp (mut i32) (i32.const 7))", moved("-16", &far), engine.violation(0xffff_fff0)),
        (
            "has two variables",
            "(global $sp (mut i32) (i32.const 4096)) (global (mut i32) (i32.const 4096))",
            moved("-16", &far),
            engine.violation(0xffff_fff0),
        ),
        (
            "has a variable of another type",
            "(global $sp (mut i64) (i64.const 4096))",
            format!("(global.set $sp (i64.const -16)) {far}"),
            engine.violation(0xffff_fff0),
        ),
    ] {
        let forward = leak(format!("(if (local.get $mode) (then {then})) i32.const 0"));
        let kernel = Parts { rest, forward, ..Parts::default() }.open(engine).kernel_named("wat_kernel").unwrap();
        for _ in 0..2 {
            call(&kernel, 0).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(failure(call(&kernel, 1)).error, error, "{name}");
        }
    }
}

#[apply(on_each_engine)]
fn every_status_arrives_with_its_code(engine: Engine) {
    let forward = "(if (result i32) (i32.eqz (local.get $mode)) (then (i32.const 0)) (else (local.get $mode)))";
    let kernel = Parts::forward(forward).open(engine).kernel_named("wat_kernel").unwrap();
    let words = [
        "INVALID_INPUT (1)",
        "INVALID_OUTPUT (2)",
        "INVALID_PARAMS (3)",
        "OUT_OF_MEMORY (4)",
        "NOT_IMPLEMENTED (5)",
        "INTERNAL_ERROR (6)",
    ];
    for (code, words) in (1..).zip(words) {
        let trapped = failure(call(&kernel, code));
        assert_eq!(trapped.error, KernelError::Returned { code: code as u32, message: None });
        assert!(trapped.to_string().ends_with(&format!(": it failed with {words}")), "{trapped}");
        assert!(trapped.backtrace.frames.is_empty(), "it returned by itself");
        assert_eq!(trapped.error.is_refusal(), code <= 3);
    }
    for code in [7, -1, i32::MIN] {
        let trapped = failure(call(&kernel, code));
        assert_eq!(trapped.error, KernelError::Returned { code: code as u32, message: None });
        assert_eq!(trapped.error.kind(), "unknown_status");
    }
    call(&kernel, 0).unwrap();
}
