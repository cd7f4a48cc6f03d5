use super::*;

fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

fn json() -> String {
    let id = |version: &str| {
        let digest = digest(version);
        format!(r#"{{"name": "core", "version": "{version}", "digest": "{digest}", "signed_by": "ed25519:{version}"}}"#)
    };
    let (newest, withdrawn) = (digest("3.0.0"), digest("3.0.0"));
    let (active, previous) = (id("2.0.0"), id("1.0.0"));
    format!(
        r#"{{"format": 1, "active": {active}, "previous": {previous},
            "newest": {{"core": {{"version": "3.0.0", "digest": "{newest}"}}}}, "withdrawn": ["{withdrawn}"]}}"#
    )
}

#[test]
fn contents_are_taken_from_the_packs_that_are_there() {
    let there = |id: &PackId| (id.version.major == 2).then(|| digest("content"));
    let state = read(json().as_bytes(), there).unwrap();
    let active = state.active().unwrap();
    assert_eq!((active.content, active.digest), (digest("content"), digest("2.0.0")));
    assert_eq!(active.signed_by, "ed25519:2.0.0");
    // Only the manifest of a missing pack is known, which is enough to recognize it.
    let previous = state.previous().unwrap();
    assert_eq!((previous.content, previous.digest), (digest("1.0.0"), digest("1.0.0")));
    let again = |manifest: &str, content: &str| PackId {
        version: Version::new(3, 0, 0),
        content: digest(content),
        digest: digest(manifest),
        ..active.clone()
    };
    assert!(state.is_withdrawn(&again("3.0.0", "x")) && !state.is_withdrawn(&again("x", "x")));
    let newest: Vec<_> = state.accepted("core").filter(|it| it.version.major == 3).collect();
    assert!(newest.iter().all(|it| it.is(&again("3.0.0", "x")) && !it.is(&again("x", "x"))) && newest.len() == 1);
}

#[test]
fn other_texts_are_refused() {
    let good = json();
    let cut = &good[..good.len() / 2];
    for bad in ["", "{}", cut, &good.replace("active", "activ"), &good.replace("sha256", "sha512")] {
        assert!(read(bad.as_bytes(), |_| None).is_err(), "{bad}");
    }
}
