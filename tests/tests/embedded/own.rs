//! Tests native code that the host compiles itself: it takes no grant, comes only from the right compiler or the sealed
//! cache, and obeys the same limits as modules. Tests that need WAMR's compiler are skipped without it; the others use
//! shell scripts.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use kernelpack_host::{
    Error, Pack, RuntimeBuilder,
    engine::{Execution, NativeCompiler},
    error::KernelError,
    pack::{AotTarget, CacheOutcome, EntryFault},
};
use kernelpack_manifest::{AOT_CHECKS, AotFile, Digest, Platform};
use kernelpack_tests::pack::{Copy, add_native, compiler, compiler_program, key};
use sha2::Sha256;
use tempfile::TempDir;

use crate::{
    call, fixtures,
    native::embedded,
    stub::{Forward, SPIN, SQUARE, TRAP, honest, square},
    trap, wamr,
    wat_kernel::{Parts, SPEC},
};

/// The version output of every fake compiler; it fails if it inherits an environment.
const VERSION: &str = "[ -z \"$HOME$CARGO\" ] || exit 9
[ \"$1\" = --version ] && echo 'kernelpack-wamrc 9, WAMR 2.4.3, LLVM 14.0.6' && exit";

const SQUARES: [f32; 4] = [1.0, 4.0, 9.0, 16.0];

/// Returns the real compiler, if it was built.
fn real() -> Option<NativeCompiler> {
    compiler().map(|_| NativeCompiler::at(compiler_program()))
}

/// Returns a compiler that is a shell script. A separate process writes it: while this process has the file open for
/// writing, another test may start a process that inherits it, and then nobody can execute the file.
fn script(folder: &Path, text: &str) -> NativeCompiler {
    let path = folder.join("compiler");
    let write = "printf '#!/bin/sh\\n%s\\n' \"$1\" > \"$2\" && chmod 755 \"$2\"";
    let written = Command::new("/bin/sh").args(["-c", write, "sh", text]).arg(&path).status().unwrap();
    assert!(written.success());
    NativeCompiler::at(path)
}

/// Returns the time limit for a script: short if it never ends, otherwise longer than any script needs.
fn limit(text: &str) -> Duration {
    Duration::from_secs(if text.starts_with("while") { 3 } else { 300 })
}

fn native(compiler: &NativeCompiler) -> RuntimeBuilder {
    compiling(Execution::Native, compiler.clone())
}

fn compiling(execution: Execution, compiler: NativeCompiler) -> RuntimeBuilder {
    embedded(execution).engine(wamr(execution).compile_native(compiler))
}

/// Like [`native`], with a compile cache.
fn cached(compiler: &NativeCompiler, cache: &Path) -> RuntimeBuilder {
    let engine = wamr(Execution::Native).compile_native(compiler.clone()).compile_cache(cache);
    embedded(Execution::Native).engine(engine)
}

fn open(builder: RuntimeBuilder, pack: &Copy) -> Result<Pack, Error> {
    builder.build()?.open(pack.path())
}

fn run(pack: &Pack, mode: i32) -> Result<Vec<f32>, Error> {
    call(&pack.kernel::<Forward>().unwrap(), mode)
}

fn outcome(pack: &Pack) -> CacheOutcome {
    pack.cache_outcomes().next().unwrap().1
}

/// Returns a pack with the module that computes x² + mode.
fn squares() -> Copy {
    honest(&square(SPEC.limits))
}

/// Returns a pack with a module that always traps.
fn other() -> Copy {
    honest(&Parts { forward: "unreachable", ..square(SPEC.limits) })
}

/// The parts of a cache entry; `entry.rs` of the cache's crate describes the format.
const MODULE: std::ops::Range<usize> = 12..44;
const LENGTH: std::ops::Range<usize> = 76..84;
const CODE: usize = 84;
const MAC: usize = 32;

/// Returns the file with a pack's cache entry.
fn entry(cache: &Path, pack: &Copy) -> PathBuf {
    let digest = pack.manifest().kernels[0].hash.0;
    let mut files = fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().path());
    let is_it = |path: &PathBuf| fs::read(path).is_ok_and(|entry| entry.get(MODULE) == Some(&digest[..]));
    files.find(is_it).expect("the module has an entry")
}

