use super::*;
use crate::{JsonFault, SecretKey, samples::trust_store as sample};

const KEY: &str = "ed25519:v4DPOmDa2NGsFwHM48tNm/kNgWWib1JpdeSlbxFovf0=";

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn key(seed: u8) -> PublicKey {
    SecretKey::from_seed([seed; 32]).public()
}

fn entry(id: &str, seed: u8) -> TrustedKey {
    TrustedKey { id: id.into(), key: key(seed), not_after: None, revoked: None, native: false, comment: None }
}

fn json() -> String {
    String::from_utf8(sample().to_json()).unwrap()
}

#[track_caller]
fn refused_with(from: &str, to: &str) -> TrustStoreError {
    let (before, after) = (json(), json().replacen(from, to, 1));
    assert_ne!(before, after, "{from}");
    TrustStore::parse(after.as_bytes()).expect_err(to)
}

#[track_caller]
fn malformed(json: &str, says: &str) {
    match TrustStore::parse(json.as_bytes()).expect_err(json) {
        TrustStoreError::Json(JsonFault::Malformed { path, message }) => {
            let found = format!("{path}: {message}");
            assert!(found.contains(says), "{found}");
        }
        other => panic!("{json}: {other}"),
    }
}

#[test]
fn what_is_written_reads_back() {
    let store = sample();
    assert_eq!(TrustStore::parse(&store.to_json()), Ok(store.clone()));
    assert!(json().starts_with("{\n  \"version\": 1,\n  \"keys\": [\n    {\n      \"id\": \"release-2026\",\n"));
    assert!(json().ends_with("}\n"));
    // Fields that a key does not have are omitted.
    for field in ["not_after", "revoked", "comment"] {
        assert_eq!(json().matches(field).count(), 1, "{field}");
    }
    assert_eq!(store.of_key(&key(1)), Some(&store.keys()[1]));
    assert_eq!(store.of_key(&key(3)), None);
}

#[test]
fn the_fullest_store_reads_back() {
    let mut store = TrustStore::default();
    let widest = "\"".repeat(MAX_TEXT_BYTES);
    for seed in 0..=255 {
        let id = format!("{seed:-<64}");
        let at = time("9999-12-31T23:59:59Z");
        let revoked = Some(Revocation { at, reason: widest.clone() });
        store
            .add(TrustedKey { not_after: Some(at), revoked, comment: Some(widest.clone()), ..entry(&id, seed) })
            .unwrap();
    }
    assert_eq!(store.keys().len(), MAX_TRUSTED_KEYS);
    assert_eq!(TrustStore::parse(&store.to_json()), Ok(store.clone()));
    let one = entry("a", 0);
    assert!(matches!(store.add(one), Err(TrustStoreError::DuplicateKey { .. })));
    let mut seed = [0; 32];
    seed[0] = 1;
    let more = TrustedKey { key: SecretKey::from_seed(seed).public(), ..entry("more", 0) };
    assert_eq!(store.add(more), Err(TrustStoreError::TooManyKeys { count: 257 }));
}

#[test]
fn a_store_that_trusts_nobody_is_read() {
    let store = TrustStore::parse(b"{\"version\": 1, \"keys\": []}").unwrap();
    assert_eq!(store, TrustStore::default());
}

