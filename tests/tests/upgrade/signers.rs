//! Tests packs whose key is revoked, and the same packs signed by another key.

use std::{
    fs,
    path::{Path, PathBuf},
};

use kernelpack_host::{
    Runtime,
    error::{Rejected, VerifyError},
    manager::{KernelManager, ManagerError, RollbackError, UpgradeError},
    pack::PackId,
    trust::{TrustStore, TrustedKey},
};
use kernelpack_manifest::{SecretKey, Timestamp};
use kernelpack_packer::sign;
use kernelpack_tests::{apply, engine::Engine, on_both_engines, pack};
use serde_json::{Map, Value};
use tempfile::TempDir;

use crate::releases::{ID, Release, Releases, active_shift, shift};

fn next_key() -> SecretKey {
    SecretKey::from_seed([27; 32])
}

/// Returns a trust store with the key of the releases and its successor.
fn trusted() -> TrustStore {
    let mut store = TrustStore::default();
    for (id, key) in [("release-2026", pack::key()), ("release-2027", next_key())] {
        let (id, key) = (id.to_owned(), key.public());
        store.add(TrustedKey { id, key, not_after: None, revoked: None, native: true, comment: None }).unwrap();
    }
    store
}

fn revoked() -> TrustStore {
    let mut store = trusted();
    store.revoke("release-2026", "2026-02-01T00:00:00Z".parse::<Timestamp>().unwrap(), "laptop stolen").unwrap();
    store
}

struct Fixture {
    engine: Engine,
    folder: TempDir,
    releases: Releases,
}

impl Fixture {
    fn new(engine: Engine) -> Self {
        Self { engine, folder: TempDir::new().unwrap(), releases: Releases::new(engine) }
    }

