//! Measures modules that are expensive on purpose: the processor time to verify and to compile each, and the peak
//! memory, as one JSON object a line. Usage: `compile-bombs [ENGINE]`, with `wasmtime` or `wamr`.

use std::{env, fs, process::Command};

use kernelpack_host::pack::VerifiedPack;
use kernelpack_tests::{
    bombs::{BOMBS, Bomb},
    engine::Engine,
};

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let name = arguments.get(1).map_or("wasmtime", String::as_str);
    let engine = [Engine::Wasmtime, Engine::Wamr]
        .into_iter()
        .find(|engine| engine.name() == name)
        .expect("the engine is wasmtime or wamr");
    if let Some(index) = arguments.get(2) {
        return measure(engine, BOMBS[index.parse::<usize>().expect("an index")]);
    }
    // Each in its own process, so that their memory is measured separately.
    for (index, Bomb { name: bomb, .. }) in BOMBS.iter().enumerate() {
        let this = env::current_exe().expect("the program has a path");
        let status = Command::new(this).args([name, &index.to_string()]).status().expect("it starts");
        if !status.success() {
            println!(r#"{{"bomb":{bomb:?},"ended":"{status}"}}"#);
        }
    }
}

fn measure(engine: Engine, bomb: Bomb) {
    let pack = bomb.pack();
    let bytes = fs::metadata(pack.path().join("bomb/bomb.wasm")).expect("the module is there").len();
    let name = bomb.name;
    let runtime = engine.runtime();
    let start = cpu_seconds();
    let verified = VerifiedPack::open(pack.path(), &runtime.verifier());
    let verify = cpu_seconds() - start;
    let before = peak_mib();
    let start = cpu_seconds();
    let (compile, outcome) = match verified.map(|verified| runtime.load(verified)) {
        Ok(loaded) => (cpu_seconds() - start, loaded.map_or_else(|error| error.to_string(), |_| "opened".into())),
        Err(error) => (0.0, error.to_string()),
    };
    let outcome: String = outcome.chars().take(120).collect();
    println!(
        r#"{{"bomb":{name:?},"bytes":{bytes},"verify_s":{verify:.3},"compile_s":{compile:.3},"verify_peak_mib":{before},"peak_mib":{},"outcome":{outcome:?}}}"#,
        peak_mib()
    );
}

/// Returns the processor time of this process in seconds, with a resolution of a hundredth.
fn cpu_seconds() -> f64 {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the memory is a local variable, and zeros are a valid value of it.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    [usage.ru_utime, usage.ru_stime].iter().map(|time| time.tv_sec as f64 + time.tv_usec as f64 / 1e6).sum()
}

/// Returns the peak of resident memory so far; 0 if the system does not report it.
fn peak_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() / 1024
}
