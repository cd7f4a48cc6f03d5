//! Tests packs on disk: what outlives a process, and what a store does about changed files.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::{Path, PathBuf},
};

use kernelpack_host::manager::{
    KernelManager, ManagerError, PackStore, RollbackError, Stage, StoreError, UpgradeError,
};
use kernelpack_manifest::SecretKey;
use kernelpack_tests::{apply, engine::Engine, on_both_engines, pack};
use tempfile::TempDir;

use crate::releases::{Release, Releases, active_shift};

struct Fixture {
    engine: Engine,
    folder: TempDir,
    releases: Releases,
}

impl Fixture {
    /// Makes a store and upgrades it to these releases in order.
    fn with(engine: Engine, numbers: &[u32]) -> Self {
        let fixture = Self { engine, folder: TempDir::new().unwrap(), releases: Releases::new(engine) };
        let manager = fixture.open();
        for number in numbers {
            manager.upgrade(fixture.releases.good(*number)).unwrap();
        }
        fixture
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    fn open(&self) -> KernelManager {
        self.try_open().unwrap()
    }

    fn try_open(&self) -> Result<KernelManager, ManagerError> {
        KernelManager::builder(self.engine.runtime()).store(self.root()).build()
    }

    fn names(&self, folder: &str) -> BTreeSet<String> {
        let entries = fs::read_dir(self.root().join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// Returns the folder of an installed release.
    fn installed(&self, number: u32) -> PathBuf {
        let prefix = format!("shifts-1.0.{number}-");
        let name = self.names("packs").into_iter().find(|name| name.starts_with(&prefix)).unwrap();
        self.root().join("packs").join(name)
    }

    fn rot(&self, number: u32) {
        let module = self.installed(number).join("shift/shift_f32.wasm");
        let mut bytes = fs::read(&module).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(module, bytes).unwrap();
    }
}

#[apply(on_both_engines)]
fn what_was_active_is_active_in_the_next_process_and_so_is_the_way_back(engine: Engine) {
    let fixture = Fixture::with(engine, &[1, 2, 3]);
    // Versions other than the active and the previous one are not kept.
    assert_eq!(fixture.names("packs").len(), 2);
    assert!(fixture.names("staging").is_empty());

    let manager = fixture.open();
    assert_eq!(active_shift(&manager), 3.0);
    let older = manager.upgrade(fixture.releases.path().join("1")).unwrap_err();
    assert!(matches!(older, UpgradeError::Downgrade { .. }), "{older:?}");
    assert_eq!(manager.previous().unwrap().version.patch, 2);
    manager.rollback().unwrap();
    assert_eq!(active_shift(&manager), 2.0);
    assert!(matches!(manager.rollback(), Err(RollbackError::NoPreviousPack)));
    assert_eq!(active_shift(&fixture.open()), 2.0);
    assert_eq!(fixture.names("packs").len(), 1);
}

#[apply(on_both_engines)]
fn a_refused_pack_leaves_no_trace(engine: Engine) {
    let fixture = Fixture::with(engine, &[1]);
    let state = fs::read(fixture.root().join("state.json")).unwrap();
    let forged = Release { key: SecretKey::from_seed([8; 32]), ..Release::of(2) };
    fixture.open().upgrade(fixture.releases.add("forged", &forged)).unwrap_err();
    let picky = KernelManager::builder(engine.runtime())
        .store(fixture.root())
        .probe(|pack, stage| match (pack.manifest().version.patch, stage) {
            (3, Stage::BeforeSwap) | (4, Stage::AfterSwap) => Err("no".into()),
            _ => Ok(()),
        })
        .build()
        .unwrap();
    for number in [3, 4] {
        picky.upgrade(fixture.releases.good(number)).unwrap_err();
    }
    assert_eq!(active_shift(&picky), 1.0);
    assert_eq!(fs::read(fixture.root().join("state.json")).unwrap(), state);
    assert_eq!((fixture.names("packs").len(), fixture.names("staging").len()), (1, 0));
}

#[apply(on_both_engines)]
fn a_rotten_pack_gives_way_to_the_previous_one_and_says_so(engine: Engine) {
    let fixture = Fixture::with(engine, &[1, 2]);
    fixture.rot(2);
    let manager = fixture.open();
    assert_eq!(active_shift(&manager), 1.0);
    let fallback = manager.startup_fallback().unwrap();
    assert_eq!(fallback.unusable.version.patch, 2);
    assert!(matches!(fallback.error, UpgradeError::Rejected(_)), "{:?}", fallback.error);
    // A pack that was found unusable is not tried again.
    assert!(manager.refresh().unwrap().is_none());
    // Upgrading to the same pack repairs it.
    assert!(manager.upgrade(fixture.releases.path().join("2")).unwrap().is_change());
    let manager = fixture.open();
    assert!(manager.startup_fallback().is_none());
    assert_eq!(active_shift(&manager), 2.0);
    manager.rollback().unwrap();
    assert_eq!(active_shift(&manager), 1.0);
}

#[apply(on_both_engines)]
fn after_a_fallback_the_pack_that_ran_is_the_one_to_go_back_to(engine: Engine) {
    let fixture = Fixture::with(engine, &[1, 2]);
    fixture.rot(2);
    let manager = fixture.open();
    manager.upgrade(fixture.releases.good(3)).unwrap();
    assert_eq!(manager.previous().unwrap().version.patch, 1);
    // An upgrade can also replace it permanently.
    fixture.rot(3);
    let manager = fixture.open();
    assert_eq!(manager.rollback().unwrap().to.version.patch, 1);
    assert!(fixture.open().startup_fallback().is_none());
}

#[apply(on_both_engines)]
fn a_pack_that_rots_while_it_is_active_is_repaired_by_the_same_upgrade(engine: Engine) {
    let fixture = Fixture::with(engine, &[1, 2]);
    let manager = fixture.open();
    fixture.rot(2);
    assert!(!manager.upgrade(fixture.releases.path().join("2")).unwrap().is_change());
    assert!(fixture.open().startup_fallback().is_none());
    assert_eq!(manager.previous().unwrap().version.patch, 1);
}

#[apply(on_both_engines)]
fn a_store_without_any_usable_pack_says_what_is_wrong_with_each(engine: Engine) {
    let fixture = Fixture::with(engine, &[1, 2]);
    fixture.rot(2);
    fs::remove_dir_all(fixture.installed(1)).unwrap();
    let error = fixture.try_open().unwrap_err();
    let ManagerError::NothingUsable { active, error, previous: Some(previous) } = &error else { panic!("{error:?}") };
    assert_eq!(active.version.patch, 2);
    assert!(matches!(**error, UpgradeError::Rejected(_)), "{error:?}");
    assert!(matches!(**previous, UpgradeError::Store(_)), "{previous:?}");

    let empty = KernelManager::builder(engine.runtime()).store(fixture.root()).start_empty().build().unwrap();
    assert!(empty.active().is_none() && empty.startup_fallback().is_some());
    let older = empty.upgrade(fixture.releases.path().join("1")).unwrap_err();
    assert!(matches!(older, UpgradeError::Downgrade { .. }), "{older:?}");
    empty.upgrade(fixture.releases.path().join("2")).unwrap();
    assert_eq!(active_shift(&fixture.open()), 2.0);
}

#[apply(on_both_engines)]
fn the_store_is_not_trusted_and_keys_are_asked_again(engine: Engine) {
    let fixture = Fixture::with(engine, &[1]);
    let (old, new) = (pack::key(), SecretKey::from_seed([9; 32]));
    let trusting = |keys: &[&SecretKey]| {
        let runtime = keys.iter().fold(engine.server(), |runtime, key| runtime.trust(key.public())).build().unwrap();
        KernelManager::builder(runtime).store(fixture.root()).build()
    };
    assert!(matches!(trusting(&[&new]), Err(ManagerError::NothingUsable { previous: None, .. })));
    // The same pack, signed again while both keys are trusted, replaces the old one before its key is revoked.
    let signed_anew = fixture.releases.add_with("anew", &Release { key: new.clone(), ..Release::of(1) }, |manifest| {
        manifest.author.signing_key = old.public().id();
    });
    let swapped = trusting(&[&old, &new]).unwrap().upgrade(signed_anew).unwrap();
    assert_eq!(swapped.from.as_ref().map(|id| id.digest), Some(swapped.to.digest));
    assert_ne!(swapped.from.as_ref().map(|id| &id.signed_by), Some(&swapped.to.signed_by));
    let manager = trusting(&[&new]).unwrap();
    assert!(manager.startup_fallback().is_none());
    assert_eq!(active_shift(&manager), 1.0);
}

#[apply(on_both_engines)]
fn leftovers_go_and_foreign_files_stay(engine: Engine) {
    let fixture = Fixture::with(engine, &[1, 2]);
    let root = fixture.root();
    let outside = fixture.folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("kept"), "").unwrap();
    fs::create_dir_all(root.join("staging/install/shift")).unwrap();
    fs::write(root.join("staging/install/kernels.json"), "{").unwrap();
    fs::write(root.join("staging/state.json"), "{").unwrap();
    fs::write(root.join("staging/notes"), "mine").unwrap();
    fs::write(root.join("packs/notes"), "mine").unwrap();
    fs::create_dir(root.join("packs/backup")).unwrap();
    fs::rename(root.join("packs/backup"), root.join("packs/old-backup")).unwrap();
    fs::create_dir(root.join("packs/shifts-0.9.0-0123456789ab")).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&outside, root.join("packs/shifts-0.8.0-0123456789ab")).unwrap();
        std::os::unix::fs::symlink(&outside, root.join("staging/discard")).unwrap();
    }
    fixture.open();
    assert_eq!(fixture.names("staging"), BTreeSet::from(["notes".to_owned()]));
    let packs = fixture.names("packs");
    assert!(packs.contains("notes") && packs.contains("old-backup") && !packs.contains("shifts-0.9.0-0123456789ab"));
    assert!(outside.join("kept").exists());
}

