//! A process that opens, uses and drops a pack a thousand times does not grow in memory, mappings, threads or open
//! files. The tests run one at a time in a program of their own, since the whole process is measured.
#![cfg(target_os = "linux")]

use std::{
    fs,
    sync::{Mutex, PoisonError},
};

use kernelpack_tests::{apply, engine::Engine, on_each_engine, pack::Copy};
use wat_kernel::{Parts, call};

#[expect(dead_code, reason = "the other tests use all of it")]
#[path = "end_to_end/wat_kernel.rs"]
mod wat_kernel;

/// The number of rounds before the first measurement, in which allocators and thread pools warm up.
const WARM_UP: u32 = 100;
const ROUNDS: u32 = 1000;

/// The resources of the process in which a leak would show.
#[derive(Debug)]
struct Usage {
    resident_kib: u64,
    mappings: usize,
    threads: usize,
    files: usize,
}

impl Usage {
    fn now() -> Self {
        let count = |dir: &str| fs::read_dir(dir).unwrap().count();
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        Self {
            resident_kib: line.trim().trim_end_matches(" kB").parse().unwrap(),
            mappings: fs::read_to_string("/proc/self/maps").unwrap().lines().count(),
            threads: count("/proc/self/task"),
            files: count("/proc/self/fd"),
        }
    }
}

#[apply(on_each_engine)]
fn opening_using_and_dropping_a_pack_leaves_nothing_behind(engine: Engine) {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // Mode 0 succeeds, 1 returns a status, 2 traps; the guest grows memory each time.
    let forward = "(drop (memory.grow (i32.const 1)))
        (if (i32.eq (local.get $mode) (i32.const 2)) (then unreachable))
        (local.get $mode)";
    let pack = engine.ready(Parts::forward(forward).pack());
    let rounds = |count| (0..count).for_each(|_| one_life(engine, &pack));
    rounds(WARM_UP);
    let before = Usage::now();
    rounds(ROUNDS);
    let after = Usage::now();
    println!("before {before:?}\nafter  {after:?}");
    // Leaking one page of memory per round would add 4000 KiB, and an instance or compiled code is larger than a page.
    assert!(after.resident_kib < before.resident_kib + 3000, "{before:?} became {after:?}");
    // Leaking one mapping in ten rounds would add a hundred.
    assert!(after.mappings < before.mappings + 50, "{before:?} became {after:?}");
    assert!(after.threads <= before.threads + 2, "{before:?} became {after:?}");
    assert!(after.files <= before.files + 2, "{before:?} became {after:?}");
}

/// Makes and drops a runtime and a pack, with calls that succeed, fail and trap.
fn one_life(engine: Engine, copy: &Copy) {
    let kernel = copy.open(engine).unwrap().kernel_named("wat_kernel").unwrap();
    call(&kernel, 0).unwrap();
    call(&kernel, 1).unwrap_err();
    call(&kernel, 2).unwrap_err();
    call(&kernel, 0).unwrap();
}
