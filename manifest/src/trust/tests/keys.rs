use super::*;

fn expiring(entry: &mut TrustedKey) {
    entry.not_after = Some(NOT_AFTER.parse().unwrap());
}

fn revoked(entry: &mut TrustedKey) {
    let at = "2030-02-01T00:00:00Z".parse().unwrap();
    entry.revoked = Some(crate::Revocation { at, reason: "laptop stolen".into() });
}

/// Returns why the samples are refused at this time.
#[track_caller]
fn unverified(verifier: &KernelPackVerifier, now: SystemTime) -> VerifyError {
    let (json, signature) = signed();
    let Rejected::Unverified(error) = verifier.verify(&json, &signature, now).unwrap_err() else { panic!() };
    // Checking the key alone gives the same answer.
    assert_eq!(verifier.check_key(&key().public(), now), Err(error.clone()));
    error
}

#[track_caller]
fn signer(verifier: &KernelPackVerifier, now: SystemTime) -> Signer {
    let (json, signature) = signed();
    let signed = verifier.verify(&json, &signature, now).unwrap();
    assert_eq!(signed.signed_by(), &key().public());
    assert_eq!(verifier.check_key(&key().public(), now).as_ref(), Ok(signed.signer()));
    signed.signer().clone()
}

#[test]
fn a_key_of_a_store_is_known_by_its_id() {
    let verifier = KernelPackVerifier::default().with_trust_store(store(|_| {}));
    let found = signer(&verifier, at("9999-12-31T23:59:59Z"));
    assert_eq!(found, Signer { key: key().public(), id: Some("sample".into()), native: false });
    assert_eq!(found.to_string(), format!("sample ({})", key().public()));
    let by_itself = signer(&KernelPackVerifier::new([key().public()]), NOW);
    assert_eq!((by_itself.id.as_ref(), by_itself.to_string()), (None, key().public().id()));
    // If a key is given directly and is also in the store, the store's entry is used.
    let both = KernelPackVerifier::new([key().public()]).with_trust_store(store(|_| {}));
    assert_eq!(signer(&both, NOW).id.as_deref(), Some("sample"));
}

#[test]
fn a_key_expires_behind_its_last_second() {
    let last = at(NOT_AFTER);
    for keys in [vec![], vec![key().public()]] {
        let verifier = KernelPackVerifier::new(keys).with_trust_store(store(expiring));
        for now in [NOW, last - Duration::from_nanos(1), last, last + Duration::from_nanos(999_999_999)] {
            signer(&verifier, now);
        }
        let expired = unverified(&verifier, last + Duration::from_secs(1));
        let (not_after, now) = (NOT_AFTER.parse().unwrap(), "2027-06-30T00:00:01Z".parse().unwrap());
        assert_eq!(expired, VerifyError::KeyExpired { id: "sample".into(), not_after, now });
        assert_eq!(
            expired.to_string(),
            "the key \"sample\", which signed this manifest, was trusted until 2027-06-30T00:00:00Z, and it is now \
             2027-06-30T00:00:01Z; use a pack signed by a current key"
        );
    }
}

/// The samples claim to have been made in January 2026.
#[test]
fn created_at_does_not_make_an_expired_key_good() {
    let verifier = KernelPackVerifier::default().with_trust_store(store(expiring));
    assert!(samples::manifest().created_at.as_str() < NOT_AFTER);
    assert!(matches!(unverified(&verifier, at("2028-01-01T00:00:00Z")), VerifyError::KeyExpired { .. }));
}

#[test]
fn a_clock_that_cannot_be_right_lets_no_key_through_that_expires() {
    let expires = KernelPackVerifier::new([key().public()]).with_trust_store(store(expiring));
    let forever = KernelPackVerifier::default().with_trust_store(store(|_| {}));
    let late = at("9999-12-31T23:59:59Z") + Duration::from_secs(1);
    // Windows cannot represent a smaller difference.
    for wrong in [SystemTime::UNIX_EPOCH - Duration::from_nanos(100), late] {
        let expected = VerifyError::NoClock { id: "sample".into(), not_after: NOT_AFTER.parse().unwrap() };
        assert_eq!(unverified(&expires, wrong), expected);
        signer(&forever, wrong);
    }
}

