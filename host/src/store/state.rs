//! What a store remembers, and a manager without one while it lives.

use std::collections::BTreeMap;

use kernelpack_manifest::Digest;
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::PackId;

/// The form of the state that this build reads and writes.
const FORMAT: u32 = 1;
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
    withdrawn: Vec<Digest>,
}

/// A version that was accepted, with its one content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Accepted {
    pub(crate) version: Version,
    pub(crate) digest: Digest,
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

    /// Whether a rollback led away from the pack with this digest.
    pub fn is_withdrawn(&self, digest: &Digest) -> bool {
        self.withdrawn.contains(digest)
    }

    /// What is known of the contents of packs of this name.
    pub(crate) fn accepted(&self, name: &str) -> impl Iterator<Item = Accepted> {
        let of_pack = |id: &PackId| Accepted { version: id.version.clone(), digest: id.digest };
        let installed = [&self.active, &self.previous].into_iter().flatten().filter(move |id| id.name == name);
        self.newest.get(name).cloned().into_iter().chain(installed.map(of_pack))
    }

    /// Makes a pack the active one; `replaces` is the one that ran until now, which may be the previous one if the
    /// active one could not be opened.
    pub(crate) fn accept(&mut self, id: &PackId, replaces: Option<&PackId>) {
        self.withdrawn.retain(|digest| *digest != id.digest);
        if self.active.as_ref() != Some(id) {
            let ran = replaces.filter(|ran| self.previous.as_ref() == Some(ran) && *ran != id).cloned();
            self.previous = ran.or(self.active.take());
            self.active = Some(id.clone());
        }
        let newer = |newest: &Accepted| id.version.cmp_precedence(&newest.version).is_gt();
        if self.newest.get(&id.name).is_none_or(newer) {
            self.newest.insert(id.name.clone(), Accepted { version: id.version.clone(), digest: id.digest });
        }
    }

    /// Makes the previous pack the active one and remembers that the other was withdrawn.
    pub(crate) fn roll_back(&mut self) {
        let Some(previous) = self.previous.take() else { return };
        if let Some(withdrawn) = self.active.replace(previous) {
            self.withdrawn.push(withdrawn.digest);
            self.withdrawn.drain(..self.withdrawn.len().saturating_sub(MAX_WITHDRAWN));
        }
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec_pretty(self).expect("keys are strings and no value's serialization fails");
        json.push(b'\n');
        json
    }

    pub(super) fn parse(json: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let head: Head = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        if head.format != FORMAT {
            return Err(format!("it has the format {}, this build reads {FORMAT}", head.format));
        }
        serde_json::from_slice(json).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(version: &str) -> PackId {
        let digest = Digest::of(version.as_bytes());
        PackId { name: "core".to_owned(), version: version.parse().unwrap(), digest, signed_by: String::new() }
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
        assert!(state.is_withdrawn(&id("2.0.0").digest));
        // It stays the newest: what lies between is still a step back.
        assert_eq!(state.newest("core"), Some(&Version::new(2, 0, 0)));
        let same = state.clone();
        state.roll_back();
        assert_eq!(state, same);
        // Who asks for it again means it.
        state.accept(&id("2.0.0"), Some(&id("1.0.0")));
        assert!(!state.is_withdrawn(&id("2.0.0").digest));
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
    fn it_reads_back_and_nothing_else_does() {
        let mut state = after(&["1.0.0", "2.0.0"]);
        state.roll_back();
        assert_eq!(StoreState::parse(&state.to_json()), Ok(state.clone()));
        let json = String::from_utf8(state.to_json()).unwrap();
        for bad in [
            "".to_owned(),
            "{}".to_owned(),
            json[..json.len() / 2].to_owned(),
            json.replace("\"active\"", "\"activ\""),
            json.replace("sha256:", "sha512:"),
        ] {
            assert!(StoreState::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        let newer = StoreState::parse(json.replace("\"format\": 1", "\"format\": 2").as_bytes());
        assert_eq!(newer.unwrap_err(), "it has the format 2, this build reads 1");
    }
}
