//! Attacks on the compile cache from outside: what it takes to run foreign code, and that nothing less is enough.
//! WAMR's interpreter compiles nothing and has no cache.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Mutex,
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use kernelpack_abi::TensorView;
use kernelpack_host::{
    Error, Pack, Runtime,
    engine::Wasmtime,
    error::{CacheError, ConfigError, StartError},
    pack::{CacheOutcome, EntryFault, LoadEvent},
};
use kernelpack_kernels::{rmsnorm_f32, swiglu_f32};
use kernelpack_tests::pack::{self, Copy};
use sha2::Sha256;
use tempfile::TempDir;

/// The parts of an entry; `entry.rs` of the cache's crate describes the format.
const MODULE: std::ops::Range<usize> = 12..44;
const ENGINE: std::ops::Range<usize> = 44..76;
const LENGTH: std::ops::Range<usize> = 76..84;
const CODE: usize = 84;
const MAC: usize = 32;

/// Returns the core pack with only two kernels, which compiles faster.
fn small() -> Copy {
    let copy = Copy::of(pack::core());
    copy.keep(&["rmsnorm_f32", "swiglu_f32"]);
    copy
}

fn runtime(cache: &Path) -> Runtime {
    Runtime::builder(Wasmtime::new().compile_cache(cache)).trust(pack::key().public()).build().unwrap()
}

fn outcome(pack: &Pack, kernel: &str) -> CacheOutcome {
    pack.cache_outcomes().find(|(id, _)| *id == kernel).unwrap().1
}

/// Calls both kernels; the results equal the native ones only if each runs its own code.
fn assert_right(pack: &Pack) {
    let view = |data| TensorView::new(data, &[1, 4]).unwrap();
    let x = [1.0, 1.0, 1.0, 1.0];
    let weight = TensorView::new(&[2.0, 3.0, 4.0, 5.0], &[4]).unwrap();
    let norm = pack.kernel::<rmsnorm_f32::Kernel>().unwrap();
    let inputs = rmsnorm_f32::Inputs { eps: 0.0, ..rmsnorm_f32::Inputs::new(view(&x), weight) };
    assert_eq!(norm.run(inputs).unwrap().y.data(), weight.data());
    let swiglu = pack.kernel::<swiglu_f32::Kernel>().unwrap();
    assert_eq!(swiglu.run(swiglu_f32::Inputs::new(view(&[0.0; 4]), view(&x))).unwrap().y.data(), [0.0; 4]);
}

/// A filled cache.
struct Filled {
    pack: Copy,
    cache: TempDir,
}

impl Filled {
    fn new() -> Self {
        let filled = Self { pack: small(), cache: TempDir::new().unwrap() };
        assert_right(&filled.open());
        filled
    }

    fn open(&self) -> Pack {
        runtime(self.cache.path()).open(self.pack.path()).unwrap()
    }

    /// Returns the file with a kernel's entry.
    fn entry(&self, kernel: &str) -> PathBuf {
        let digest = self.pack.manifest().kernel(kernel).unwrap().hash.0;
        let is_it = |path: &PathBuf| fs::read(path).is_ok_and(|entry| entry.get(MODULE) == Some(&digest[..]));
        let mut files = fs::read_dir(self.cache.path()).unwrap().map(|entry| entry.unwrap().path());
        files.find(is_it).expect("the kernel has an entry")
    }

    /// Replaces a kernel's entry, and checks that its code is not used and the entry is replaced.
    #[track_caller]
    fn refused(&self, kernel: &str, entry: &[u8], why: EntryFault) {
        let file = self.entry(kernel);
        let good = fs::read(&file).unwrap();
        fs::write(&file, entry).unwrap();
        let pack = self.open();
        assert_eq!(outcome(&pack, kernel), CacheOutcome::Replaced { fault: why });
        assert_right(&pack);
        let pack = self.open();
        assert_eq!(outcome(&pack, kernel), CacheOutcome::Hit);
        assert_right(&pack);
        fs::write(&file, good).unwrap();
    }

    /// Recomputes an entry's seal, which requires reading the secret.
    fn seal(&self, entry: &mut [u8]) {
        let secret = fs::read(self.cache.path().join("secret")).unwrap();
        let (sealed, mac) = entry.split_at_mut(entry.len() - MAC);
        let made = Hmac::<Sha256>::new_from_slice(&secret).unwrap().chain_update(sealed).finalize();
        mac.copy_from_slice(&made.into_bytes());
    }
}

#[test]
fn code_is_compiled_once_and_then_taken_from_the_cache() {
    let filled = Filled { pack: small(), cache: TempDir::new().unwrap() };
    let first = filled.open();
    assert!(first.cache_outcomes().all(|(_, outcome)| outcome == CacheOutcome::Miss), "{first:?}");
    assert_right(&first);
    for _ in 0..2 {
        let again = filled.open();
        assert_eq!(again.cache_outcomes().filter(|(_, outcome)| *outcome == CacheOutcome::Hit).count(), 2);
        assert_right(&again);
    }
    let without = pack::runtime().open(filled.pack.path()).unwrap();
    assert!(without.cache_outcomes().all(|(_, outcome)| outcome == CacheOutcome::Off));
    // Another module under the same id has an entry of its own.
    let mut module = filled.pack.read("rmsnorm/rmsnorm_f32.wasm");
    module.extend_from_slice(b"\0\x05\x04more");
    filled.pack.replace_module("rmsnorm_f32", &module);
    let changed = filled.open();
    assert_eq!(outcome(&changed, "rmsnorm_f32"), CacheOutcome::Miss);
    assert_eq!(outcome(&changed, "swiglu_f32"), CacheOutcome::Hit);
}

