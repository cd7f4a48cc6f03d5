//! `kill -9` at any moment of an upgrade leaves a store with either the old version or the new one.
//!
//! Written data stays in the system's cache when a process is killed, so this shows that each step is atomic by itself;
//! the syncs are there so that the steps reach the disk in order if the power fails. The writes do not depend on the
//! engine, so only Wasmtime is used.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    hash::{BuildHasher, RandomState},
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use kernelpack_host::manager::{KernelManager, PackStore};
use kernelpack_tests::pack;
use tempfile::TempDir;

use crate::releases::{Release, active_shift};

/// Names the child's folder; only a child has this variable.
const FOLDER: &str = "KERNELPACK_KILL_FOLDER";

/// Returns how many processes are killed, unless `KERNELPACK_KILLS` says more.
fn rounds() -> u32 {
    std::env::var("KERNELPACK_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(100)
}

/// Upgrades, and sometimes rolls back, until it is killed. It reports what it is about to do and what it did.
#[test]
#[ignore = "this is the process that is killed, and does nothing by itself"]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let say = |word: &str, number: u64| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{word} {number}").unwrap();
        out.flush().unwrap();
    };
    let manager = KernelManager::builder(pack::runtime()).store(folder.join("store")).build().unwrap();
    let newest = manager.store().unwrap().state().unwrap().newest("shifts").map_or(0, |version| version.patch);
    for number in newest + 1.. {
        let dir = folder.join("next");
        let _ = fs::remove_dir_all(&dir);
        Release::of(number as u32).write(&dir);
        say("try", number);
        manager.upgrade(&dir).unwrap();
        say("done", number);
        let previous = manager.previous().filter(|_| number % 4 == 0);
        if let Some(previous) = previous {
            say("try", previous.version.patch);
            manager.rollback().unwrap();
            say("done", previous.version.patch);
        }
    }
}

#[test]
fn a_killed_upgrade_leaves_the_old_version_or_the_new_one() {
    let folder = TempDir::new().unwrap();
    let store = folder.path().join("store");
    let below = |limit: u64| RandomState::new().hash_one(0) % limit;
    let mut active: u64 = 0;
    let mut leftovers: BTreeMap<String, u32> = BTreeMap::new();
    let (mut hit, mut new, mut orphans, mut actions) = (0, 0, 0, 0);
    for round in 0..rounds() {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::child", "--ignored", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        // Every fourth process is killed at any point, perhaps before it does anything; the others during an upgrade.
        if round % 4 == 0 {
            thread::sleep(Duration::from_millis(below(100)));
        } else {
            while !text.contains("try ") {
                assert!(said.read_line(&mut text).unwrap() > 0, "the child ended by itself: {text}");
            }
            // The delays are distributed logarithmically, so that short and long ones are equally likely.
            thread::sleep(Duration::from_micros(below(1 << below(19))));
        }
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success());
        said.read_to_string(&mut text).unwrap();

        // The last finished step tells the old version, and the step in progress the new one.
        let mut tried = None;
        for line in text.lines() {
            match line.split_once(' ') {
                Some(("try", number)) => tried = Some(number.parse().unwrap()),
                Some(("done", number)) => {
                    (active, tried) = (number.parse().unwrap(), None);
                    actions += 1;
                }
                _ => {}
            }
        }
        let names = |dir: &str| -> BTreeSet<String> {
            let entries = fs::read_dir(store.join(dir)).into_iter().flatten();
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
        };
        let staged = names("staging");
        hit += u32::from(!staged.is_empty());
        orphans += u32::from(names("packs").len() > 2);
        for name in staged {
            *leftovers.entry(name).or_default() += 1;
        }

        let manager = KernelManager::builder(pack::runtime()).store(&store).build().unwrap();
        assert!(manager.startup_fallback().is_none(), "round {round}: {:?}", manager.startup_fallback());
        let state = PackStore::open(&store).unwrap().state().unwrap();
        assert!(names("staging").is_empty(), "round {round}");
        let Some(id) = manager.active() else {
            assert_eq!(active, 0, "round {round}: the store lost its packs");
            continue;
        };
        let whole = [state.active(), state.previous()].into_iter().flatten().count();
        assert_eq!(names("packs").len(), whole, "round {round}");
        let number = id.version.patch;
        assert!(number == active || Some(number) == tried, "round {round}: {number}, not {active} or {tried:?}");
        assert_eq!(active_shift(&manager), number as f32, "round {round}");
        for name in names("packs") {
            pack::runtime().open(store.join("packs").join(name)).unwrap();
        }
        new += u32::from(number != active);
        active = number;
    }
    println!(
        "{} kills among {actions} swaps: {hit} with something half-written {leftovers:?}, {orphans} with a pack too \
         many, {new} with the new version before it was told",
        rounds()
    );
    assert!(hit >= rounds() / 20, "the kills did not hit upgrades at work: {hit}");
}
