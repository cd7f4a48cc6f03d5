//! Guests that trap, need too much or never end. The pool is per process, so the tests run one at a time.

use std::{
    fs,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use std::{sync::Arc, time::Duration};

use kernelpack_abi::ResourceLimits;
use kernelpack_engine::{Engine as _, Export, Instance as _, KernelError, LendMemory as _, Places};
use kernelpack_manifest::FEATURES;

use crate::{
    Execution, Wamr, WamrEngine,
    blocks::UNIT,
    engine::WITHOUT,
    instance::WamrInstance,
    vm::{Code, MOST_PAGES, Machine, PIECE},
};

/// Room for the largest of the hostile modules, which has 256 MiB of memory.
const POOL: usize = 320 << 20;
const FAST: Duration = Duration::from_millis(1);

/// Holds a lock, so that no other test starts the engine with a pool of another size.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Converts pages to pieces of memory growth.
fn pages(pages: u64) -> u64 {
    pages * 65536 / PIECE
}

fn engine(pool: usize) -> WamrEngine {
    Wamr::new().pool_bytes(pool).execution(Execution::Interpreted).tick(FAST).start_engine().unwrap()
}

fn code(engine: &WamrEngine, text: &str) -> Arc<Code> {
    Arc::new(Code::load(&engine.vm, &wat::parse_str(text).unwrap(), 100, 100).unwrap())
}

/// Returns an instance whose forward pass evaluates this body, with its argument in local 0.
fn instance(engine: &WamrEngine, fields: &str, body: &str, limits: ResourceLimits) -> WamrInstance {
    let text = format!(
        r#"(module (memory (export "memory") 1 100) {fields}
            (func (export "kernel_info") (param i32) (result i32) i32.const 0)
            (func $forward (export "kernel_forward") (param i32) (result i32) {body}))"#
    );
    let watchdog = engine.watchdog.as_ref();
    WamrInstance::new(&code(engine, &text), limits, engine.stack_bytes, watchdog).unwrap()
}

/// Returns the result of a forward pass with this body and the argument 0.
fn outcome(fields: &str, body: &str) -> Result<i32, KernelError> {
    let engine = engine(POOL);
    let mut instance = instance(&engine, fields, body, ResourceLimits::DEFAULT);
    instance.call(Export::Forward, 0, 1000).map_err(|stop| stop.error)
}

#[test]
fn traps_are_those_of_the_other_engine() {
    let _alone = alone();
    let out_of_bounds = KernelError::MemoryAccessViolation { offset: 0, size: 0 };
    let table = "(type $v (func)) (type $i (func (param i64))) (table 2 10 funcref) (func $f (type $v)) (elem (i32.const 0) $f)";
    for (fields, body, error) in [
        ("", "unreachable", KernelError::Unreachable),
        ("", "(i32.load (i32.const 65536))", out_of_bounds.clone()),
        ("", "(i32.load offset=4294967295 (i32.const -1))", out_of_bounds.clone()),
        ("", "(i64.store (i32.const 65529) (i64.const 0)) i32.const 0", out_of_bounds.clone()),
        ("", "(memory.fill (i32.const 65530) (i32.const 1) (i32.const 7)) i32.const 0", out_of_bounds.clone()),
        ("", "(memory.copy (i32.const 0) (i32.const 1) (i32.const 65536)) i32.const 0", out_of_bounds),
        ("", "(i32.div_s (i32.const 1) (local.get 0))", KernelError::IntegerDivisionByZero),
        ("", "(i32.rem_u (i32.const 1) (local.get 0))", KernelError::IntegerDivisionByZero),
        ("", "(i32.div_s (i32.const 0x80000000) (i32.const -1))", KernelError::IntegerOverflow),
        ("", "(i32.trunc_f32_s (f32.const nan))", KernelError::IntegerOverflow),
        ("", "(i32.trunc_f64_u (f64.const 1e10))", KernelError::IntegerOverflow),
        ("", "(call $forward (local.get 0))", KernelError::StackOverflow),
        (
            table,
            "(call_indirect (type $i) (i64.const 0) (i32.const 0)) i32.const 0",
            KernelError::IndirectCallTypeMismatch,
        ),
        (table, "(call_indirect (type $v) (i32.const 1)) i32.const 0", KernelError::IndirectCallTypeMismatch),
        (table, "(call_indirect (type $v) (i32.const 9)) i32.const 0", KernelError::IndirectCallTypeMismatch),
        (table, "(drop (table.get 0 (i32.const 10))) i32.const 0", KernelError::IndirectCallTypeMismatch),
    ] {
        assert_eq!(outcome(fields, body), Err(error), "{body}");
    }
    assert_eq!(outcome(table, "(call_indirect (type $v) (i32.const 0)) i32.const 5"), Ok(5));
}