#[test]
fn only_one_json_text_in_utf8_is_read() {
    for bad in ["", " ", "{", "[]", "null", "\u{feff}{}", "{} {}", "{'a': 1}", "NaN"] {
        malformed(bad, "");
    }
    malformed(&format!("{}x", json()), "trailing characters");
    malformed(&format!("{}{}", json(), json()), "trailing characters");
    malformed(&format!("{}\0", json()), "trailing characters");
    let mut bytes = json().into_bytes();
    let at = json().find("stolen").unwrap();
    bytes[at] = 0xff;
    assert_eq!(TrustStore::parse(&bytes), Err(JsonFault::NotUtf8 { at }.into()));
    let mut large = sample().to_json();
    large.resize(MAX_TRUST_STORE_BYTES, b' ');
    assert_eq!(TrustStore::parse(&large), Ok(sample()));
    large.push(b' ');
    assert_eq!(TrustStore::parse(&large), Err(TrustStoreError::TooLarge));
    // Tries deep nesting, which would exhaust the stack of a recursive reader.
    let deep = format!("{{\"version\": 1, \"keys\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    malformed(&deep, "recursion limit");
}

#[test]
fn unknown_repeated_and_missing_fields_are_refused() {
    malformed("{}", "missing field");
    malformed("{\"version\": 1}", "missing field `keys`");
    malformed("{\"keys\": []}", "missing field `version`");
    malformed("{\"version\": 1, \"keys\": [], \"trust\": \"all\"}", "unknown field `trust`");
    malformed(&format!("{{\"version\": 1, \"keys\": [{{\"key\": \"{KEY}\"}}]}}"), "missing field `id`");
    malformed("{\"version\": 1, \"keys\": [{\"id\": \"a\"}]}", "missing field `key`");
    malformed(&json().replacen("\"comment\"", "\"note\"", 1), "keys[0].note: unknown field");
    malformed(&json().replacen("\"reason\"", "\"cause\"", 1), "unknown field `cause`");
    // Tries misspelled fields, which would undo a revocation if they were ignored.
    malformed(&json().replacen("\"revoked\"", "\"Revoked\"", 1), "unknown field `Revoked`");
    malformed(&json().replacen("\"not_after\": \"2027-06-30T00:00:00Z\"", "\"not_after\": null", 1), "not_after");
    let revoked = json().find("\"revoked\": {").unwrap();
    malformed(&format!("{}\"revoked\": null}}]}}", &json()[..revoked]), "revoked");
    malformed(&format!("{}\"revoked\": true}}]}}", &json()[..revoked]), "revoked");

    let twice = |from: &str, to: &str, name: &str| match refused_with(from, to) {
        TrustStoreError::Json(JsonFault::DuplicateKey { key, .. }) => assert_eq!(key, name),
        other => panic!("{other}"),
    };
    twice("\"version\": 1", "\"version\": 1, \"version\": 1", "version");
    twice("\"keys\": [", "\"keys\": [], \"keys\": [", "keys");
    twice("\"id\": ", "\"id\": \"a\", \"id\": ", "id");
    twice("\"revoked\": {", "\"not_after\": \"2027-01-01T00:00:00Z\", \"not_after\": {", "not_after");
}

#[test]
fn another_version_comes_before_anything_else() {
    let newer = "{\"version\": 2, \"keys\": {}, \"colour\": 1}";
    assert_eq!(TrustStore::parse(newer.as_bytes()), Err(TrustStoreError::Version { found: 2 }));
    assert_eq!(
        refused_with("\"version\": 1", "\"version\": 2").to_string(),
        "it has version 2, but this build reads 1; use a newer kernelpack"
    );
    assert_eq!(refused_with("\"version\": 1", "\"version\": 0"), TrustStoreError::Version { found: 0 });
    malformed(&json().replacen("\"version\": 1", "\"version\": \"1\"", 1), "version");
    malformed(&json().replacen("\"version\": 1", "\"version\": 1.0", 1), "version");
    malformed(&json().replacen("\"version\": 1", "\"version\": -1", 1), "version");
}

#[test]
fn keys_that_prove_nothing_are_refused() {
    let with = |key: &str| json().replacen(&self::key(2).id(), key, 1);
    for (bad, says) in [
        ("", "is not a public key"),
        ("rsa:AAAA", "is not a public key"),
        // The neutral element, and y = p + 3, another encoding of y = 3.
        ("ed25519:AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "weak"),
        ("ed25519:8P///////////////////////////////////////38=", "are not an Ed25519 public key"),
    ] {
        malformed(&with(bad), says);
        malformed(&with(bad), "keys[0].key");
    }
    malformed(&json().replacen("2027-06-30T00:00:00Z", "2027-06-31T00:00:00Z", 1), "keys[0].not_after");
    malformed(&json().replacen("2026-02-01T00:00:00Z", "yesterday", 1), "keys[1].revoked.at");
}

#[test]
fn one_key_under_two_ids_is_refused() {
    assert_eq!(
        refused_with("\"release-2025\"", "\"release-2026\""),
        TrustStoreError::DuplicateId { id: "release-2026".into() }
    );
    let (first, second) = ("release-2026".into(), "release-2025".into());
    assert_eq!(refused_with(&key(2).id(), &key(1).id()), TrustStoreError::DuplicateKey { first, second });
    // Neither can be added, and a revoked key cannot return under another name.
    let mut store = sample();
    assert!(matches!(store.add(entry("release-2025", 3)), Err(TrustStoreError::DuplicateId { .. })));
    assert_eq!(
        store.add(entry("again", 1)).unwrap_err().to_string(),
        "\"release-2025\" and \"again\" are the same key; keep one"
    );
    assert_eq!(store, sample());
}

#[test]
fn names_and_texts_are_checked() {
    let longest = "a".repeat(64);
    for good in ["a", "0", "release-2026", "A.b_c-", &longest] {
        assert_eq!(TrustStore::default().add(entry(good, 1)), Ok(()));
    }
    for bad in ["", "-a", ".a", "_a", "a b", "a/b", "a\n", "é", "a\u{202e}", &format!("{longest}a")] {
        assert_eq!(TrustStore::default().add(entry(bad, 1)), Err(TrustStoreError::BadId { id: bad.into() }));
    }
    let too_long = "a".repeat(MAX_TEXT_BYTES + 1);
    for bad in ["a\nb", "a\tb", "\u{1b}[2J", "\u{202e}", &too_long] {
        let mut store = TrustStore::default();
        let comment = Some(bad.to_owned());
        let refused = |field, id: &str| TrustStoreError::BadText { id: id.into(), field, text: bad.into() };
        assert_eq!(store.add(TrustedKey { comment, ..entry("a", 1) }), Err(refused("comment", "a")));
        let mut store = sample();
        let revoked = store.revoke("release-2026", time("2026-02-01T00:00:00Z"), bad);
        assert_eq!(revoked, Err(refused("reason", "release-2026")));
        assert_eq!(store, sample());
    }
    assert!(matches!(refused_with("laptop stolen", ""), TrustStoreError::BadText { field: "reason", .. }));
}

#[test]
fn native_code_is_a_grant_of_its_own() {
    let mut store = sample();
    assert!(store.keys().iter().all(|key| !key.native));
    assert!(!String::from_utf8(store.to_json()).unwrap().contains("native"));
    store.set_native("release-2026", true).unwrap();
    assert!(store.keys()[0].native);
    assert_eq!(TrustStore::parse(&store.to_json()), Ok(store.clone()));
    assert!(matches!(store.set_native("release-2025", true), Err(TrustStoreError::Revoked { .. })));
    assert!(matches!(store.set_native("release-2024", true), Err(TrustStoreError::UnknownId { .. })));
    store.set_native("release-2026", false).unwrap();
    assert_eq!(store, sample());
}

#[test]
fn revocation_is_final() {
    let mut store = sample();
    let (now, later) = (time("2026-03-01T00:00:00Z"), time("2099-01-01T00:00:00Z"));
    assert!(matches!(store.revoke("release-2025", now, "again"), Err(TrustStoreError::Revoked { .. })));
    assert!(matches!(store.expire("release-2025", later), Err(TrustStoreError::Revoked { .. })));
    assert_eq!(
        store.expire("release-2024", later).unwrap_err().to_string(),
        "it has no key \"release-2024\"; known keys: release-2026, release-2025"
    );
    assert_eq!(store, sample());
    store.expire("release-2026", now).unwrap();
    assert_eq!(store.keys()[0].not_after, Some(now));
    let status = |index: usize, now| store.keys()[index].status(now);
    assert_eq!((status(0, now), status(0, later)), (KeyStatus::Trusted, KeyStatus::Expired));
    assert_eq!((status(1, now), status(1, Timestamp::from_unix(0).unwrap())), (KeyStatus::Revoked, KeyStatus::Revoked));
    store.revoke("release-2026", now, "x").unwrap();
    assert_eq!(store.keys()[0].status(later), KeyStatus::Revoked);
    assert_eq!(store.keys().len(), 2);
}

#[test]
fn damage_never_panics() {
    let json = json().into_bytes();
    for at in 0..json.len() {
        for value in [b'"', b'0', b'{', b'}', b',', 0xff, b'\\', json[at] ^ 1] {
            let mut damaged = json.clone();
            damaged[at] = value;
            // If the changed store can still be read, it is written as it was understood.
            if let Ok(store) = TrustStore::parse(&damaged) {
                assert_eq!(TrustStore::parse(&store.to_json()), Ok(store));
            }
        }
        assert!(TrustStore::parse(&json[..at]).is_err() || at == json.len() - 1);
    }
}
