//! Tests trust stores in a runtime: keys that expire or are revoked before packs are opened and while they are in use.

use std::{
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    thread,
};

use kernelpack_host::{
    Error, Runtime,
    error::{Rejected, VerifyError},
    pack::VerifiedPack,
    trust::{KernelPackVerifier, TrustStore, TrustedKey},
};
use kernelpack_manifest::{SecretKey, Timestamp};
use kernelpack_tests::{
    apply,
    engine::Engine,
    on_both_engines, on_each_engine,
    pack::{self, Copy, MANIFEST, SIGNATURE},
};

use super::wat_kernel::{Parts, call};

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn next_key() -> SecretKey {
    SecretKey::from_seed([27; 32])
}

/// Returns a trust store with the key that signs test packs, and its successor.
fn store() -> TrustStore {
    let mut store = TrustStore::default();
    for (id, key) in [("release-2026", pack::key()), ("release-2027", next_key())] {
        let entry = TrustedKey {
            id: id.into(),
            key: key.public(),
            not_after: None,
            revoked: None,
            native: true,
            comment: None,
        };
        store.add(entry).unwrap();
    }
    store
}

fn revoked() -> TrustStore {
    let mut store = store();
    store.revoke("release-2026", time("2026-02-01T00:00:00Z"), "laptop stolen").unwrap();
    store
}

fn expired(not_after: &str) -> TrustStore {
    let mut store = store();
    store.expire("release-2026", time(not_after)).unwrap();
    store
}

fn runtime(engine: Engine, store: TrustStore) -> Runtime {
    engine.server().trust_store(store).build().unwrap()
}

#[track_caller]
fn unverified<T: std::fmt::Debug>(result: Result<T, Error>) -> VerifyError {
    match result {
        Err(Error::Rejected(rejected)) => match *rejected {
            Rejected::Unverified(error) => error,
            other => panic!("{other}"),
        },
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn assert_revoked<T: std::fmt::Debug>(result: Result<T, Error>) {
    let (at, reason) = (time("2026-02-01T00:00:00Z"), "laptop stolen".to_owned());
    assert_eq!(unverified(result), VerifyError::KeyRevoked { id: "release-2026".into(), at, reason });
}

/// Returns a pack with the same content, signed by the next key.
fn signed_next(pack: &Copy) -> Copy {
    let copy = Copy::of(pack.path());
    copy.write(SIGNATURE, &next_key().sign(&copy.read(MANIFEST)));
    copy
}

#[apply(on_each_engine)]
fn a_key_is_revoked_while_its_pack_is_in_use(engine: Engine) {
    let folder = engine.ready(Parts::default().pack());
    let runtime = runtime(engine, store());
    let pack = runtime.open(folder.path()).unwrap();
    assert_eq!(pack.signer().id.as_deref(), Some("release-2026"));
    assert_eq!(pack.signed_by(), &pack::key().public());
    runtime.check_trust(&pack).unwrap();
    // The pack is verified, but not loaded yet, when the key is revoked.
    let verified = VerifiedPack::open(folder.path(), &runtime.verifier()).unwrap();
    let (kernel, clone) = (pack.kernel_named("wat_kernel").unwrap(), runtime.clone());

    let replaced = AtomicBool::new(false);
    thread::scope(|scope| {
        let openers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let after = replaced.load(SeqCst);
                        let opened = runtime.open(folder.path());
                        if after {
                            return assert_revoked(opened);
                        }
                        if opened.is_err() {
                            assert_revoked(opened);
                        }
                    }
                })
            })
            .collect();
        let caller = scope.spawn(|| {
            while !replaced.load(SeqCst) {
                call(&kernel, 0).unwrap();
            }
        });
        clone.replace_trust_store(revoked());
        replaced.store(true, SeqCst);
        caller.join().unwrap();
        openers.into_iter().for_each(|opener| opener.join().unwrap());
    });

    // The loaded pack still works, but the runtime reports that it should not be used.
    call(&kernel, 0).unwrap();
    call(&pack.kernel_named("wat_kernel").unwrap(), 0).unwrap();
    for runtime in [&runtime, &clone] {
        assert_revoked(runtime.check_trust(&pack));
        assert_revoked(runtime.open(folder.path()));
    }
    assert_revoked(runtime.load(verified));

    let next = runtime.open(signed_next(&folder).path()).unwrap();
    assert_eq!(next.signer().to_string(), format!("release-2027 ({})", next_key().public()));
    runtime.check_trust(&next).unwrap();
    call(&next.kernel_named("wat_kernel").unwrap(), 0).unwrap();
}

