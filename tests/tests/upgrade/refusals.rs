//! Each step of an upgrade has its own error, after which the previous pack is still active.

use std::{
    fs,
    sync::{Arc, Barrier, Mutex},
    thread,
};

use kernelpack_abi::{DType, Kernel as _};
use kernelpack_host::{
    Error,
    error::BadCall,
    manager::{CheckFailed, KernelManager, Stage, Upgrade, UpgradeError},
    pack::CompatibilityResult,
};
use kernelpack_manifest::SecretKey;
use kernelpack_tests::{apply, engine::Engine, on_both_engines};

use crate::releases::{ID, Release, Releases, active_shift, manager, shift, shift_f32, typed_shift};

/// Upgrades a manager with release 1 to another pack, and returns the error.
#[track_caller]
fn refused(manager: &KernelManager, dir: std::path::PathBuf) -> UpgradeError {
    let before = manager.active();
    let error = manager.upgrade(dir).unwrap_err();
    assert_eq!(manager.active(), before);
    assert_eq!(active_shift(manager), 1.0);
    error
}

#[apply(on_both_engines)]
fn each_step_has_its_error(engine: Engine) {
    let releases = Releases::new(engine);
    let manager = manager(engine);
    manager.upgrade(releases.good(1)).unwrap();

    let forged = releases.add("forged", &Release { key: SecretKey::from_seed([8; 32]), ..Release::of(2) });
    assert!(matches!(refused(&manager, forged), UpgradeError::Rejected(_)));
    let missing = refused(&manager, releases.path().join("missing"));
    assert!(matches!(missing, UpgradeError::Unreadable(_)), "{missing:?}");
    let newer = releases.add_with("newer", &Release::of(2), |m| m.min_runtime_version = "8.0.0".parse().unwrap());
    let newer = refused(&manager, newer);
    let too_old = matches!(newer, UpgradeError::Incompatible(CompatibilityResult::RuntimeTooOld { .. }));
    assert!(too_old, "{newer:?}");

    let unwell = refused(&manager, releases.add("unwell", &Release { expected: 7.0, ..Release::of(2) }));
    let by_vector = matches!(&unwell, UpgradeError::UnhealthyBefore { reason: CheckFailed::Health(_), .. });
    assert!(by_vector, "{unwell:?}");
    let first = "unreachable";
    let trapping = refused(&manager, releases.add("trapping", &Release { first, ..Release::of(2) }));
    assert!(matches!(trapping, UpgradeError::UnhealthyBefore { .. }), "{trapping:?}");

    let older = refused(&manager, releases.good(0));
    assert!(matches!(&older, UpgradeError::Downgrade { newest, .. } if newest.to_string() == "1.0.1"), "{older:?}");
    let changed = releases.add("changed", &Release { shift: 7.0, ..Release::of(1) });
    let changed = refused(&manager, changed);
    assert!(matches!(changed, UpgradeError::VersionReused { .. }), "{changed:?}");
    let other = releases.add_with("other", &Release::of(2), |manifest| manifest.name = "other".to_owned());
    assert!(matches!(refused(&manager, other), UpgradeError::OtherName { .. }));
}

#[apply(on_both_engines)]
fn a_pack_that_the_runtime_has_no_room_for_is_told_at_compiling(engine: Engine) {
    let releases = Releases::new(engine);
    let runtime = engine.builder().max_memory_pages(1).build().unwrap();
    let manager = KernelManager::builder(runtime).build().unwrap();
    let error = manager.upgrade(releases.good(1)).unwrap_err();
    assert!(matches!(error, UpgradeError::Compile { .. }), "{error:?}");
    assert!(manager.active().is_none() && manager.pack().is_none());
    let error = manager.kernel_named(ID).unwrap_err();
    assert!(matches!(&error, Error::BadCall(call) if matches!(**call, BadCall::NoActivePack)), "{error}");
    assert!(manager.follow_named(ID).is_err() && manager.kernel::<shift_f32::Kernel>().is_err());
}