#[test]
fn entries_that_were_tampered_with_are_replaced() {
    let filled = Filled::new();
    let good = fs::read(filled.entry("rmsnorm_f32")).unwrap();
    let end = good.len();
    for (at, why) in [
        (0, EntryFault::Malformed),
        (8, EntryFault::Malformed),
        (MODULE.start, EntryFault::OfAnotherKey),
        (ENGINE.end - 1, EntryFault::OfAnotherKey),
        (LENGTH.start, EntryFault::Malformed),
        (CODE, EntryFault::Forged),
        ((CODE + end) / 2, EntryFault::Forged),
        (end - MAC - 1, EntryFault::Forged),
        (end - MAC, EntryFault::Forged),
        (end - 1, EntryFault::Forged),
    ] {
        let mut entry = good.clone();
        entry[at] ^= 1;
        filled.refused("rmsnorm_f32", &entry, why);
    }
    for length in [0, 7, MODULE.end, CODE, CODE + MAC, end / 2, end - MAC, end - 1] {
        filled.refused("rmsnorm_f32", &good[..length], EntryFault::Malformed);
    }
    filled.refused("rmsnorm_f32", &[&good[..], &[0]].concat(), EntryFault::Malformed);
}

#[test]
fn code_of_another_module_is_not_run() {
    let filled = Filled::new();
    let [norm, swiglu] = ["rmsnorm_f32", "swiglu_f32"].map(|kernel| fs::read(filled.entry(kernel)).unwrap());
    // A complete entry that this cache sealed, but under the name of another entry.
    filled.refused("rmsnorm_f32", &swiglu, EntryFault::OfAnotherKey);
    // The same entry with its key rewritten, which breaks the seal.
    let mut forged = swiglu.clone();
    forged[MODULE].copy_from_slice(&norm[MODULE]);
    filled.refused("rmsnorm_f32", &forged, EntryFault::Forged);
    // An entry that is sealed with the secret of another folder.
    let elsewhere = Filled::new();
    let mut entry = forged.clone();
    elsewhere.seal(&mut entry);
    filled.refused("rmsnorm_f32", &entry, EntryFault::Forged);
    filled.refused("rmsnorm_f32", &fs::read(elsewhere.entry("rmsnorm_f32")).unwrap(), EntryFault::Forged);
    // An entry for another engine, sealed with this folder's secret, as another process of this user may leave it.
    let mut entry = norm.clone();
    entry[ENGINE].fill(7);
    filled.seal(&mut entry);
    filled.refused("rmsnorm_f32", &entry, EntryFault::OfAnotherKey);
    // An entry that is sealed with this folder's secret, but does not contain code.
    let mut entry = norm[..CODE + 100 + MAC].to_vec();
    entry[CODE..].fill(0);
    entry[LENGTH].copy_from_slice(&100u64.to_le_bytes());
    filled.seal(&mut entry);
    filled.refused("rmsnorm_f32", &entry, EntryFault::RefusedByEngine);

    // Shows that the test could fail: with the secret, the other module's code does run.
    filled.seal(&mut forged);
    fs::write(filled.entry("rmsnorm_f32"), &forged).unwrap();
    let pack = filled.open();
    assert_eq!(outcome(&pack, "rmsnorm_f32"), CacheOutcome::Hit);
    let x = TensorView::new(&[1.0; 4], &[1, 4]).unwrap();
    let inputs = rmsnorm_f32::Inputs::new(x, TensorView::new(&[2.0; 4], &[4]).unwrap());
    pack.kernel::<rmsnorm_f32::Kernel>().unwrap().run(inputs).unwrap_err();
}