#[apply(on_both_engines)]
fn a_revoked_key_is_refused_though_it_is_trusted_by_itself(engine: Engine) {
    let folder = Parts::default().pack();
    let key = pack::key().public();
    for builder in [
        engine.server().trust(key).trust_store(revoked()),
        engine.server().trust_store(revoked()).trust(key).trust(next_key().public()),
    ] {
        assert_revoked(builder.build().unwrap().open(folder.path()));
    }
    // A directly trusted key stays trusted unless a new store says otherwise.
    let runtime = engine.server().trust(key).build().unwrap();
    let pack = runtime.open(folder.path()).unwrap();
    assert_eq!(pack.signer().id, None);
    runtime.replace_trust_store(TrustStore::default());
    runtime.check_trust(&pack).unwrap();
    runtime.replace_trust_store(revoked());
    assert_revoked(runtime.check_trust(&pack));
}

#[apply(on_both_engines)]
fn an_expired_key_is_refused_by_its_id_whatever_the_pack_says_of_its_age(engine: Engine) {
    // According to its signer, the pack was signed long before the key expired.
    let folder = Parts::default().pack_with(|manifest| manifest.created_at = "1970-06-01T00:00:00Z".into());
    let runtime = runtime(engine, expired("9999-12-31T23:59:59Z"));
    let pack = runtime.open(folder.path()).unwrap();
    runtime.replace_trust_store(expired("2001-01-01T00:00:00Z"));
    for refused in [runtime.open(folder.path()).map(drop), runtime.check_trust(&pack)] {
        match unverified(refused) {
            VerifyError::KeyExpired { id, not_after, now } => {
                assert_eq!((id.as_str(), not_after), ("release-2026", time("2001-01-01T00:00:00Z")));
                assert!(now > time("2026-01-01T00:00:00Z"), "{now}");
            }
            other => panic!("{other}"),
        }
    }
    runtime.replace_trust_store(expired("9999-12-31T23:59:59Z"));
    runtime.check_trust(&pack).unwrap();
}

#[apply(on_both_engines)]
fn a_runtime_that_trusts_nobody_opens_nothing_and_says_what_to_do(engine: Engine) {
    let folder = Parts::default().pack();
    let said = |store| runtime(engine, store).open(folder.path()).unwrap_err().to_string();
    assert_eq!(
        said(TrustStore::default()),
        "pack rejected: no trusted keys are configured; add the public key that signs your packs"
    );
    // The only trusted key is revoked, and another one signed.
    let mut only = TrustStore::default();
    only.add(store().keys()[1].clone()).unwrap();
    only.revoke("release-2027", time("2026-02-01T00:00:00Z"), "lost").unwrap();
    assert_eq!(
        said(only),
        "pack rejected: no key is trusted any more: of those in the trust store, 1 revoked and 0 expired; add the \
         key that signs your packs now"
    );
}

#[apply(on_both_engines)]
fn the_key_that_a_manifest_names_is_not_believed(engine: Engine) {
    let stranger = SecretKey::from_seed([9; 32]);
    let folder = Parts::default().pack_with(|manifest| manifest.author.signing_key = next_key().public().id());
    // The manifest names the next key, which is trusted, but the revoked one or an unknown one signed it.
    assert_revoked(runtime(engine, revoked()).open(folder.path()));
    folder.write(SIGNATURE, &stranger.sign(&folder.read(MANIFEST)));
    assert_eq!(unverified(runtime(engine, revoked()).open(folder.path())), VerifyError::NoTrustedKey);
    // The manifest names the revoked key or an unknown one, but the next one signed it.
    for named in [pack::key(), stranger] {
        let folder = Parts::default().pack_with(|manifest| manifest.author.signing_key = named.public().id());
        let pack = runtime(engine, revoked()).open(signed_next(&folder).path()).unwrap();
        assert_eq!(pack.signer().id.as_deref(), Some("release-2027"));
    }
}

#[apply(on_both_engines)]
fn a_pack_that_another_verifier_let_through_is_judged_again(engine: Engine) {
    let folder = Parts::default().pack();
    let verified = || VerifiedPack::open(folder.path(), &KernelPackVerifier::new([pack::key().public()])).unwrap();
    let other = engine.server().trust(next_key().public()).build().unwrap();
    assert_eq!(unverified(other.load(verified())), VerifyError::NoTrustedKey);
    assert_eq!(unverified(engine.server().build().unwrap().load(verified())), VerifyError::NoKeys);
    assert_revoked(runtime(engine, revoked()).load(verified()));
    assert_eq!(runtime(engine, store()).load(verified()).unwrap().signer().id.as_deref(), Some("release-2026"));
}
