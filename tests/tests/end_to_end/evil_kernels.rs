//! Kernels written to attack their host, in the pack of `tests/fixtures/evil`. After each attack the caller's tensors
//! are unchanged, and a well-behaved kernel of the same pack still gives right results.

use std::time::{Duration, Instant};

use kernelpack_abi::{TensorView, TensorViewMut};
use kernelpack_fixture_evil as evil;
use kernelpack_host::{
    Error, Pack, Runtime,
    error::{BadCall, KernelError},
    policy::{BreakerPolicy, FallbackPolicy},
};
use kernelpack_tests::{apply, engine::Engine, on_each_engine};

/// The caller's input, and the output's previous content.
const X: [u32; 8] = [1, 2, 3, 4, 5, 6, 7, 8];
const Y: [u32; 8] = [77; 8];

/// Returns a runtime that only uses the sandbox: natively, these kernels would attack this process.
fn runtime(engine: Engine) -> Runtime {
    engine.builder().fallback(FallbackPolicy::Never).breaker(BreakerPolicy::Never).build().unwrap()
}

fn open(engine: Engine) -> Pack {
    runtime(engine).open(engine.fixture("evil")).unwrap()
}

/// Calls a kernel of the pack in a mode, checks the caller's tensors afterwards, and returns the output.
macro_rules! attack {
    ($pack:expr, $kernel:ident, $mode:expr) => {
        attack!($pack, $kernel, $mode, X, Y)
    };
    ($pack:expr, $kernel:ident, $mode:expr, $x:expr, $y:expr) => {{
        let pack: &Pack = &$pack;
        let kernel = pack.kernel::<evil::$kernel::Kernel>().unwrap();
        let (x, mut y) = ($x, $y);
        let args = evil::$kernel::Args::new(view(&x), view_mut(&mut y));
        let result = kernel.call(evil::$kernel::Args { mode: $mode, ..args });
        assert_eq!(x, $x, "the input is what it was");
        assert!(result.is_ok() || y == $y, "a call that failed has written {y:?}");
        assert_behaves(pack);
        result.map(|()| y)
    }};
}

fn view(x: &[u32]) -> TensorView<'_, u32> {
    TensorView::new(x, &[x.len()]).unwrap()
}

fn view_mut(y: &mut [u32]) -> TensorViewMut<'_, u32> {
    let len = y.len();
    TensorViewMut::new(y, &[len]).unwrap()
}

#[track_caller]
fn assert_behaves(pack: &Pack) {
    let mut y = Y;
    let kernel = pack.kernel::<evil::behaves::Kernel>().unwrap();
    kernel.call(evil::behaves::Args::new(view(&X), view_mut(&mut y))).unwrap();
    assert_eq!(y, X.map(|x| 2 * x + 1));
}

/// Returns the kernel's error, if the kernel failed.
#[track_caller]
fn trap(result: Result<[u32; 8], Error>) -> KernelError {
    match result {
        Err(Error::Kernel(trapped)) => {
            let text = trapped.to_string();
            assert!(text.starts_with("kernel \"") && text.contains("of pack \"kernelpack-fixture-evil\""), "{text}");
            trapped.error
        }
        Err(other) => panic!("not the kernel's fault: {other}"),
        Ok(y) => panic!("the call succeeded: {y:?}"),
    }
}

/// Checks that a spinning call takes at least its budget of three ticks, minus the tick in progress at its start. No
/// upper bound would hold on a slow machine.
fn after_its_budget<R>(f: impl FnOnce() -> R) -> R {
    let start = Instant::now();
    let result = f();
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(29), "it was stopped after {took:?}, before its 3 ticks of 10 ms were over");
    result
}

#[apply(on_each_engine)]
fn spinning_is_stopped_wherever_it_happens(engine: Engine) {
    let pack = open(engine);
    for mode in [1, 2, 1] {
        let result = after_its_budget(|| attack!(pack, spins, mode));
        assert_eq!(trap(result), KernelError::EpochDeadline, "mode {mode}");
        assert_eq!(attack!(pack, spins, 0).unwrap(), X);
    }
    let kernel = pack.kernel::<evil::spins::Kernel>().unwrap();
    for _ in 0..2 {
        let mut dx = Y;
        let args = evil::spins_backward::Args::new(view(&X), view_mut(&mut dx));
        let result = after_its_budget(|| kernel.backward(args));
        assert_eq!(trap(result.map(|()| dx)), KernelError::EpochDeadline);
        assert_eq!(dx, Y);
    }
    assert_eq!(attack!(pack, spins, 0).unwrap(), X);

    // Each call tries again to make an instance whose `init` fails.
    for _ in 0..2 {
        let result = after_its_budget(|| attack!(pack, spins_in_init, 0));
        assert_eq!(trap(result), KernelError::EpochDeadline);
    }
    // The caller's own budget also covers `init`.
    let kernel = pack.kernel::<evil::spins_in_init::Kernel>().unwrap().with_budget(Duration::from_millis(10));
    let mut y = Y;
    let hasty = kernel.call(evil::spins_in_init::Args::new(view(&X), view_mut(&mut y)));
    assert_eq!(trap(hasty.map(|()| y)), KernelError::EpochDeadline);

    // Cleanup is not part of a call, and many instances share one budget when a pack is dropped.
    let kernel = pack.kernel::<evil::spins_in_cleanup::Kernel>().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut y = Y;
                kernel.call(evil::spins_in_cleanup::Args::new(view(&X), view_mut(&mut y))).unwrap();
                assert_eq!(y, X);
            });
        }
    });
    assert_behaves(&pack);
    drop((kernel, pack));
}