#[apply(on_both_engines)]
fn a_probe_can_refuse_before_and_after_the_swap_and_a_panic_refuses_too(engine: Engine) {
    let releases = Releases::new(engine);
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    let manager = KernelManager::builder(engine.runtime())
        .probe(move |pack, stage| {
            let version = pack.manifest().version.patch;
            log.lock().unwrap().push((version, stage));
            match (version, stage) {
                (2, Stage::BeforeSwap) | (3, Stage::AfterSwap) => Err("it is not what we want".into()),
                (4, Stage::BeforeSwap) | (5, Stage::AfterSwap) => panic!("no {version}"),
                _ => Ok(()),
            }
        })
        .build()
        .unwrap();
    manager.upgrade(releases.good(1)).unwrap();
    let follower = manager.follow::<shift_f32::Kernel>().unwrap();

    let panicked = |reason: &CheckFailed| matches!(reason, CheckFailed::Panicked { message } if message.len() == 4);
    for number in 2..=5 {
        let error = refused(&manager, releases.good(number));
        let as_expected = match (&error, number) {
            (UpgradeError::UnhealthyBefore { reason: CheckFailed::Probe(_), .. }, 2) => true,
            (UpgradeError::UnhealthyAfter { reason: CheckFailed::Probe(_), active: Some(_), .. }, 3) => true,
            (UpgradeError::UnhealthyBefore { reason, .. }, 4) => panicked(reason),
            (UpgradeError::UnhealthyAfter { reason, .. }, 5) => panicked(reason),
            _ => false,
        };
        assert!(as_expected, "{number}: {error:?}");
        assert_eq!(typed_shift(&follower).unwrap(), 1.0);
        // A refused pack does not become the previous one.
        assert!(manager.previous().is_none());
    }
    let (before, after) = (Stage::BeforeSwap, Stage::AfterSwap);
    let expected = [(1, before), (1, after), (2, before), (3, before), (3, after)];
    assert_eq!(asked.lock().unwrap()[..5], expected);
    manager.upgrade(releases.good(6)).unwrap();
    assert_eq!(typed_shift(&follower).unwrap(), 6.0);
}

#[apply(on_both_engines)]
fn a_first_pack_that_fails_when_active_leaves_none(engine: Engine) {
    let releases = Releases::new(engine);
    let manager = KernelManager::builder(engine.runtime())
        .probe(|_, stage| if stage == Stage::AfterSwap { Err("no".into()) } else { Ok(()) })
        .build()
        .unwrap();
    let error = manager.upgrade(releases.good(1)).unwrap_err();
    assert!(matches!(error, UpgradeError::UnhealthyAfter { active: None, .. }), "{error:?}");
    assert!(manager.active().is_none());
}

#[apply(on_both_engines)]
fn what_must_be_meant_can_be_said(engine: Engine) {
    let releases = Releases::new(engine);
    let manager = manager(engine);
    manager.upgrade(releases.good(5)).unwrap();
    manager.upgrade_with(releases.good(3), Upgrade::new().allow_downgrade()).unwrap();
    assert_eq!(active_shift(&manager), 3.0);
    // The newest version ever accepted still counts.
    let between = manager.upgrade(releases.good(4)).unwrap_err();
    assert!(matches!(between, UpgradeError::Downgrade { .. }), "{between:?}");
    manager.upgrade(releases.path().join("5")).unwrap();

    let other = releases.add_with("other", &Release::of(0), |manifest| manifest.name = "other".to_owned());
    let swapped = manager.upgrade_with(&other, Upgrade::new().allow_other_name()).unwrap();
    assert_eq!((swapped.from.unwrap().name.as_str(), swapped.to.name.as_str()), ("shifts", "other"));
    // A rollback may lead to a pack with another name.
    manager.rollback().unwrap();
    assert_eq!(active_shift(&manager), 5.0);
}