/// Puts code into an entry and seals it, which requires reading the secret.
fn seal(cache: &Path, entry: &mut Vec<u8>, code: &[u8]) {
    entry.truncate(CODE);
    entry[LENGTH].copy_from_slice(&(code.len() as u64).to_le_bytes());
    entry.extend(code);
    let secret = fs::read(cache.join("secret")).unwrap();
    let mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap().chain_update(&entry).finalize();
    entry.extend(mac.into_bytes());
}

#[test]
fn what_nobody_vouches_for_is_compiled_here_and_traps_and_is_stopped_as_modules_are() {
    let Some(compiler) = real() else { return };
    let pack = open(native(&compiler), &squares()).unwrap();
    assert_eq!(outcome(&pack), CacheOutcome::Off);
    for round in 0..3 {
        assert_eq!(run(&pack, round).unwrap(), SQUARES.map(|square| square + round as f32));
        assert_eq!(trap(run(&pack, TRAP)), KernelError::Unreachable);
        assert_eq!(trap(run(&pack, SPIN)), KernelError::EpochDeadline);
    }
}

#[test]
fn a_stack_that_overflows_in_memory_is_told_as_that_compiled_here() {
    let Some(compiler) = real() else { return };
    let rest = "(global $sp (mut i32) (i32.const 4096))
        (func $deep (result i32)
            (global.set $sp (i32.sub (global.get $sp) (i32.const 1024)))
            (i32.store (global.get $sp) (i32.const 1))
            (i32.add (call $deep) (i32.load (global.get $sp))))";
    let forward = "(if (local.get $mode) (then (drop (call $deep)))) i32.const 0";
    let pack = open(native(&compiler), &honest(&Parts { rest, forward, ..Parts::default() })).unwrap();
    for _ in 0..2 {
        run(&pack, 0).unwrap();
        assert_eq!(trap(run(&pack, 1)), KernelError::StackOverflow);
    }
}

#[test]
fn no_hostile_module_outruns_its_deadline_compiled_here() {
    let Some(compiler) = real() else { return };
    let runtime = native(&compiler).build().unwrap();
    stops_hostile_modules(|parts| Some(runtime.open(honest(parts).path())));
}

#[test]
fn code_is_compiled_once_and_then_taken_from_the_cache_without_the_compiler() {
    if compiler().is_none() {
        return;
    }
    let (folder, cache, pack) = (TempDir::new().unwrap(), TempDir::new().unwrap(), squares());
    let program = folder.path().join("wamrc");
    symlink(compiler_program(), &program).unwrap();
    let runtime_in = |cache: &TempDir| cached(&NativeCompiler::at(&program), cache.path());
    let runtime = || runtime_in(&cache);
    let outcomes: Vec<_> = (0..3).map(|_| outcome(&open(runtime(), &pack).unwrap())).collect();
    assert_eq!(outcomes, [CacheOutcome::Miss, CacheOutcome::Hit, CacheOutcome::Hit]);

    fs::remove_file(&program).unwrap();
    let without = open(runtime(), &pack).unwrap();
    assert_eq!(outcome(&without), CacheOutcome::Hit);
    assert_eq!(run(&without, 3).unwrap(), SQUARES.map(|square| square + 3.0));
    // A missing compiler compiles nothing, and the cache has no code from such a compiler.
    let missing = |refused: Error| {
        assert!(matches!(refused, Error::Config(_)), "{refused:?}");
        let refused = refused.to_string();
        assert!(refused.starts_with(&format!("there is no {}: build", program.display())), "{refused}");
    };
    missing(open(runtime(), &other()).unwrap_err());
    missing(native(&NativeCompiler::at(&program)).build().unwrap_err());
    let elsewhere = TempDir::new().unwrap();
    missing(runtime_in(&elsewhere).build().unwrap_err());

    // Code by a compiler that identifies itself differently is not shared.
    let wrapped = format!(
        "[ \"$1\" = --version ] && echo 'kernelpack-wamrc 9, WAMR 2.4.3, LLVM 99' && exit\nexec {} \"$@\"",
        compiler_program().display()
    );
    let newer = script(folder.path(), &wrapped);
    let newer = || open(cached(&newer, cache.path()), &pack).map(|pack| outcome(&pack)).unwrap();
    assert_eq!([newer(), newer()], [CacheOutcome::Miss, CacheOutcome::Hit]);
}

