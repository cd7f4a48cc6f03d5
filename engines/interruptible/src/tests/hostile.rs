//! Modules that try to run without accessing memory: each is compiled and run, and its memory is made inaccessible
//! meanwhile.

#![allow(unsafe_code, reason = "nothing else takes a page away")]

use std::{
    env, fs,
    path::PathBuf,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use rustix::mm::{MprotectFlags, mprotect};
use wasmtime::{Config, Engine, Instance, Module, OptLevel, Store, Trap};

use super::{make, parse};

fn all() -> Vec<(String, Vec<u8>)> {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../tests/fixtures/hostile"].iter().collect();
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "wat") {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            all.push((name, parse(&fs::read_to_string(&path).unwrap())));
        }
    }
    all.sort();
    all
}

fn engine(epochs: bool) -> Engine {
    let mut config = Config::new();
    config.cranelift_opt_level(OptLevel::Speed);
    config.compiler_inlining(wasmtime::Inlining::No);
    config.memory_reservation(1 << 32);
    config.memory_guard_size(1 << 16);
    config.memory_init_cow(false);
    config.epoch_interruption(epochs);
    Engine::new(&config).unwrap()
}

/// Calls `run`, makes the memory inaccessible while it runs, and, with epochs, ends the epoch later.
fn stop(engine: &Engine, wasm: &[u8], epochs: bool) -> Trap {
    let module = Module::new(engine, wasm).unwrap();
    let mut store = Store::new(engine, ());
    if epochs {
        store.set_epoch_deadline(1);
    }
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let memory = instance.get_memory(&mut store, "memory").unwrap();
    let (base, size) = (memory.data_ptr(&store) as usize, memory.data_size(&store));
    let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
    let (sender, result) = mpsc::channel();
    thread::spawn(move || _ = sender.send(run.call(&mut store, ()).map_err(|error| error.downcast::<Trap>())));
    // Usually long enough for the guest to start, which makes the test stronger but is not required.
    let early = result.recv_timeout(Duration::from_millis(20));
    assert!(early.is_err(), "it does not run on: {early:?}");
    // SAFETY: the range is the instance's memory, which exists as long as the store, and the store is dropped when the
    // call ends, which it does not while the guest runs. Only the guest accesses it meanwhile, and Wasmtime handles its
    // faults.
    unsafe { mprotect(base as *mut _, size, MprotectFlags::empty()) }.unwrap();
    if epochs {
        thread::sleep(Duration::from_millis(50));
        engine.increment_epoch();
    }
    match result.recv_timeout(Duration::from_secs(120)) {
        Ok(Err(Ok(trap))) => trap,
        other => panic!("the guest does not stop: {other:?}"),
    }
}

#[test]
fn everything_stops_when_its_memory_is_gone() {
    let (engine, all) = (engine(false), all());
    assert!(all.len() > 20);
    thread::scope(|scope| {
        for (name, wasm) in all {
            let engine = &engine;
            scope.spawn(move || {
                let made = make(&wasm).unwrap_or_else(|reason| panic!("{name}: {reason}"));
                assert_eq!(stop(engine, &made.wasm, false), Trap::MemoryOutOfBounds, "{name}");
            });
        }
    });
}

/// Without touches these modules keep running, even with epoch checks in their loops. This shows that the other tests
/// can fail.
#[test]
fn as_they_are_they_run_on() {
    const THEY: [&str; 5] = ["access_in_inner", "call_tree", "empty_loop", "indirect_tree", "mutual_recursion"];
    let engine = engine(true);
    let all = all();
    for name in THEY {
        let (_, wasm) = all.iter().find(|(found, _)| found == name).unwrap();
        assert_eq!(stop(&engine, wasm, true), Trap::Interrupt, "{name}");
    }
}

/// Like the previous test, but without epoch checks, so that Cranelift removes even accesses in loops. Nothing can then
/// stop the guest, so each module runs in a process of its own, which is killed.
#[cfg(target_os = "linux")]
#[test]
fn as_they_are_nothing_stops_them_or_the_host_dies() {
    const FIXTURE: &str = "KERNELPACK_TEST_RUNS_ON";
    const THEY: [&str; 8] = [
        "access_in_outer",
        "invariant_load",
        "last_loop",
        "never_assigned",
        "no_way_back",
        "step_passed_by",
        "times_zero",
        "trap_before_way_back",
    ];
    if let Some(name) = env::var_os(FIXTURE) {
        let all = all();
        let (_, wasm) = all.iter().find(|(found, _)| Some(found.as_str()) == name.to_str()).unwrap();
        stop(&engine(false), wasm, false);
        return;
    }
    let start = |name: &str| {
        Command::new(env::current_exe().unwrap())
            .args(["--exact", "tests::hostile::as_they_are_nothing_stops_them_or_the_host_dies"])
            .env(FIXTURE, name)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    // Returns whether a fixture keeps running once its memory is inaccessible.
    let runs_on = |name: &str| {
        let mut child = start(name);
        // The limit is in processor time: ten times what it takes to compile the guest, run it for a moment and stop
        // it.
        while busy(child.id()).is_some_and(|hundredths| hundredths < 50) {
            thread::sleep(Duration::from_millis(10));
        }
        let ended = child.try_wait().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        ended.is_none()
    };
    for name in THEY {
        // A child that did not start in time on a busy machine proves nothing.
        assert!((0..5).any(|_| runs_on(name)), "{name} stops as it is");
    }
    for name in ["copy_everything", "fill_everything"] {
        let signal = std::os::unix::process::ExitStatusExt::signal(&start(name).wait().unwrap());
        assert_eq!(signal, Some(11), "{name} leaves the host alive");
    }
}

/// Returns the hundredths of a second that a process has run; `None` once it has ended.
#[cfg(target_os = "linux")]
fn busy(process: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    (fields[0] != "Z").then(|| fields[11].parse().ok())?
}
