//! What a store remembers, and a manager without one while it lives.

use std::collections::BTreeMap;

use kernelpack_manifest::Digest;
use kernelpack_runtime::PackId;
use semver::Version;
use serde::{Deserialize, Serialize};

/// The form of the state that this build writes.
pub(super) const FORMAT: u32 = 2;
/// The most bytes that a state has.
pub(super) const MAX_BYTES: u64 = 1 << 20;
/// The most packs whose withdrawal is remembered; the oldest are forgotten first.
const MAX_WITHDRAWN: usize = 256;

/// Which pack is active, which one was before, and what was accepted so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreState {
    format: u32,
    active: Option<PackId>,
    previous: Option<PackId>,
    /// By the pack's name.
    newest: BTreeMap<String, Accepted>,
    /// By their contents.
    withdrawn: Vec<Digest>,
}

/// A version that was accepted, with its one content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Accepted {
    pub(crate) version: Version,
    pub(crate) content: Digest,
    /// The digest of the manifest, which the content may not be known of: see [`former`](super::former).
    pub(crate) digest: Digest,
}

impl Accepted {
    pub(crate) fn of(id: &PackId) -> Self {
        Self { version: id.version.clone(), content: id.content, digest: id.digest }
    }

    /// Whether the pack is what was accepted, whoever signed it.
    pub(crate) fn is(&self, id: &PackId) -> bool {
        self.content == id.content || self.digest == id.digest
    }
}

impl Default for StoreState {
    fn default() -> Self {
        Self { format: FORMAT, active: None, previous: None, newest: BTreeMap::new(), withdrawn: Vec::new() }
    }
}

impl StoreState {
    /// The pack that is active, if there is one yet.
    pub fn active(&self) -> Option<&PackId> {
        self.active.as_ref()
    }

    /// The pack that a rollback leads to, if there is one.
    pub fn previous(&self) -> Option<&PackId> {
        self.previous.as_ref()
    }

    /// The newest version that was ever accepted of the pack of this name.
    pub fn newest(&self, name: &str) -> Option<&Version> {
        self.newest.get(name).map(|accepted| &accepted.version)
    }

    /// Whether a rollback led away from this pack, whoever signed it then.
    pub fn is_withdrawn(&self, id: &PackId) -> bool {
        // A store of before knew the manifests' digests only.
        self.withdrawn.iter().any(|withdrawn| [id.content, id.digest].contains(withdrawn))
    }

    pub(super) fn of(
        active: Option<PackId>,
        previous: Option<PackId>,
        newest: BTreeMap<String, Accepted>,
        withdrawn: Vec<Digest>,
    ) -> Self {
        Self { format: FORMAT, active, previous, newest, withdrawn }
    }

    /// What is known of the contents of packs of this name.
    pub(crate) fn accepted(&self, name: &str) -> impl Iterator<Item = Accepted> {
        let installed = [&self.active, &self.previous].into_iter().flatten().filter(move |id| id.name == name);
        self.newest.get(name).cloned().into_iter().chain(installed.map(Accepted::of))
    }

    /// Makes a pack the active one; `replaces` is the one that ran until now, which may be the previous one if the
    /// active one could not be opened.
    ///
    /// Where the active one is the same but for who signed it, it is replaced and the previous one stays: there would be
    /// no sense in a way back to a key that may be revoked.
    pub(crate) fn accept(&mut self, id: &PackId, replaces: Option<&PackId>) {
        self.withdrawn.retain(|withdrawn| ![id.content, id.digest].contains(withdrawn));
        if self.active.as_ref() != Some(id) {
            let same = |other: &PackId| Accepted::of(other).is(id);
            let ran = replaces.filter(|ran| self.previous.as_ref() == Some(ran) && !same(ran)).cloned();
            let before = self.active.replace(id.clone()).filter(|before| !same(before));
            self.previous = ran.or(before).or(self.previous.take().filter(|previous| !same(previous)));
        }
        let newer = |newest: &Accepted| id.version.cmp_precedence(&newest.version).is_gt() || newest.is(id);
        if self.newest.get(&id.name).is_none_or(newer) {
            self.newest.insert(id.name.clone(), Accepted::of(id));
        }
    }

    /// Makes the previous pack the active one and remembers that the other was withdrawn.
    pub(crate) fn roll_back(&mut self) {
        let Some(previous) = self.previous.take() else { return };
        if let Some(withdrawn) = self.active.replace(previous) {
            self.withdrawn.push(withdrawn.content);
            self.withdrawn.drain(..self.withdrawn.len().saturating_sub(MAX_WITHDRAWN));
        }
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec_pretty(self).expect("keys are strings and no value's serialization fails");
        json.push(b'\n');
        json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(version: &str) -> PackId {
        let content = Digest::of(version.as_bytes());
        let (digest, version) = (Digest::of(&content.0), version.parse().unwrap());
        PackId { name: "core".to_owned(), version, content, digest, signed_by: String::new() }
    }

    /// The same pack, signed by another key.
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
        // It stays the newest: what lies between is still a step back.
        assert_eq!(state.newest("core"), Some(&Version::new(2, 0, 0)));
        let same = state.clone();
        state.roll_back();
        assert_eq!(state, same);
        // Who asks for it again means it.
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
        // The older one ran, since the active one's key was revoked; it is signed by another key, too.
        let mut state = after(&["1.0.0", "2.0.0"]);
        let anew = signed_anew(id("1.0.0"));
        state.accept(&anew, Some(&id("1.0.0")));
        assert_eq!((state.active(), state.previous()), (Some(&anew), Some(&id("2.0.0"))));
        // With nothing before it there is nothing to go back to.
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
}
