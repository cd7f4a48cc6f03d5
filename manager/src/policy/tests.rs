use kernelpack_manifest::Digest;

use super::*;

fn id(name: &str, version: &str) -> PackId {
    let content = Digest::of(format!("{name} {version}").as_bytes());
    let (digest, version) = (Digest::of(&content.0), version.parse().unwrap());
    PackId { name: name.to_owned(), version, content, digest, signed_by: String::new() }
}

/// Returns the same pack, signed by another key.
fn signed_anew(id: PackId) -> PackId {
    PackId { digest: Digest::of(b"signed anew"), signed_by: "another".to_owned(), ..id }
}

fn state(versions: &[&str]) -> StoreState {
    let mut state = StoreState::default();
    for version in versions {
        state.accept(&id("core", version), None);
    }
    state
}

#[test]
fn only_newer_versions_pass_by_themselves() {
    let state = state(&["1.0.0", "2.0.0"]);
    let judge = |version, upgrade: Upgrade| upgrade.judge(&state, None, &id("core", version));
    for newer in ["2.0.1", "3.0.0-rc.1", "2.0.0"] {
        assert!(judge(newer, Upgrade::new()).is_ok(), "{newer}");
    }
    for older in ["1.0.0", "1.9.9", "2.0.0-rc.1"] {
        let refused = judge(older, Upgrade::new()).unwrap_err();
        assert!(matches!(refused, UpgradeError::Downgrade { .. }), "{older}: {refused}");
        assert!(judge(older, Upgrade::new().allow_downgrade()).is_ok(), "{older}");
    }
}

#[test]
fn the_newest_counts_even_if_it_is_not_active() {
    let mut state = state(&["1.0.0", "3.0.0"]);
    state.roll_back();
    let between = Upgrade::new().judge(&state, None, &id("core", "2.0.0")).unwrap_err();
    assert!(matches!(between, UpgradeError::Downgrade { .. }), "{between}");
}

#[test]
fn a_version_has_one_content() {
    let state = state(&["1.0.0", "2.0.0"]);
    // Build metadata does not count, so this is 2.0.0 with other content, and the same holds for the previous pack's
    // version.
    for changed in ["2.0.0+rebuilt", "1.0.0+rebuilt"] {
        let refused = Upgrade::new().allow_downgrade().judge(&state, None, &id("core", changed)).unwrap_err();
        assert!(matches!(refused, UpgradeError::VersionReused { .. }), "{changed}: {refused}");
    }
}

#[test]
fn another_key_may_sign_what_was_accepted() {
    let mut state = state(&["1.0.0", "2.0.0"]);
    let anew = |version| Upgrade::new().judge(&state, None, &signed_anew(id("core", version)));
    assert!(anew("2.0.0").is_ok());
    // Re-signing does not make an older version newer.
    assert!(matches!(anew("1.0.0"), Err(UpgradeError::Downgrade { .. })));
    state.roll_back();
    let judge = |upgrade: Upgrade, version| upgrade.judge(&state, None, &signed_anew(id("core", version)));
    assert!(judge(Upgrade::new(), "1.0.0").is_ok(), "what is active is no step back");
    assert!(matches!(judge(Upgrade::unattended(), "2.0.0"), Err(UpgradeError::Withdrawn { .. })));
}

#[test]
fn another_pack_needs_permission_and_has_versions_of_its_own() {
    let state = state(&["2.0.0"]);
    let refused = Upgrade::new().judge(&state, None, &id("other", "3.0.0")).unwrap_err();
    assert!(matches!(refused, UpgradeError::OtherName { .. }), "{refused}");
    assert!(Upgrade::new().allow_other_name().judge(&state, None, &id("other", "0.1.0")).is_ok());
}

#[test]
fn what_was_withdrawn_comes_back_only_by_request() {
    let mut state = state(&["1.0.0", "2.0.0"]);
    state.roll_back();
    assert!(Upgrade::new().judge(&state, None, &id("core", "2.0.0")).is_ok());
    let refused = Upgrade::unattended().judge(&state, None, &id("core", "2.0.0")).unwrap_err();
    assert!(matches!(refused, UpgradeError::Withdrawn { .. }), "{refused}");
}