#[test]
fn entries_that_were_tampered_with_are_not_run() {
    let Some(compiler) = real() else { return };
    let (cache, pack, other) = (TempDir::new().unwrap(), squares(), other());
    let opened = |pack: &Copy| open(cached(&compiler, cache.path()), pack).unwrap();
    let [_, foreign] = [&pack, &other].map(|pack| {
        opened(pack);
        fs::read(entry(cache.path(), pack)).unwrap()
    });
    let file = entry(cache.path(), &pack);
    let good = fs::read(&file).unwrap();
    let foreign = &foreign[CODE..foreign.len() - MAC];
    let right = |opened: &Pack, expected: CacheOutcome| {
        assert_eq!(outcome(opened), expected);
        assert_eq!(run(opened, 1).unwrap(), SQUARES.map(|square| square + 1.0));
    };
    for at in [CODE, (CODE + good.len()) / 2, good.len() - MAC - 1, good.len() - 1] {
        let mut entry = good.clone();
        entry[at] ^= 1;
        fs::write(&file, entry).unwrap();
        right(&opened(&pack), CacheOutcome::Replaced { fault: EntryFault::Forged });
        right(&opened(&pack), CacheOutcome::Hit);
    }
    // Another module's code, and no code at all, sealed with the secret: the record in the code itself shows what it
    // is.
    for code in [foreign, b"\0aot\x06\0\0\0", b""] {
        let mut entry = good.clone();
        seal(cache.path(), &mut entry, code);
        fs::write(&file, entry).unwrap();
        right(&opened(&pack), CacheOutcome::Replaced { fault: EntryFault::RefusedByEngine });
    }
    // Without a compiler, the module cannot be compiled again and is refused.
    let mut entry = good.clone();
    entry[CODE] ^= 1;
    fs::write(&file, entry).unwrap();
    let gone = TempDir::new().unwrap();
    let program = gone.path().join("wamrc");
    symlink(compiler_program(), &program).unwrap();
    let linked = || cached(&NativeCompiler::at(&program), cache.path());
    linked().build().unwrap();
    fs::remove_file(&program).unwrap();
    assert!(open(linked(), &pack).unwrap_err().to_string().starts_with("there is no "));

    // Shows that the test could fail: code of the other module, changed to claim this one's digest and sealed with the
    // secret, does run.
    let [own, others] = [&pack, &other].map(|pack| pack.manifest().kernels[0].hash.to_string().into_bytes());
    let at = foreign.windows(others.len()).position(|window| window == others).unwrap();
    let mut forged = foreign.to_vec();
    forged[at..at + own.len()].copy_from_slice(&own);
    let mut entry = good.clone();
    seal(cache.path(), &mut entry, &forged);
    fs::write(&file, entry).unwrap();
    let tricked = opened(&pack);
    assert_eq!(outcome(&tricked), CacheOutcome::Hit);
    assert_eq!(trap(run(&tricked, 1)), KernelError::Unreachable);
}