#[test]
fn an_endless_loop_ends_at_its_deadline_and_its_instance_with_it() {
    let _alone = alone();
    let engine = engine(POOL);
    let body = "(loop (br_if 0 (local.get 0))) i32.const 7";
    let mut spinning = instance(&engine, "", body, ResourceLimits::DEFAULT);
    assert_eq!(spinning.call(Export::Forward, 0, 1000).unwrap(), 7);
    for _ in 0..2 {
        assert_eq!(spinning.call(Export::Forward, 1, 2).unwrap_err().error, KernelError::EpochDeadline);
        assert!(spinning.bytes(0..1).is_none());
    }
    let mut other = instance(&engine, "", body, ResourceLimits::DEFAULT);
    assert_eq!(other.call(Export::Forward, 0, 1000).unwrap(), 7);
}

#[test]
fn a_deadline_at_the_end_of_a_call_is_settled_one_way() {
    let _alone = alone();
    let engine = Wamr::new().pool_bytes(POOL).tick(Duration::from_micros(100)).start_engine().unwrap();
    let body = "(loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) i32.const 7";
    let (mut turns, mut ended, mut stopped) = (100, 0, 0);
    let mut running = None;
    while ended < 300 || stopped < 300 {
        let counting = running.get_or_insert_with(|| instance(&engine, "", body, ResourceLimits::DEFAULT));
        match counting.call(Export::Forward, turns, 0) {
            Ok(status) => {
                assert_eq!(status, 7);
                ended += 1;
                turns += turns / 16 + 1;
            }
            Err(stop) => {
                assert_eq!(stop.error, KernelError::EpochDeadline);
                stopped += 1;
                turns -= turns / 16;
                running = None;
            }
        }
    }
}

/// A `memory.fill` of all memory is one call into the C library. Its length is at most that of linear memory, which
/// limits by how much a call overruns its deadline.
#[test]
fn whatever_a_hostile_module_does_it_is_stopped() {
    let _alone = alone();
    let engine = engine(POOL);
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../tests/fixtures/hostile"].iter().collect();
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let code = Code::load(&engine.vm, &wat::parse_file(&path).unwrap(), 20_000, MOST_PAGES).unwrap();
        let mut machine = Machine::new(&Arc::new(code), Wamr::STACK_BYTES, MOST_PAGES, &[c"run"]).unwrap();
        let watch = engine.watchdog.as_ref().unwrap().watch(machine.brake());
        watch.arm(10);
        let result = machine.call(0, &[]);
        let stopped = !watch.disarm();
        assert!(stopped || result.is_err(), "{} returned", path.display());
        count += 1;
    }
    assert_eq!(count, 26);
}

#[test]
fn memory_ends_where_the_limits_or_the_module_say() {
    let _alone = alone();
    let engine = engine(POOL);
    let body = "(memory.grow (local.get 0))";
    let limits = ResourceLimits { max_memory_pages: 3, ..ResourceLimits::DEFAULT };
    let mut limited = instance(&engine, "", body, limits);
    assert_eq!(limited.call(Export::Forward, 3, 1000).unwrap(), -1);
    assert_eq!(limited.call(Export::Forward, 1, 1000).unwrap(), 1);
    assert_eq!(limited.memory_size(), 2 * 65536);
    assert!(!limited.grow(pages(2)));
    assert!(limited.grow(pages(1)));
    assert!(!limited.grow(1) && !limited.grow(u64::MAX) && !limited.grow(1 << 32));
    assert_eq!(limited.memory_size(), 3 * 65536);
    assert!(limited.bytes(0..3 * 65536).is_some() && limited.bytes(0..3 * 65536 + 1).is_none());

    // The host can grow the memory of a module that never grows it by itself.
    let mut quiet = instance(&engine, "", "(i32.load8_u (i32.const 6553599))", ResourceLimits::DEFAULT);
    assert!(!quiet.grow(pages(99) + 1) && quiet.grow(1) && quiet.grow(pages(99) - 1));
    quiet.bytes(6_553_599..6_553_600).unwrap()[0] = 9;
    assert_eq!(quiet.call(Export::Forward, 0, 1000).unwrap(), 9);
}

