//! Tests the limits of what a signer can make compiling cost: memory and time stay bounded for the largest modules.

use std::{env, fs, process::Command};

use kernelpack_manifest::required_features;
use kernelpack_tests::{
    bombs::{BOMBS, Bomb},
    engine::Engine,
};

/// The most memory that opening one module may take, in MiB, not counting the process's memory before. DESIGN.md states
/// it.
const CEILING_MIB: u64 = 256;

/// Processor time in seconds after which the system ends a process that opens one module: ten times what DESIGN.md
/// says, since machines differ.
const SECONDS: libc::rlim_t = 20;

/// The engine and the bomb that a child process opens; a process each, so that their memory is measured separately.
const OPEN: &str = "KERNELPACK_TEST_BOMB";

#[test]
fn each_expensive_module_opens_below_the_ceiling() {
    if let Ok(which) = env::var(OPEN) {
        let (engine, index) = which.split_once(' ').unwrap();
        let engine = [Engine::Wasmtime, Engine::Wamr].into_iter().find(|one| one.name() == engine).unwrap();
        return open(engine, BOMBS[index.parse::<usize>().unwrap()]);
    }
    for engine in [Engine::Wasmtime, Engine::Wamr] {
        for (index, bomb) in BOMBS.iter().enumerate() {
            let name = "compile_cost::each_expensive_module_opens_below_the_ceiling";
            let output = Command::new(env::current_exe().unwrap())
                .args([name, "--exact", "--nocapture"])
                .env(OPEN, format!("{} {index}", engine.name()))
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            let passed = output.status.success() && String::from_utf8_lossy(&output.stdout).contains("1 passed");
            assert!(passed, "{} on {engine:?}: {}\n{said}", bomb.name, output.status);
        }
    }
}

fn open(engine: Engine, bomb: Bomb) {
    let limit = libc::rlimit { rlim_cur: SECONDS, rlim_max: SECONDS };
    // SAFETY: the limit is a local variable.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_CPU, &limit) }, 0);
    let pack = bomb.pack();
    let runtime = engine.runtime();
    let before = peak_mib();
    match runtime.open(pack.path()).map(drop) {
        Ok(()) => {}
        // WAMR refuses modules with SIMD, which it cannot run.
        Err(error) if engine == Engine::Wamr && required_features(&bomb.module()).contains("simd") => {
            assert!(error.to_string().contains("simd"), "{error}")
        }
        Err(error) => panic!("{} is within all bounds, and does not open: {error}", bomb.name),
    }
    let taken = peak_mib() - before;
    assert!(taken <= CEILING_MIB, "{} took {taken} MiB", bomb.name);
}

/// Returns the peak of this process's resident memory.
fn peak_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}