#[cfg(unix)]
#[apply(on_both_engines)]
fn links_are_not_followed(engine: Engine) {
    use std::os::unix::fs::symlink;

    let fixture = Fixture::with(engine, &[1]);
    let (root, packs) = (fixture.root(), fixture.installed(1));
    let elsewhere = fixture.folder.path().join("elsewhere");
    let swap = |path: &Path| {
        fs::rename(path, &elsewhere).unwrap();
        symlink(&elsewhere, path).unwrap();
    };
    let back = |path: &Path| {
        fs::remove_file(path).unwrap();
        fs::rename(&elsewhere, path).unwrap();
    };
    swap(&packs);
    let error = fixture.try_open().unwrap_err();
    assert!(matches!(error, ManagerError::NothingUsable { .. }), "{error:?}");
    back(&packs);
    for folder in ["packs", "staging"] {
        swap(&root.join(folder));
        let error = fixture.try_open().unwrap_err();
        assert!(matches!(error, ManagerError::Store(StoreError::NotAFolder { .. })), "{error:?}");
        back(&root.join(folder));
    }
    swap(&root.join("state.json"));
    let error = fixture.try_open().unwrap_err();
    assert!(matches!(error, ManagerError::Store(StoreError::NotAFile { .. })), "{error:?}");
    back(&root.join("state.json"));
    assert_eq!(active_shift(&fixture.open()), 1.0);
}