#[test]
fn a_compiler_that_does_not_work_is_told_when_the_runtime_is_built() {
    let folder = TempDir::new().unwrap();
    let nowhere = NativeCompiler::at(folder.path().join("no/such"));
    let refused = native(&nowhere).build().unwrap_err().to_string();
    assert!(refused.starts_with("there is no ") && refused.contains("no/such: build"), "{refused}");
    for (text, expected) in [
        ("echo 'error: built without LLVM (no llvm-config)' >&2; exit 3", "built without LLVM (no llvm-config)"),
        ("echo 'gcc 12'", "is not kernelpack-wamrc"),
        ("echo 'kernelpack-wamrc 9, WAMR 2.4.3, LLVM 14.0.6'; exit 1", "is not kernelpack-wamrc"),
        ("while :; do :; done", "it did not say its version within 3s"),
        ("echo 'kernelpack-wamrc 9, WAMR 2.4.2, LLVM 14.0.6'", "native code for WAMR 2.4.2, this program has 2.4.3"),
    ] {
        let compiler = script(folder.path(), text).time_limit(limit(text));
        let refused = native(&compiler).build().unwrap_err().to_string();
        assert!(refused.contains(expected), "{text}: {refused}");
    }
}

#[test]
fn what_a_compiler_does_wrong_is_an_error_and_nothing_is_kept() {
    let (folder, cache, pack) = (TempDir::new().unwrap(), TempDir::new().unwrap(), squares());
    let stranger = other();
    let target = AotTarget::of_this_machine().unwrap().name();
    let mut cases = vec![
        ("echo 'error: unsupported opcode' >&2; exit 1".to_owned(), "cannot be compiled for", "unsupported opcode"),
        ("kill -SEGV $$".to_owned(), "the compiler crashed on kernel \"wat_kernel\"", "SIGSEGV"),
        ("exit 0".to_owned(), "is not its file", "it cannot be read"),
        ("echo nonsense > $4".to_owned(), "is not its file", "it is not an .aot file"),
        ("printf '\\000aot\\006\\000\\000\\000' > $4".to_owned(), "is not its file", "no section"),
        ("ln -s /etc/passwd $4".to_owned(), "is not its file", "it cannot be read"),
        ("cp $3 $4".to_owned(), "is not its file", "it is not an .aot file"),
        ("while :; do :; done".to_owned(), "the compiler did not end within 3s", "\"wat_kernel\""),
    ];
    if compiler().is_some() {
        let real = compiler_program();
        let real = real.display();
        let elsewhere = AotTarget::ALL.into_iter().find(|other| other.name() != target).unwrap();
        cases.push((format!("exec {real} --target {elsewhere} $3 $4"), "is not its file", "it is for "));
        assert!(add_native(stranger.path()));
        let theirs = stranger.path().join(&stranger.manifest().kernels[0].platforms["wamr"].aot[0].path);
        cases.push((format!("cp {} $4", theirs.display()), "is not its file", "it is of the module sha256:"));
    }
    for (text, what, why) in cases {
        let compiler = script(folder.path(), &format!("{VERSION}\n{text}")).time_limit(limit(&text));
        let refused = open(cached(&compiler, cache.path()), &pack).unwrap_err().to_string();
        assert!(refused.contains(what) && refused.contains(why), "{text}: {refused}");
        // Only the secret and the compiler's description of itself are there.
        assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 2, "{text}");
    }
}

#[test]
fn a_module_that_cannot_be_compiled_is_interpreted_where_that_is_allowed() {
    let (folder, pack) = (TempDir::new().unwrap(), squares());
    let open = |text: &str| {
        let compiler = script(folder.path(), &format!("{VERSION}\n{text}"));
        open(compiling(Execution::NativeElseInterpreted, compiler), &pack)
    };
    let interpreted = open("exit 1").unwrap();
    assert_eq!(outcome(&interpreted), CacheOutcome::NotCompiled);
    assert_eq!(run(&interpreted, 0).unwrap(), SQUARES);
    // A compiler that does not work is an error.
    assert!(open("exit 2").unwrap_err().to_string().contains("the compiler crashed"));

    let Some(compiler) = real() else { return };
    // Its table could outgrow the kernel's limit, which native code does not check.
    let rest = format!("{SQUARE} (table 2 100 funcref) (func (result i32) (table.grow (ref.null func) (i32.const 1)))");
    let grows = honest(&Parts { rest: rest.leak(), ..square(SPEC.limits) });
    let refused = native(&compiler).build().unwrap().open(grows.path()).unwrap_err().to_string();
    assert!(refused.contains("its tables can grow beyond 16 elements"), "{refused}");
    let runtime = compiling(Execution::NativeElseInterpreted, compiler).build().unwrap();
    assert_eq!(run(&runtime.open(grows.path()).unwrap(), 0).unwrap(), SQUARES);
}