#[apply(on_each_engine)]
fn writing_outside_of_tensors_reaches_the_kernels_own_memory_only(engine: Engine) {
    let pack = open(engine);
    // A kernel may overwrite its own memory; the caller does not notice, and the instance is laid out again.
    for mode in [1, 2, 3] {
        for _ in 0..2 {
            match attack!(pack, scribbles, mode) {
                // The kernel writes up to the end of its last page, part of which is missing.
                Err(error) if mode == 3 && !engine.has_whole_pages() => {
                    assert_eq!(trap(Err(error)), engine.violation(0))
                }
                result => assert_eq!(result.unwrap(), X, "mode {mode}"),
            }
            assert_eq!(attack!(pack, scribbles, 0).unwrap(), X, "after mode {mode}");
        }
    }
    // A kernel may overwrite its own stack and data too, which can only break the kernel itself.
    for _ in 0..2 {
        match attack!(pack, scribbles, 4) {
            Ok(y) => assert_eq!(y, X),
            Err(error) => assert!(matches!(error, Error::Kernel(_)), "{error}"),
        }
    }
    for mode in [5, 6, 5, 6] {
        let KernelError::MemoryAccessViolation { offset, size: 0 } = trap(attack!(pack, scribbles, mode)) else {
            panic!("mode {mode}")
        };
        match mode {
            // WAMR does not report the address.
            _ if engine != Engine::Wasmtime => assert_eq!(offset, 0),
            5 => assert!(offset >= 0x20000 && offset.is_multiple_of(65536), "the end of memory is not {offset:#x}"),
            // If the compiler sees that an access always traps, no address is reported.
            _ => assert!(offset == 0 || offset >= 0xffff_ffc0, "{offset:#x}"),
        }
        assert_eq!(attack!(pack, scribbles, 0).unwrap(), X);
    }
}

#[apply(on_each_engine)]
fn every_way_to_fail_leaves_the_outputs_alone(engine: Engine) {
    let pack = open(engine);
    let said = |code, message: &str| KernelError::Returned { code, message: Some(message.to_owned()) };
    for _ in 0..2 {
        assert_eq!(attack!(pack, spoils, 0).unwrap(), X);
        for (mode, word) in (1..=6).zip(["one", "two", "three", "four", "five", "six"]) {
            assert_eq!(trap(attack!(pack, spoils, mode)), said(mode, word));
        }
        for (mode, words) in [(7, "seven"), (8, "attempt to divide by zero"), (9, "index out of bounds")] {
            let KernelError::Returned { code: 6, message: Some(message) } = trap(attack!(pack, spoils, mode)) else {
                panic!("mode {mode}")
            };
            assert!(message.starts_with("panicked at ") && message.contains(words), "{message}");
        }
        assert_eq!(trap(attack!(pack, spoils, 10)), KernelError::Unreachable);
        // A kernel that succeeds may return anything: NaNs, and what the instance held before.
        let y = attack!(pack, spoils, 11).unwrap();
        assert!(y.iter().step_by(2).all(|&y| f32::from_bits(y).is_nan()), "{y:?}");
    }
}

#[apply(on_each_engine)]
fn messages_are_bounded_made_text_and_never_another_calls(engine: Engine) {
    let pack = open(engine);
    for mode in [1, 2] {
        let error = attack!(pack, shouts, mode).unwrap_err();
        let text = error.to_string();
        // Neither control characters nor characters that reverse text or start a line reach a terminal or a log.
        let tricks = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2028}' | '\u{2029}');
        assert!(!text.contains(tricks) && text.contains("owned") && text.contains("level=info ok"), "{text:?}");
        // The error value contains exactly what the kernel wrote.
        let (code, word) = if mode == 1 { (1, "INVALID_INPUT (1)") } else { (6, "INTERNAL_ERROR (6)") };
        assert!(text.contains(word), "{text:?}");
        let KernelError::Returned { code: found, message: Some(message) } = trap(Err(error)) else { panic!() };
        assert!(found == code && message.starts_with("\u{1b}]0;owned\u{7}"), "{message:?}");
    }
    let forged = |mode| match trap(attack!(pack, shouts, mode)) {
        KernelError::Returned { code: 6, message: Some(message) } => message,
        other => panic!("{other}"),
    };
    assert_eq!(forged(3), "\u{fffd}".repeat(256));
    assert_eq!(forged(4), "é".repeat(127) + "\u{fffd}");
    for call in 0..3 {
        let message = Some(format!("call {call}"));
        assert_eq!(trap(attack!(pack, shouts, 5)), KernelError::Returned { code: 1, message });
    }
    // A message next to a success is ignored, and the next failure does not inherit it.
    assert_eq!(attack!(pack, shouts, 6).unwrap(), X);
    assert_eq!(trap(attack!(pack, shouts, 7)), KernelError::Unreachable);
}

