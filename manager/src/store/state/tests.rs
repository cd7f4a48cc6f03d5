use super::*;

fn id(version: &str) -> PackId {
    let content = Digest::of(version.as_bytes());
    let (digest, version) = (Digest::of(&content.0), version.parse().unwrap());
    PackId { name: "core".to_owned(), version, content, digest, signed_by: String::new() }
}

/// Returns the same pack, signed by another key.
fn signed_anew(id: PackId) -> PackId {
    PackId { digest: Digest::of(b"signed anew"), signed_by: "another".to_owned(), ..id }
}

fn parse(json: &str) -> Result<StoreState, String> {
    StoreState::parse(json.as_bytes(), |_| None)
}

fn after(versions: &[&str]) -> StoreState {
    let mut state = StoreState::default();
    for version in versions {
        let ran = state.active.clone();
        state.accept(&id(version), ran.as_ref());
    }
    state
}

#[test]
fn the_one_before_is_kept_and_the_newest_remembered() {
    let state = after(&["1.0.0", "3.0.0", "2.0.0"]);
    assert_eq!(state.active(), Some(&id("2.0.0")));
    assert_eq!(state.previous(), Some(&id("3.0.0")));
    assert_eq!(state.newest("core"), Some(&Version::new(3, 0, 0)));
    assert_eq!(state.newest("other"), None);
}

#[test]
fn a_rollback_leads_back_once_and_withdraws() {
    let mut state = after(&["1.0.0", "2.0.0"]);
    state.roll_back();
    assert_eq!((state.active(), state.previous()), (Some(&id("1.0.0")), None));
    assert!(state.is_withdrawn(&id("2.0.0")) && state.is_withdrawn(&signed_anew(id("2.0.0"))));
    // The withdrawn version stays the newest one, so a version in between is still a downgrade.
    assert_eq!(state.newest("core"), Some(&Version::new(2, 0, 0)));
    let same = state.clone();
    state.roll_back();
    assert_eq!(state, same);
    // An explicit request makes the withdrawn pack active again.
    state.accept(&id("2.0.0"), Some(&id("1.0.0")));
    assert!(!state.is_withdrawn(&id("2.0.0")));
}

#[test]
fn accepting_the_active_pack_again_keeps_the_previous_one() {
    let mut state = after(&["1.0.0", "2.0.0"]);
    let same = state.clone();
    state.accept(&id("2.0.0"), Some(&id("2.0.0")));
    assert_eq!(state, same);
}

#[test]
fn what_ran_instead_of_a_broken_pack_is_the_one_to_go_back_to() {
    let mut state = after(&["1.0.0", "2.0.0"]);
    state.accept(&id("3.0.0"), Some(&id("1.0.0")));
    assert_eq!((state.active(), state.previous()), (Some(&id("3.0.0")), Some(&id("1.0.0"))));
}

#[test]
fn another_key_takes_over_the_active_pack_and_the_way_back_stays() {
    let mut state = after(&["1.0.0", "2.0.0"]);
    let anew = signed_anew(id("2.0.0"));
    state.accept(&anew, Some(&id("2.0.0")));
    assert_eq!((state.active(), state.previous()), (Some(&anew), Some(&id("1.0.0"))));
    // The older pack ran because the active one's key was revoked; it is also signed by another key.
    let mut state = after(&["1.0.0", "2.0.0"]);
    let anew = signed_anew(id("1.0.0"));
    state.accept(&anew, Some(&id("1.0.0")));
    assert_eq!((state.active(), state.previous()), (Some(&anew), Some(&id("2.0.0"))));
    // Without an earlier pack, there is nothing to go back to.
    let mut state = after(&["1.0.0"]);
    state.accept(&anew, None);
    assert_eq!((state.active(), state.previous()), (Some(&anew), None));
}

#[test]
fn it_reads_back_and_nothing_else_does() {
    let mut state = after(&["1.0.0", "2.0.0"]);
    state.roll_back();
    let json = String::from_utf8(state.to_json()).unwrap();
    assert_eq!(parse(&json), Ok(state.clone()));
    for bad in [
        "".to_owned(),
        "{}".to_owned(),
        json[..json.len() / 2].to_owned(),
        json.replace("\"active\"", "\"activ\""),
        json.replace("sha256:", "sha512:"),
    ] {
        assert!(parse(&bad).is_err(), "{bad}");
    }
    let accepted = r#""newest": {"#;
    let digest = Digest::of(b"9.0.0");
    let earlier =
        format!(r#"{accepted} "core": {{ "version": "9.0.0", "content": "{digest}", "digest": "{digest}" }},"#);
    let twice = parse(&json.replace(accepted, &earlier)).unwrap_err();
    assert!(twice.starts_with("it has the key \"core\" twice in one object"), "{twice}");
    let newer = parse(&json.replace("\"format\": 2", "\"format\": 3"));
    assert_eq!(newer.unwrap_err(), "it has the format 3, this build reads 1 and 2");
}