#[test]
fn nothing_is_compiled_where_modules_are_interpreted() {
    let (folder, pack) = (TempDir::new().unwrap(), squares());
    let mark = folder.path().join("ran");
    let compilers = [
        script(folder.path(), &format!("touch {}", mark.display())),
        NativeCompiler::at(folder.path().join("no/such")),
    ];
    for compiler in compilers {
        let opened = open(compiling(Execution::Interpreted, compiler), &pack).unwrap();
        assert_eq!(outcome(&opened), CacheOutcome::NotCompiled);
        assert_eq!(run(&opened, 2).unwrap(), SQUARES.map(|square| square + 2.0));
    }
    assert!(!mark.exists());
}

#[test]
fn native_code_that_a_pack_brings_and_its_signer_may_vouch_for_needs_no_compilation() {
    let (folder, pack) = (TempDir::new().unwrap(), squares());
    if !add_native(pack.path()) {
        return;
    }
    let mark = folder.path().join("ran");
    let compiler = script(folder.path(), &format!("{VERSION}\ntouch {}; exit 1", mark.display()));
    let granted = open(native(&compiler).trust_native(key().public()), &pack).unwrap();
    assert_eq!((outcome(&granted), run(&granted, 0).unwrap()), (CacheOutcome::NotCompiled, SQUARES.to_vec()));
    assert!(!mark.exists());
    // Without the grant, the compiler would have been used.
    open(native(&compiler), &pack).unwrap_err();
    assert!(mark.exists());
}

#[test]
fn what_is_not_run_is_not_read() {
    let pack = squares();
    let mut manifest = pack.manifest();
    let kernel = &mut manifest.kernels[0];
    let nonsense = b"native code of a kind";
    let target = AotTarget::of_this_machine().unwrap();
    let path = format!("wat/wat_kernel.{target}.aot");
    let file = AotFile {
        target,
        path: path.clone(),
        hash: Digest::of(nonsense),
        source: kernel.hash,
        version: "2.4.3".parse().unwrap(),
        options: AOT_CHECKS.map(str::to_owned).to_vec(),
    };
    kernel.platforms.insert(
        "wamr".into(),
        Platform {
            min_version: "2.4.3".parse().unwrap(),
            features: Vec::new(),
            module: None,
            aot_available: Some(true),
            aot: vec![file],
        },
    );
    pack.write(&path, nonsense);
    pack.sign(&manifest.to_json());
    let open = |execution| open(embedded(execution).trust_native(key().public()), &pack);
    let refused = open(Execution::Native).unwrap_err().to_string();
    assert!(refused.contains("not an .aot file"), "{refused}");
    assert_eq!(run(&open(Execution::Interpreted).unwrap(), 0).unwrap(), SQUARES);
}

/// Opens and calls hostile modules; those that cannot be native code are refused before they run.
fn stops_hostile_modules(open: impl Fn(&Parts) -> Option<Result<Pack, Error>>) {
    let mut stopped = 0;
    for (name, parts) in fixtures::all() {
        let Some(opened) = open(&parts) else { return };
        let kernel = opened.as_ref().map(|pack| pack.kernel::<Forward>().unwrap());
        match kernel {
            Ok(kernel) => {
                // Deep recursion may overflow the small stack first.
                let error = trap(call(&kernel, 1));
                assert!(matches!(error, KernelError::EpochDeadline | KernelError::StackOverflow), "{name}: {error}");
                stopped += 1;
            }
            Err(error) => eprintln!("{name} is refused: {error}"),
        }
    }
    assert!(stopped > 20, "{stopped}");
}