#[cfg(unix)]
#[test]
fn entries_that_are_no_files_do_no_harm() {
    use std::os::unix::fs::symlink;
    let filled = Filled::new();
    let file = filled.entry("rmsnorm_f32");
    let code = fs::read(&file).unwrap();
    // The code is valid, but is not in the folder whose permissions were checked.
    let elsewhere = TempDir::new().unwrap();
    let target = elsewhere.path().join("target");
    fs::write(&target, code).unwrap();
    let place: [&dyn Fn(); 3] = [
        &|| symlink(&target, &file).unwrap(),
        &|| assert!(Command::new("mkfifo").arg(&file).status().unwrap().success()),
        &|| fs::create_dir(&file).unwrap(),
    ];
    for (index, place) in place.iter().enumerate() {
        fs::remove_file(&file).unwrap();
        place();
        let pack = filled.open();
        let fault = EntryFault::NotAFile;
        match outcome(&pack, "rmsnorm_f32") {
            CacheOutcome::Replaced { fault: found } if index < 2 => assert_eq!(found, fault),
            CacheOutcome::NotStored { fault: found, .. } if index == 2 => assert_eq!(found, Some(fault)),
            other => panic!("{index}: {other:?}"),
        }
        assert_right(&pack);
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_others_can_write_to_is_refused_when_the_runtime_is_built() {
    use std::os::unix::fs::PermissionsExt as _;
    let filled = Filled::new();
    fs::set_permissions(filled.cache.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let built = Runtime::builder(Wasmtime::new().compile_cache(filled.cache.path())).build();
    let Err(Error::Config(ConfigError::Start(StartError::Cache(error)))) = built else { panic!("it was not refused") };
    assert!(matches!(error, CacheError::WritableByOthers { mode: 0o777, .. }), "{error}");
    assert!(error.to_string().contains("chmod go-w"), "{error}");
}

#[test]
fn a_folder_that_takes_nothing_does_no_harm() {
    let filled = Filled::new();
    let runtime = runtime(filled.cache.path());
    fs::remove_dir_all(filled.cache.path()).unwrap();
    let pack = runtime.open(filled.pack.path()).unwrap();
    for (kernel, outcome) in pack.cache_outcomes() {
        assert!(matches!(outcome, CacheOutcome::NotStored { fault: None, .. }), "{kernel}: {outcome:?}");
    }
    assert_right(&pack);
    fs::create_dir(filled.cache.path()).unwrap();
}

#[test]
fn a_cache_stays_within_its_limit() {
    let filled = Filled::new();
    let size: u64 =
        ["rmsnorm_f32", "swiglu_f32"].map(|kernel| fs::metadata(filled.entry(kernel)).unwrap().len()).iter().sum();
    fs::remove_file(filled.entry("rmsnorm_f32")).unwrap();
    let engine = Wasmtime::new().compile_cache(filled.cache.path()).compile_cache_limit(size - 1);
    let runtime = Runtime::builder(engine).trust(pack::key().public()).build().unwrap();
    let pack = runtime.open(filled.pack.path()).unwrap();
    assert_right(&pack);
    let left: u64 = fs::read_dir(filled.cache.path())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name() != "secret")
        .map(|entry| entry.metadata().unwrap().len())
        .sum();
    assert!(left > 0 && left < size, "{left} of {size}");
}

#[test]
fn progress_is_told_for_each_module() {
    let filled = Filled { pack: small(), cache: TempDir::new().unwrap() };
    for expected in [CacheOutcome::Miss, CacheOutcome::Hit] {
        let events = Mutex::new(Vec::new());
        let pack = runtime(filled.cache.path())
            .open_with(filled.pack.path(), |event| {
                let mut events = events.lock().unwrap();
                events.push(match event {
                    LoadEvent::Started { kernel, index, total } => (index, kernel.to_owned(), total, None),
                    LoadEvent::Finished { kernel, index, total, cache } => {
                        (index, kernel.to_owned(), total, Some(cache))
                    }
                    _ => panic!("{event:?}"),
                });
            })
            .unwrap();
        let mut events = events.into_inner().unwrap();
        // Modules are compiled in parallel; each one's events are in order.
        events.sort_by_key(|event| event.0);
        let of = |index: usize, cache| (index, pack.manifest().kernels[index].id.clone(), 2, cache);
        let both = |index| [of(index, None), of(index, Some(expected.clone()))];
        assert_eq!(events, [both(0), both(1)].concat());
    }
}

/// Opens the pack with the shared cache, in each of several processes.
#[test]
#[ignore = "run by the test below, in processes of its own"]
fn one_of_many_processes() {
    let [pack, cache] = ["KERNELPACK_TEST_PACK", "KERNELPACK_TEST_CACHE"].map(|name| std::env::var_os(name).unwrap());
    let pack = runtime(Path::new(&cache)).open(pack).unwrap();
    for (kernel, outcome) in pack.cache_outcomes() {
        assert!(matches!(outcome, CacheOutcome::Hit | CacheOutcome::Miss), "{kernel}: {outcome:?}");
    }
    assert_right(&pack);
}

#[test]
fn processes_share_a_cache_and_those_that_are_killed_leave_it_whole() {
    let (pack, temp) = (small(), TempDir::new().unwrap());
    let cache = temp.path().join("cache");
    let start = || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "compile_cache::one_of_many_processes"])
            .env("KERNELPACK_TEST_PACK", pack.path())
            .env("KERNELPACK_TEST_CACHE", &cache)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    // The process is killed at moments throughout the time that it takes to fill the cache.
    for step in 0..12 {
        let mut child = start();
        std::thread::sleep(std::time::Duration::from_millis(step * 7));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let together: Vec<_> = (0..4).map(|_| start()).collect();
    for child in together {
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
    }
    let opened = runtime(&cache).open(pack.path()).unwrap();
    assert!(opened.cache_outcomes().all(|(_, outcome)| outcome == CacheOutcome::Hit));
    assert_right(&opened);
}
