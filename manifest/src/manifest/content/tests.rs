use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::{SecretKey, samples};

fn other() -> PublicKey {
    SecretKey::from_seed([9; 32]).public()
}

#[track_caller]
fn content(json: &str) -> Digest {
    Manifest::content(json.as_bytes()).unwrap_or_else(|fault| panic!("{fault}: {json}"))
}

/// Returns the sample with another key as its author's.
fn with_other_key(json: &str) -> String {
    String::from_utf8(Manifest::with_signing_key(json.as_bytes(), &other()).unwrap()).unwrap()
}

#[test]
fn signed_by_another_key_it_is_the_same_content() {
    let json = samples::json();
    let renamed = with_other_key(&json);
    assert_ne!(json, renamed);
    assert_eq!(Manifest::parse(renamed.as_bytes()).unwrap().author.signing_key, other().id());
    assert_eq!(content(&json), content(&renamed));
    // Only the id has changed.
    assert_eq!(renamed.replace(&other().id(), &samples::key().public().id()), json);
    // The content is not the digest of a manifest, so neither can be mistaken for the other.
    assert_ne!(content(&json), Digest::of(json.as_bytes()));
}

#[test]
fn contents_are_kept_in_stores_and_must_never_change() {
    let json = samples::json();
    let id = format!("\"{}\"", samples::key().public().id());
    let [before, after] = json.split(&id).collect::<Vec<_>>()[..] else { panic!("{json}") };
    assert_eq!(content(&json), Digest::of(format!("kernelpack content 1\0{before}\0{after}").as_bytes()));
}

#[test]
fn every_field_but_one_counts() {
    let json = samples::json();
    for (from, to) in [
        ("\"name\": \"samples\"", "\"name\": \"samplez\""),
        ("\"version\": \"1.0.0\"", "\"version\": \"1.0.0+b\""),
        ("\"Kernels for tests\"", "\"\""),
        ("2026-01-18T", "2026-01-19T"),
        ("\"Ada\"", "\"Eve\""),
        ("ada@example.org", "eve@example.org"),
        ("45.0", "46.0"),
    ] {
        assert_ne!(content(&samples::json_with(from, to)), content(&json), "{from}");
    }
    // An email address that looks like the field is not mistaken for it.
    let inside = samples::json_with("\"email\": \"ada@example.org\"", "\"email\": \"\\\"signing_key\\\": \\\"x\\\"\"");
    assert_ne!(content(&inside), content(&json));
    assert_eq!(content(&with_other_key(&inside)), content(&inside));
}

#[test]
fn the_field_is_found_however_it_is_written() {
    let json = samples::json();
    let id = samples::key().public().id();
    let value: Value = serde_json::from_str(&json).unwrap();
    for written in [
        // The same manifest on one line, with its keys in another order.
        serde_json::to_string(&value).unwrap(),
        json.replace("\"signing_key\"", "\"sign\\u0069ng_k\\u0065y\""),
        json.replace("\"author\"", "\"\\u0061uthor\""),
        json.replace("\"signing_key\": ", "\"signing_key\"\t:\r\n "),
        json.replace(&id, &id.replace(':', "\\u003a")),
        json.replace(&id, &id.replace('/', "\\/")),
        // The names of the field and its object also appear as values and as keys elsewhere.
        json.replace("\"name\": \"samples\"", "\"name\": \"author\"").replace("Ada", "signing_key"),
        json.replace("rows_64_dim_4096", "signing_key"),
        json.replace("Kernels for tests", "{\\\"author\\\": {\\\"signing_key\\\": \\\"x\\\"}}"),
    ] {
        let renamed = with_other_key(&written);
        assert_eq!(Manifest::parse(renamed.as_bytes()).unwrap().author.signing_key, other().id());
        assert_eq!(content(&renamed), content(&written), "{written}");
        // The content depends on the layout: only equal bytes have equal contents.
        assert_eq!(content(&written) == content(&json), renamed == with_other_key(&json), "{written}");
    }
}

#[test]
fn what_is_no_manifest_has_no_content() {
    let json = samples::json();
    let twice = json.replacen("\"signing_key\"", "\"signing_key\": \"x\",\n    \"signing_key\"", 1);
    let cut = &json[..json.len() / 2];
    for bad in ["", "{}", "[]", "{\"author\": {\"signing_key\": \"x\"}}", cut, &twice, &format!("{json}x")] {
        let fault = Manifest::parse(bad.as_bytes()).unwrap_err();
        assert_eq!(Manifest::content(bad.as_bytes()), Err(fault.clone()), "{bad}");
        assert_eq!(Manifest::with_signing_key(bad.as_bytes(), &other()), Err(fault));
    }
    assert!(Manifest::content(b"\xff").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// Two manifests with the same content differ only in the named key, whichever bytes were changed.
    #[test]
    fn one_content_is_one_reading(at in any::<proptest::sample::Index>(), byte in 0x20_u8..0x7f, remove: bool) {
        let json = samples::json();
        let mut changed = json.clone().into_bytes();
        let at = at.index(changed.len());
        if remove {
            changed.remove(at);
        } else {
            changed[at] = byte;
        }
        if let Ok(found) = Manifest::content(&changed) {
            let (mut before, mut after) = (samples::manifest(), Manifest::parse(&changed).unwrap());
            prop_assert_eq!(found == content(&json), with_other_key(&json) == with_other_key(str::from_utf8(&changed).unwrap()));
            before.author.signing_key.clear();
            after.author.signing_key.clear();
            if found == content(&json) {
                prop_assert_eq!(before, after);
            }
        }
    }
}