#[apply(on_both_engines)]
fn the_same_pack_again_is_no_change(engine: Engine) {
    let releases = Releases::new(engine);
    let manager = manager(engine);
    assert!(manager.upgrade(releases.good(1)).unwrap().is_change());
    manager.upgrade(releases.good(2)).unwrap();
    let again = manager.upgrade(releases.path().join("2")).unwrap();
    assert!(!again.is_change());
    assert_eq!(manager.previous().unwrap().version.to_string(), "1.0.1");
}

#[apply(on_both_engines)]
fn a_pack_cannot_take_away_what_is_followed(engine: Engine) {
    let releases = Releases::new(engine);
    let manager = manager(engine);
    manager.upgrade(releases.good(1)).unwrap();
    let typed = manager.follow::<shift_f32::Kernel>().unwrap();
    let named = manager.follow_named(ID).unwrap();

    let mut spec = shift_f32::Kernel::SPEC;
    let mut tensors = spec.forward.tensors.to_vec();
    tensors[0].dtype = DType::I32;
    spec.forward.tensors = tensors.leak();
    let changed = releases.add("changed", &Release { spec, ..Release::of(2) });
    let spec = kernelpack_abi::KernelSpec { id: "other_f32", family: "other", ..shift_f32::Kernel::SPEC };
    let renamed = releases.add("renamed", &Release { spec, ..Release::of(2) });
    for dir in [&changed, &renamed] {
        let error = refused(&manager, dir.clone());
        assert!(matches!(error, UpgradeError::Followed { .. }), "{error:?}");
    }
    assert_eq!(typed_shift(&typed).unwrap(), 1.0);
    assert_eq!(shift(|inputs, params| named.run(inputs, params)).unwrap(), 1.0);

    // The last follower is gone, so nothing prevents the upgrade.
    let clone = typed.clone();
    drop((typed, named));
    assert!(matches!(manager.upgrade(&changed).unwrap_err(), UpgradeError::Followed { .. }));
    drop(clone);
    manager.upgrade(&changed).unwrap();

    // A rollback cannot remove a kernel that is followed since then, either.
    let followed = manager.follow_named(ID).unwrap();
    let error = manager.rollback().unwrap_err();
    assert!(matches!(&error, kernelpack_host::manager::RollbackError::Unusable(_)), "{error:?}");
    assert_eq!(followed.current().signature().tensors[0].dtype, DType::I32);
    drop(followed);
    manager.rollback().unwrap();
    assert_eq!(active_shift(&manager), 1.0);
}

#[apply(on_both_engines)]
fn upgrades_at_the_same_time_go_one_after_the_other(engine: Engine) {
    const N: u32 = 8;
    let releases = Releases::new(engine);
    let manager = manager(engine);
    manager.upgrade(releases.good(1)).unwrap();
    let (manager, start) = (&manager, Barrier::new(N as usize));
    let start = &start;
    let dirs: Vec<_> = (2..2 + N).map(|number| releases.good(number)).collect();
    let swaps: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = dirs
            .iter()
            .map(|dir| {
                scope.spawn(move || {
                    start.wait();
                    manager.upgrade(dir)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    // In any order the newest wins, and each swap starts where another one ended.
    assert_eq!(active_shift(manager), (1 + N) as f32);
    let mut ends: Vec<_> = swaps.iter().filter_map(|swap| swap.as_ref().ok()).collect();
    ends.sort_by(|a, b| a.to.version.cmp(&b.to.version));
    for pair in ends.windows(2) {
        assert_eq!(pair[1].from.as_ref(), Some(&pair[0].to));
    }
    for refused in swaps.iter().filter_map(|swap| swap.as_ref().err()) {
        assert!(matches!(refused, UpgradeError::Downgrade { .. }), "{refused:?}");
    }
}

#[apply(on_both_engines)]
fn files_that_change_after_an_upgrade_change_nothing(engine: Engine) {
    let releases = Releases::new(engine);
    let manager = manager(engine);
    let dir = releases.good(1);
    manager.upgrade(&dir).unwrap();
    fs::remove_dir_all(dir).unwrap();
    assert_eq!(active_shift(&manager), 1.0);
}
