//! Tests rollbacks, and how long they are possible.

use std::{thread, time::Duration};

use kernelpack_host::manager::{KernelManager, RollbackError, UpgradeError};
use kernelpack_tests::{apply, engine::Engine, on_both_engines};

use crate::releases::{ID, Releases, active_shift, manager, shift};

#[apply(on_both_engines)]
fn one_step_back_and_no_further(engine: Engine) {
    let releases = Releases::new(engine);
    let manager = manager(engine);
    assert!(matches!(manager.rollback(), Err(RollbackError::NoPreviousPack)));
    manager.upgrade(releases.good(1)).unwrap();
    assert!(matches!(manager.rollback(), Err(RollbackError::NoPreviousPack)));
    manager.upgrade(releases.good(2)).unwrap();
    manager.upgrade(releases.good(3)).unwrap();
    let followed = manager.follow_named(ID).unwrap();
    let held = manager.kernel_named(ID).unwrap();

    let back = manager.rollback().unwrap();
    assert_eq!((back.from.unwrap().version.patch, back.to.version.patch), (3, 2));
    assert_eq!(active_shift(&manager), 2.0);
    assert_eq!(shift(|inputs, params| followed.run(inputs, params)).unwrap(), 2.0);
    assert_eq!(shift(|inputs, params| held.run(inputs, params)).unwrap(), 3.0);
    assert!(matches!(manager.rollback(), Err(RollbackError::NoPreviousPack)));
    assert_eq!(active_shift(&manager), 2.0);

    // An upgrade on request leads forward again.
    manager.upgrade(releases.path().join("3")).unwrap();
    assert_eq!(active_shift(&manager), 3.0);
    manager.rollback().unwrap();
    let older = manager.upgrade(releases.path().join("1")).unwrap_err();
    assert!(matches!(older, UpgradeError::Downgrade { .. }), "{older:?}");
}

#[apply(on_both_engines)]
fn the_previous_pack_goes_when_its_time_is_up(engine: Engine) {
    let releases = Releases::new(engine);
    let manager = KernelManager::builder(engine.runtime()).grace_period(Duration::from_millis(1)).build().unwrap();
    manager.upgrade(releases.good(1)).unwrap();
    let held = manager.kernel_named(ID).unwrap();
    manager.upgrade(releases.good(2)).unwrap();
    while manager.previous().is_some() {
        thread::yield_now();
    }
    assert!(matches!(manager.rollback(), Err(RollbackError::NoPreviousPack)));
    assert_eq!(active_shift(&manager), 2.0);
    // A kernel that is still held can be called, even after the manager is dropped.
    drop(manager);
    assert_eq!(shift(|inputs, params| held.run(inputs, params)).unwrap(), 1.0);
}