#[apply(on_each_engine)]
fn memory_and_stack_end_at_their_limits(engine: Engine) {
    let pack = open(engine);
    for _ in 0..2 {
        assert_eq!(attack!(pack, hoards, 0).unwrap(), X);
        let KernelError::Returned { code: 4, message: Some(message) } = trap(attack!(pack, hoards, 1)) else {
            panic!("no status")
        };
        // Of its 64 pages, those that it declares and those of the call itself cannot be taken.
        let pages: u32 = message.split(' ').next().unwrap().parse().unwrap();
        assert!((20..64).contains(&pages), "{message}");
        // The next call gets an instance without room, or a new one.
        assert_eq!(attack!(pack, hoards, 2).unwrap(), X);
        assert_eq!(attack!(pack, hoards, 0).unwrap(), X);
        let failed = trap(attack!(pack, hoards, 3));
        assert!(matches!(failed, KernelError::Unreachable | KernelError::Returned { code: 6, .. }), "{failed}");
    }
    // The memory reserved before `init` still has room for small calls; larger ones are refused.
    for _ in 0..2 {
        assert_eq!(attack!(pack, hoards_in_init, 0).unwrap(), X);
        let refused = attack!(pack, hoards_in_init, 0, [1; 1 << 15], [77; 1 << 15]).unwrap_err();
        let no_room = matches!(&refused, Error::BadCall(bad) if matches!(**bad, BadCall::TooLarge { limit: 64, .. }));
        assert!(no_room, "{refused}");
        assert!(
            refused.to_string().contains("ask the kernel's author to raise max_memory_pages in #[kernel]"),
            "{refused}"
        );
    }
    for _ in 0..2 {
        // Either the stack in linear memory or the engine's overflows. The former is small in modules without SIMD.
        assert_eq!(trap(attack!(pack, recurses, 1)), KernelError::StackOverflow);
        assert_eq!(trap(attack!(pack, recurses, 2)), KernelError::StackOverflow);
        assert_eq!(attack!(pack, recurses, 0).unwrap(), X);
    }
}

/// Asserts that the kernel searched all of its memory and found nothing.
#[track_caller]
fn assert_deaf(engine: Engine, heard: Result<[u32; 8], Error>) {
    match heard {
        // The search goes to the end of the last page, part of which is missing.
        Err(error) if !engine.has_whole_pages() => assert_eq!(trap(Err(error)), engine.violation(0)),
        heard => assert_eq!(heard.unwrap(), [0; 8]),
    }
}

#[apply(on_each_engine)]
fn nothing_leaks_but_within_one_instance(engine: Engine) {
    let secret: [u32; 8] = [0x5EC2_E701, 0x0DDB_A115, 0xC0FF_EE11, 0xFACE_FEED, 0x0BAD_F00D, 0x1CEB_00DA, 7, 8];
    let question = secret.map(|word| !word);
    let pack = open(engine);
    assert_eq!(attack!(pack, whispers, 0, secret, Y).unwrap(), secret);
    // DESIGN.md admits that a reused instance may remember. This also shows that the search works.
    let heard = attack!(pack, whispers, 1, question, Y).unwrap();
    assert!(heard[0] > 0, "the kernel does not find what it kept itself");

    // Another kernel of the pack, another pack and another runtime find nothing.
    assert_deaf(engine, attack!(pack, overhears, 1, question, Y));
    let runtime = runtime(engine);
    for other in [runtime.open(engine.fixture("evil")).unwrap(), open(engine)] {
        assert_deaf(engine, attack!(other, whispers, 1, question, Y));
        assert_deaf(engine, attack!(other, overhears, 1, question, Y));
    }
    // An instance that replaces one which trapped finds nothing either.
    assert_eq!(trap(attack!(pack, whispers, 2)), KernelError::Unreachable);
    assert_deaf(engine, attack!(pack, whispers, 1, question, Y));
    // Memory that former instances used is empty for the next one.
    for _ in 0..20 {
        attack!(pack, whispers, 0, secret, Y).unwrap();
        assert_eq!(trap(attack!(pack, whispers, 2)), KernelError::Unreachable);
    }
    assert_deaf(engine, attack!(pack, whispers, 1, question, Y));
}