/// The guest counts whole pages, and accesses to the part of the last page that the host did not add are out of bounds.
#[test]
fn the_last_page_may_be_there_in_part() {
    let _alone = alone();
    let engine = engine(POOL);
    let pages_and_byte = "(i32.add (i32.shl (memory.size) (i32.const 8)) (i32.load8_u (local.get 0)))";
    let out_of_bounds = KernelError::MemoryAccessViolation { offset: 0, size: 0 };
    for pieces in [1, 3, pages(1) - 1, pages(1), pages(1) + 1] {
        let mut part = instance(&engine, "", pages_and_byte, ResourceLimits::DEFAULT);
        assert!(part.grow(pieces - 1) && part.grow(1));
        let (size, count) = (part.memory_size() as u32, part.memory_size().div_ceil(65536) as i32);
        assert_eq!((u64::from(size), count), (65536 + pieces * PIECE, 1 + pieces.div_ceil(pages(1)) as i32));
        part.bytes(size as usize - 1..size as usize).unwrap()[0] = 7;
        assert!(part.bytes(size as usize - 1..size as usize + 1).is_none());
        assert_eq!(part.call(Export::Forward, size - 1, 1000).unwrap(), (count << 8) + 7);
        assert_eq!(part.call(Export::Forward, size, 1000).unwrap_err().error, out_of_bounds);
    }

    // When the guest grows memory, all pages before become whole too.
    let body = "(i32.add (i32.shl (memory.grow (i32.const 1)) (i32.const 8)) (i32.load8_u (local.get 0)))";
    let mut grown = instance(&engine, "", body, ResourceLimits::DEFAULT);
    assert!(grown.grow(5));
    grown.bytes(65536..65537).unwrap()[0] = 9;
    assert_eq!(grown.call(Export::Forward, 65536, 1000).unwrap(), (2 << 8) + 9);
    assert_eq!(grown.memory_size(), 3 * 65536);
    assert!(grown.bytes(65536 + 5 * PIECE as usize..3 * 65536).unwrap().iter().all(|byte| *byte == 0));
}

#[test]
fn a_module_does_without_its_file_and_leaves_it_as_it_was() {
    let _alone = alone();
    let engine = engine(POOL);
    let module = wat::parse_str(
        r#"(module (memory (export "memory") 1 100) (global (export "__heap_base") i32 (i32.const 1024))
            (global (export "kernel_message") i32 (i32.const 512)) (table 4 funcref) (elem (i32.const 1) $forward)
            (data (i32.const 16) "active") (data $passive "passive")
            (func (export "kernel_info") (param i32) (result i32) i32.const 0)
            (func $forward (export "kernel_forward") (param i32) (result i32)
                (memory.init $passive (i32.const 32) (i32.const 0) (i32.const 7))
                (if (result i32) (local.get 0)
                    (then (call_indirect (param i32) (result i32) (i32.const 0) (i32.const 1)))
                    (else (f32.load (i32.const 16)) (drop) (i32.const 5)))))"#,
    )
    .unwrap();
    // Tries each alignment.
    for before in 0..4 {
        let mut file = vec![0; before];
        file.extend_from_slice(&module);
        let code = Arc::new(Code::load(&engine.vm, &file[before..], 100, 100).unwrap());
        assert!(file[before..] == module[..]);
        file.fill(0xFF);
        drop(file);
        for _ in 0..2 {
            let limits = ResourceLimits::DEFAULT;
            let mut instance = WamrInstance::new(&code, limits, engine.stack_bytes, engine.watchdog.as_ref()).unwrap();
            assert_eq!(instance.places(), Some(Places { heap_base: 1024, message: 512 }));
            assert_eq!(instance.call(Export::Forward, 1, 1000).unwrap(), 5);
            assert_eq!(instance.bytes(16..22).unwrap(), b"active");
            assert_eq!(instance.bytes(32..39).unwrap(), b"passive");
        }
    }
}

#[test]
fn the_pool_lends_what_it_has_and_gets_it_back() {
    let _alone = alone();
    let engine = engine(1 << 20);
    let before = engine.vm.used();
    let mut lent = engine.lend(900 << 10).unwrap();
    lent.as_mut().as_mut().fill(0xAA);
    assert!(engine.lend(200 << 10).is_none() && engine.lend(usize::MAX).is_none());
    drop(lent);
    assert_eq!(engine.vm.used(), before);
    let again = engine.lend(900 << 10).unwrap();
    assert!(again.as_ref().as_ref().iter().all(|byte| *byte == 0));
    // The instance outlives the engine, and so does the pool.
    drop(engine);
    assert_eq!(again.as_ref().as_ref().len(), 900 << 10);
}