#[test]
fn a_revoked_key_is_refused_whatever_else_is_said_of_it() {
    let stores = [
        store(revoked),
        store(|entry| {
            expiring(entry);
            revoked(entry);
        }),
    ];
    let late = at("9999-12-31T23:59:59Z") + Duration::from_secs(1);
    for store in stores {
        // Tries all combinations: with and without direct trust, before and long after the revocation, with and without
        // a working clock.
        for keys in [vec![], vec![key().public()]] {
            let verifier = KernelPackVerifier::new(keys).with_trust_store(store.clone());
            for now in [NOW, at(NOT_AFTER), at("2040-01-01T00:00:00Z"), late] {
                let found = unverified(&verifier, now);
                assert_eq!(
                    found.to_string(),
                    "the key \"sample\", which signed this manifest, was revoked at 2030-02-01T00:00:00Z: laptop \
                     stolen; use a pack signed by another key"
                );
            }
        }
    }
}

#[test]
fn the_named_key_is_not_the_signing_key() {
    // The manifest names the other key, which is trusted, but first a revoked and then an unknown key signed it.
    let mut manifest = samples::manifest();
    manifest.author.signing_key = SecretKey::from_seed([1; 32]).public().id();
    let json = manifest.to_json();
    let verifier = KernelPackVerifier::default().with_trust_store(store(revoked));
    let found = verifier.verify(&json, &key().sign(&json), NOW).unwrap_err();
    assert!(matches!(found, Rejected::Unverified(VerifyError::KeyRevoked { .. })), "{found}");
    let found = verifier.verify(&json, &SecretKey::from_seed([9; 32]).sign(&json), NOW).unwrap_err();
    assert_eq!(found, VerifyError::NoTrustedKey.into());
    // Conversely, the key that made the signature decides, whichever key the manifest names.
    let signed = verifier.verify(&json, &SecretKey::from_seed([1; 32]).sign(&json), NOW).unwrap();
    assert_eq!(signed.signer().id.as_deref(), Some("other"));
}

#[test]
fn a_store_with_nothing_left_says_so() {
    let mut all = store(revoked);
    all.expire("other", NOT_AFTER.parse().unwrap()).unwrap();
    let verifier = KernelPackVerifier::default().with_trust_store(all.clone());
    let (json, _) = signed();
    let stranger = SecretKey::from_seed([9; 32]);
    let by_stranger = |verifier: &KernelPackVerifier, now| {
        let found = verifier.verify(&json, &stranger.sign(&json), now).unwrap_err();
        assert_eq!(verifier.check_key(&stranger.public(), now).map_err(Rejected::from), Err(found.clone()));
        found
    };
    assert_eq!(by_stranger(&verifier, at(NOT_AFTER)), VerifyError::NoTrustedKey.into());
    let later = at("2028-01-01T00:00:00Z");
    let nothing = by_stranger(&verifier, later);
    assert_eq!(nothing, VerifyError::NoUsableKey { revoked: 1, expired: 1 }.into());
    assert_eq!(
        nothing.to_string(),
        "no key is trusted any more: of those in the trust store, 1 revoked and 1 expired; add the key that \
         signs your packs now"
    );
    // A directly trusted key counts only if the store has no entry for it.
    let with = |key: &SecretKey| KernelPackVerifier::new([key.public()]).with_trust_store(all.clone());
    assert_eq!(by_stranger(&with(&SecretKey::from_seed([3; 32])), later), VerifyError::NoTrustedKey.into());
    assert_eq!(by_stranger(&with(&key()), later), VerifyError::NoUsableKey { revoked: 1, expired: 1 }.into());
    let empty = KernelPackVerifier::default().with_trust_store(TrustStore::default());
    assert_eq!(by_stranger(&empty, later), VerifyError::NoKeys.into());
}