#[apply(on_both_engines)]
fn a_state_that_no_store_wrote_is_an_error_and_never_a_panic(engine: Engine) {
    let fixture = Fixture::with(engine, &[1]);
    let path = fixture.root().join("state.json");
    let good = fs::read_to_string(&path).unwrap();
    for bad in ["", "{", "[]", "null", &good[..good.len() / 2], &good.replace("\"format\": 2", "\"format\": 7")] {
        fs::write(&path, bad).unwrap();
        let error = fixture.try_open().unwrap_err();
        assert!(matches!(error, ManagerError::Store(StoreError::BadState { .. })), "{bad:?}: {error:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), bad);
    }
    // Names in the state cannot lead outside of the store.
    fs::write(&path, good.replacen("shifts", "../../shifts", 1)).unwrap();
    assert!(matches!(fixture.try_open(), Err(ManagerError::NothingUsable { .. })));
    // Another valid pack under the expected name is refused.
    fs::write(&path, &good).unwrap();
    let folder = fixture.installed(1);
    fs::remove_dir_all(&folder).unwrap();
    Release::of(0).write(&folder);
    let Err(ManagerError::NothingUsable { error, .. }) = fixture.try_open() else { panic!("it opened") };
    assert!(matches!(*error, UpgradeError::Changed { .. }), "{error:?}");
}

#[apply(on_both_engines)]
fn one_process_at_a_time_changes_a_store_and_any_can_read_it(engine: Engine) {
    let fixture = Fixture::with(engine, &[1, 2]);
    let manager = fixture.open();
    let lock = File::open(fixture.root().join("lock")).unwrap();
    lock.lock().unwrap();
    let busy = manager.upgrade(fixture.releases.good(3)).unwrap_err();
    assert!(matches!(busy, UpgradeError::Store(StoreError::Busy { .. })), "{busy:?}");
    assert!(matches!(manager.rollback(), Err(RollbackError::Store(StoreError::Busy { .. }))));
    assert_eq!(active_shift(&fixture.open()), 2.0);
    lock.unlock().unwrap();
    manager.upgrade(fixture.releases.path().join("3")).unwrap();
}

#[apply(on_both_engines)]
fn what_another_process_made_active_is_taken_over(engine: Engine) {
    let fixture = Fixture::with(engine, &[1]);
    let (service, tool) = (fixture.open(), fixture.open());
    assert!(service.refresh().unwrap().is_none());
    tool.upgrade(fixture.releases.good(2)).unwrap();
    assert_eq!(active_shift(&service), 1.0);
    assert_eq!(service.refresh().unwrap().unwrap().to.version.patch, 2);
    assert_eq!(active_shift(&service), 2.0);
    tool.rollback().unwrap();
    service.refresh().unwrap().unwrap();
    assert_eq!(active_shift(&service), 1.0);
    // Versions that other processes accepted count here too.
    let older = service.upgrade(fixture.releases.good(0)).unwrap_err();
    assert!(matches!(older, UpgradeError::Downgrade { .. }), "{older:?}");
    assert_eq!(PackStore::open(fixture.root()).unwrap().state().unwrap().newest("shifts").unwrap().patch, 2);
}