#[test]
fn memory_is_zero_wherever_it_was_before() {
    let _alone = alone();
    let engine = engine(POOL);
    for _ in 0..3 {
        let mut first = instance(&engine, "", "i32.const 0", ResourceLimits::DEFAULT);
        let mut second = instance(&engine, "", "i32.const 0", ResourceLimits::DEFAULT);
        // The first instance has no room to grow in place.
        for instance in [&mut first, &mut second] {
            assert!(instance.grow(pages(2)));
            let bytes = instance.bytes(0..3 * 65536).unwrap();
            assert!(bytes.iter().all(|byte| *byte == 0));
            bytes.fill(0xAA);
        }
        assert!(first.grow(pages(1)));
        assert!(first.bytes(0..3 * 65536).unwrap().iter().all(|byte| *byte == 0xAA));
        assert!(first.bytes(3 * 65536..4 * 65536).unwrap().iter().all(|byte| *byte == 0));
    }
}

#[test]
fn tables_grow_to_the_limit_and_no_further() {
    let _alone = alone();
    let engine = engine(POOL);
    // 100 elements in total, see `code`.
    let one = "(table 10 funcref)";
    let grow = "(table.grow 0 (ref.null func) (local.get 0))";
    let instance_of = |fields| instance(&engine, fields, grow, ResourceLimits::DEFAULT);
    let mut limited = instance_of(one);
    assert_eq!(limited.call(Export::Forward, 91, 1000).unwrap(), -1);
    assert_eq!(limited.call(Export::Forward, 90, 1000).unwrap(), 10);
    assert_eq!(limited.call(Export::Forward, 1, 1000).unwrap(), -1);
    let mut declared = instance_of("(table 10 12 funcref)");
    assert_eq!(declared.call(Export::Forward, 3, 1000).unwrap(), -1);
    assert_eq!(declared.call(Export::Forward, 2, 1000).unwrap(), 10);
}

#[test]
fn the_pool_is_all_there_is_and_is_given_back() {
    let _alone = alone();
    let pool = 4 << 20;
    let engine = engine(pool);
    let refused = Wamr::new().pool_bytes(pool + UNIT).start_engine().map(drop).unwrap_err().to_string();
    assert!(refused.contains("4194304 bytes") && refused.contains("4194320"), "{refused}");
    let before = engine.vm.used();
    for _ in 0..3 {
        let mut all: Vec<_> = Vec::new();
        let text = r#"(module (memory (export "memory") 4 100))"#;
        let code = code(&engine, text);
        let made = || Machine::new(&code, Wamr::STACK_BYTES, 100, &[]);
        let refused = loop {
            match made() {
                Ok(machine) => all.push(machine),
                Err(refused) => break refused,
            }
        };
        assert!(all.len() > 10 && all.len() < 16, "{} {refused}", all.len());
        assert!(!all[0].grow(pages(90)));
        assert_eq!(all[0].memory_size(), 4 * 65536);
        drop(all);
        drop(code);
        assert_eq!(engine.vm.used(), before);
    }
    drop(engine);
    drop(Wamr::new().pool_bytes(1 << 20).start_engine().unwrap());
    let tiny = Wamr::new().pool_bytes(64).start_engine().map(drop).unwrap_err().to_string();
    assert!(tiny.contains("64 bytes is too small"), "{tiny}");
}

#[test]
fn instances_of_many_threads_do_not_disturb_each_other() {
    let _alone = alone();
    let engine = engine(POOL);
    let body = "(i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (local.get 0))) (i32.load (i32.const 8))";
    std::thread::scope(|scope| {
        for thread in 1..5 {
            let engine = &engine;
            scope.spawn(move || {
                for _ in 0..50 {
                    let mut instance = instance(engine, "", body, ResourceLimits::DEFAULT);
                    for call in 1..50 {
                        assert_eq!(instance.call(Export::Forward, thread, 1000).unwrap(), thread as i32 * call);
                    }
                }
            });
        }
    });
}

#[test]
fn simd_is_not_loaded() {
    let _alone = alone();
    let engine = engine(POOL);
    let text = "(module (func (param v128) (result v128) local.get 0 f32x4.neg))";
    assert!(Code::load(&engine.vm, &wat::parse_str(text).unwrap(), 0, 0).is_err());
    assert_eq!(engine.features().len(), FEATURES.len() - WITHOUT.len());
}

#[test]
fn an_empty_function_can_be_called() {
    let _alone = alone();
    engine(POOL).empty_function().unwrap().call(1000).unwrap();
}