    fn runtime(&self, keys: TrustStore) -> Runtime {
        self.engine.server().trust_store(keys).build().unwrap()
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// Returns a manager of the store, with these keys.
    fn open(&self, keys: TrustStore) -> Result<KernelManager, ManagerError> {
        KernelManager::builder(self.runtime(keys)).store(self.root()).build()
    }

    /// Like [`open`](Self::open), but starts even if no pack in the store can be used.
    fn open_empty(&self, keys: TrustStore) -> KernelManager {
        KernelManager::builder(self.runtime(keys)).store(self.root()).start_empty().build().unwrap()
    }

    /// Writes a release, signed by the old key.
    fn old(&self, number: u32) -> PathBuf {
        self.releases.good(number)
    }

    /// Writes the same release, signed by the new key, as `kernelpack sign` does it.
    fn anew(&self, number: u32) -> PathBuf {
        let dir = self.releases.add(&format!("{number}-anew"), &Release::of(number));
        sign(&dir, &next_key()).unwrap();
        dir
    }

    fn state(&self) -> PathBuf {
        self.root().join("state.json")
    }

    fn packs(&self) -> usize {
        fs::read_dir(self.root().join("packs")).unwrap().count()
    }
}

#[track_caller]
fn assert_revoked(error: &UpgradeError) {
    let UpgradeError::Rejected(rejected) = error else { panic!("{error:?}") };
    assert!(matches!(**rejected, Rejected::Unverified(VerifyError::KeyRevoked { .. })), "{rejected:?}");
}

#[track_caller]
fn assert_signed_anew(id: &PackId, number: u32) {
    assert_eq!((id.version.patch, &id.signed_by), (u64::from(number), &next_key().public().id()));
}

/// Asserts that no rollback leads to a pack of a revoked key.
#[track_caller]
fn assert_no_way_back(manager: &KernelManager) {
    match manager.rollback().unwrap_err() {
        RollbackError::Unusable(error) => assert_revoked(&error),
        error => panic!("{error:?}"),
    }
}

#[apply(on_both_engines)]
fn a_running_service_goes_over_to_the_pack_signed_by_another_key(engine: Engine) {
    let fixture = Fixture::new(engine);
    for with_store in [true, false] {
        let runtime = fixture.runtime(trusted());
        let mut manager = KernelManager::builder(runtime.clone());
        if with_store {
            manager = manager.store(fixture.root());
        }
        let manager = manager.build().unwrap();
        manager.upgrade(fixture.old(1)).unwrap();
        manager.upgrade(fixture.old(2)).unwrap();
        let followed = manager.follow_named(ID).unwrap();

        runtime.replace_trust_store(revoked());
        assert_revoked(&manager.upgrade(fixture.old(2)).unwrap_err());
        let swapped = manager.upgrade(fixture.anew(2)).unwrap();
        let (from, to) = (swapped.from.clone().unwrap(), swapped.to.clone());
        assert_signed_anew(&to, 2);
        assert!(swapped.is_change() && from.content == to.content && from.digest != to.digest);
        assert_eq!(shift(|inputs, params| followed.run(inputs, params)).unwrap(), 2.0);
        // The same pack with its former signature is not the previous one, and the version before has the same key.
        assert_eq!(manager.previous().unwrap().version.patch, 1);
        assert_no_way_back(&manager);
        assert_signed_anew(&manager.active().unwrap(), 2);
        if with_store {
            assert_eq!(fixture.packs(), 2);
        }
    }
    // A new process finds the same state.
    let manager = fixture.open(revoked()).unwrap();
    assert!(manager.startup_fallback().is_none());
    assert_signed_anew(&manager.active().unwrap(), 2);
    assert_no_way_back(&manager);
    // From here on, releases and rollbacks work as usual.
    let next = Release { key: next_key(), ..Release::of(3) };
    manager.upgrade(fixture.releases.add("3", &next)).unwrap();
    assert_signed_anew(&manager.rollback().unwrap().to, 2);
    assert_eq!(active_shift(&manager), 2.0);
}

#[apply(on_both_engines)]
fn a_store_with_no_usable_pack_takes_the_same_pack_signed_by_another_key(engine: Engine) {
    let fixture = Fixture::new(engine);
    let manager = fixture.open(trusted()).unwrap();
    manager.upgrade(fixture.old(1)).unwrap();
    manager.upgrade(fixture.old(2)).unwrap();
    drop(manager);

    let error = fixture.open(revoked()).unwrap_err();
    let ManagerError::NothingUsable { error, previous: Some(previous), .. } = &error else { panic!("{error:?}") };
    assert_revoked(error);
    assert_revoked(previous);
    let manager = fixture.open_empty(revoked());
    manager.upgrade(fixture.anew(2)).unwrap();
    assert_eq!(active_shift(&manager), 2.0);
    assert_eq!(active_shift(&fixture.open(revoked()).unwrap()), 2.0);
    // Other content with the same version is still refused.
    let other = Release { key: next_key(), shift: 7.0, expected: 7.0, ..Release::of(2) };
    let reused = manager.upgrade(fixture.releases.add("other", &other)).unwrap_err();
    assert!(matches!(reused, UpgradeError::VersionReused { .. }), "{reused:?}");
    let said = reused.to_string();
    let active = manager.active().unwrap();
    assert!(said.contains(&format!("accepted with the content {}; raise", active.content)), "{said}");
}

#[apply(on_both_engines)]
fn what_was_rolled_back_to_is_signed_by_another_key(engine: Engine) {
    let fixture = Fixture::new(engine);
    let manager = fixture.open(trusted()).unwrap();
    manager.upgrade(fixture.old(1)).unwrap();
    manager.upgrade(fixture.old(2)).unwrap();
    manager.rollback().unwrap();
    drop(manager);

    let manager = fixture.open_empty(revoked());
    // It is older than the newest version, which is not active.
    manager.upgrade(fixture.anew(1)).unwrap();
    assert_signed_anew(&fixture.open(revoked()).unwrap().active().unwrap(), 1);
    // A withdrawn pack stays withdrawn, whoever signs it.
    let inbox = TempDir::new_in(fixture.folder.path()).unwrap();
    fs::rename(fixture.anew(2), inbox.path().join("2")).unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    let watch = manager.watch(inbox.path()).on_event(move |event| tell.send(format!("{event:?}")).unwrap());
    let watch = watch.start().unwrap();
    let event = told.recv_timeout(std::time::Duration::from_secs(60)).unwrap();
    assert!(event.starts_with("Refused") && event.contains("Withdrawn"), "{event}");
    drop(watch);
    assert_eq!(active_shift(&manager), 1.0);
}

/// Rewrites the state in the old format (1), which recorded manifest digests but no content digests.
fn write_former(path: &Path) {
    let mut state: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    fn without_content(value: &mut Value) {
        if let Some(object) = value.as_object_mut() {
            object.remove("content").expect("every record has its content");
        }
    }
    let top: &mut Map<_, _> = state.as_object_mut().unwrap();
    top["format"] = 1.into();
    ["active", "previous"].into_iter().for_each(|id| without_content(&mut top[id]));
    top["newest"].as_object_mut().unwrap().values_mut().for_each(without_content);
    fs::write(path, serde_json::to_vec(&state).unwrap()).unwrap();
}

#[apply(on_both_engines)]
fn a_store_that_knew_no_contents_goes_on(engine: Engine) {
    let fixture = Fixture::new(engine);
    let manager = fixture.open(trusted()).unwrap();
    manager.upgrade(fixture.old(1)).unwrap();
    manager.upgrade(fixture.old(2)).unwrap();
    let state = manager.store().unwrap().state().unwrap();
    write_former(&fixture.state());
    // The store reads the missing digests from the packs themselves.
    assert_eq!(manager.store().unwrap().state().unwrap(), state);
    assert!(manager.refresh().unwrap().is_none());
    drop(manager);

    let manager = fixture.open(trusted()).unwrap();
    assert_eq!(active_shift(&manager), 2.0);
    assert!(!manager.upgrade(fixture.old(2)).unwrap().is_change());
    manager.rollback().unwrap();
    manager.upgrade(fixture.old(2)).unwrap();
    drop(manager);
    write_former(&fixture.state());
    fixture.open_empty(revoked()).upgrade(fixture.anew(2)).unwrap();
    assert_signed_anew(&fixture.open(revoked()).unwrap().active().unwrap(), 2);
}

#[apply(on_both_engines)]
fn a_store_that_knew_no_contents_and_has_lost_its_packs_goes_on(engine: Engine) {
    let fixture = Fixture::new(engine);
    fixture.open(trusted()).unwrap().upgrade(fixture.old(2)).unwrap();
    write_former(&fixture.state());
    let former = fs::read(fixture.state()).unwrap();
    for entry in fs::read_dir(fixture.root().join("packs")).unwrap() {
        fs::remove_dir_all(entry.unwrap().path()).unwrap();
    }
    // The same manifest is recognized; one that cannot be compared with it needs another version.
    let manager = fixture.open_empty(trusted());
    let unknown = manager.upgrade(fixture.anew(2)).unwrap_err();
    assert!(matches!(unknown, UpgradeError::VersionReused { .. }), "{unknown:?}");
    manager.upgrade(fixture.old(2)).unwrap();
    assert_eq!(active_shift(&fixture.open(trusted()).unwrap()), 2.0);
    manager.upgrade(fixture.anew(2)).unwrap();
    assert_signed_anew(&fixture.open(revoked()).unwrap().active().unwrap(), 2);

    fs::write(fixture.state(), former).unwrap();
    let manager = fixture.open_empty(trusted());
    let next = Release { key: next_key(), ..Release::of(3) };
    manager.upgrade(fixture.releases.add("3", &next)).unwrap();
    assert_eq!(active_shift(&fixture.open(revoked()).unwrap()), 3.0);
}
