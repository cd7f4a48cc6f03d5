//! Tests that callers do not notice swaps, successful or failed.

use std::{
    collections::BTreeSet,
    fs,
    sync::{
        Barrier, Mutex,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

use kernelpack_host::manager::{CheckFailed, KernelManager, Stage, UpgradeError};
use kernelpack_tests::{apply, engine::Engine, on_each_engine, pack};

use crate::releases::{ID, Release, Releases, active_shift, shift, shift_f32, typed_shift};

const THREADS: usize = 8;
/// Returns the number of swaps, half of which fail; fewer if each pack must be compiled by WAMR's compiler.
fn swaps(engine: Engine) -> u32 {
    if engine == Engine::WamrAot { 40 } else { 200 }
}

/// The amount that a release adds to its number if it fails its own health vector.
const SICK: f32 = 100_000.0;
/// The amount that a release adds to its number if it fails a probe, but only once it is active.
const SICK_WHEN_ACTIVE: f32 = 200_000.0;

/// Returns how long the calls continue; `KERNELPACK_SWAP_SECONDS` shortens it.
fn duration() -> Duration {
    let seconds = std::env::var("KERNELPACK_SWAP_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs_f64(seconds.unwrap_or(10.0))
}

/// Writes release `number` so that it fails in one of five ways, and returns a check of the expected error.
fn bad(releases: &Releases, number: u32) -> fn(&UpgradeError) -> bool {
    let (name, release) = (number.to_string(), Release::of(number));
    match number / 2 % 5 {
        0 => {
            let dir = releases.add(&name, &release);
            let path = dir.join(pack::MANIFEST);
            let text = fs::read_to_string(&path).unwrap();
            fs::write(path, text.replace("Adds", "adds")).unwrap();
            |error| matches!(error, UpgradeError::Rejected(_))
        }
        1 => {
            let dir = releases.add(&name, &release);
            let path = dir.join("shift/shift_f32.wasm");
            let mut wasm = fs::read(&path).unwrap();
            *wasm.last_mut().unwrap() ^= 1;
            fs::write(path, wasm).unwrap();
            |error| matches!(error, UpgradeError::Rejected(_))
        }
        2 => {
            releases.add_with(&name, &release, |manifest| manifest.min_runtime_version = "8.0.0".parse().unwrap());
            |error| matches!(error, UpgradeError::Incompatible(_))
        }
        3 => {
            releases.add(&name, &Release { shift: SICK + number as f32, ..release });
            |error| matches!(error, UpgradeError::UnhealthyBefore { reason: CheckFailed::Health(_), .. })
        }
        _ => {
            releases.add(
                &name,
                &Release {
                    shift: SICK_WHEN_ACTIVE + number as f32,
                    expected: SICK_WHEN_ACTIVE + number as f32,
                    ..release
                },
            );
            |error| matches!(error, UpgradeError::UnhealthyAfter { .. })
        }
    }
}

/// Returns a manager whose probe calls the kernel.
fn probed(engine: Engine) -> KernelManager {
    KernelManager::builder(engine.runtime())
        .probe(|pack, stage| {
            let kernel = pack.kernel_named(ID)?;
            match shift(|inputs, params| kernel.run(inputs, params))? {
                shift if shift >= SICK_WHEN_ACTIVE && stage == Stage::AfterSwap => Err("sick when active".into()),
                _ => Ok(()),
            }
        })
        .build()
        .unwrap()
}

#[apply(on_each_engine)]
fn eight_threads_call_while_hundreds_of_packs_come_and_go(engine: Engine) {
    let (swaps, releases) = (swaps(engine), Releases::new(engine));
    let manager = probed(engine);
    manager.upgrade(releases.good(0)).unwrap();

    let follower = manager.follow::<shift_f32::Kernel>().unwrap();

    // The range of valid results: from the release that is certainly active to the one on its way.
    let (oldest, newest) = (AtomicU32::new(0), AtomicU32::new(0));
    let done = AtomicBool::new(false);
    let calls = AtomicU64::new(0);
    let seen = Mutex::new(BTreeSet::new());
    let start = Barrier::new(THREADS + 1);
    let (mut went_live, mut refused) = (0, 0);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (manager, oldest, newest, done, calls, seen, start) =
                (&manager, &oldest, &newest, &done, &calls, &seen, &start);
            scope.spawn(move || {
                let typed = manager.follow::<shift_f32::Kernel>().unwrap();
                let followed = manager.follow_named(ID).unwrap();
                let first = manager.kernel_named(ID).unwrap();
                let (mut own, mut count) = (BTreeSet::new(), 0);
                start.wait();
                while !done.load(SeqCst) {
                    let low = oldest.load(SeqCst);
                    let shift = match (thread + count as usize) % 4 {
                        0 => shift(|inputs, params| followed.run(inputs, params)),
                        1 => typed_shift(&typed),
                        2 => {
                            let kernel = manager.kernel_named(ID).unwrap();
                            shift(|inputs, params| kernel.run(inputs, params))
                        }
                        // The handle from the beginning still calls the first pack.
                        _ => {
                            let value = shift(|inputs, params| first.run(inputs, params)).unwrap();
                            assert_eq!(value, 0.0);
                            count += 1;
                            continue;
                        }
                    };
                    let shift = shift.unwrap_or_else(|error| panic!("a call failed: {error}"));
                    let high = newest.load(SeqCst);
                    let number = if shift >= SICK_WHEN_ACTIVE { shift - SICK_WHEN_ACTIVE } else { shift };
                    assert!((low as f32..=high as f32).contains(&number), "{shift} is not within {low} to {high}");
                    own.insert(number as u32);
                    count += 1;
                }
                calls.fetch_add(count, SeqCst);
                seen.lock().unwrap().extend(own);
            });
        }

        start.wait();
        let begin = Instant::now();
        for number in 1..=swaps {
            // A failure here must end the callers too.
            let swapped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                if number % 2 == 0 {
                    let told = bad(&releases, number);
                    newest.store(number, SeqCst);
                    let error = manager.upgrade(releases.path().join(number.to_string())).unwrap_err();
                    assert!(told(&error), "{number}: {error:?}");
                    // The previous pack is active again, also for followers.
                    let before = (number - 1) as f32;
                    assert_eq!((active_shift(&manager), typed_shift(&follower).unwrap()), (before, before), "{number}");
                    refused += 1;
                } else {
                    let dir = releases.good(number);
                    newest.store(number, SeqCst);
                    manager.upgrade(dir).unwrap_or_else(|error| panic!("{number}: {error}"));
                    oldest.store(number, SeqCst);
                    went_live += 1;
                }
                // Spreads the swaps over the whole duration.
                thread::sleep((duration() * number / swaps).saturating_sub(begin.elapsed()));
            }));
            if let Err(panic) = swapped {
                done.store(true, SeqCst);
                std::panic::resume_unwind(panic);
            }
        }
        done.store(true, SeqCst);
    });

    let seen = seen.into_inner().unwrap();
    assert_eq!((went_live, refused), (swaps / 2, swaps / 2));
    // Releases that must never be called were not.
    for number in seen.iter().filter(|number| **number % 2 == 0 && **number > 0) {
        assert_eq!(number / 2 % 5, 4, "release {number} was refused before it was active, and was called");
    }
    let good = seen.iter().filter(|number| *number % 2 == 1).count();
    println!("{} calls on {THREADS} threads saw {good} of {went_live} releases", calls.into_inner());
    // The calls continued throughout.
    assert!(good > 5, "only {good} releases were ever called");
}
