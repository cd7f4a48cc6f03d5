//! The state of a store, which a manager without a store keeps in memory.

use std::collections::BTreeMap;

use kernelpack_manifest::Digest;
use kernelpack_runtime::PackId;
use semver::Version;
use serde::{Deserialize, Serialize};

/// The format that this build writes.
pub(super) const FORMAT: u32 = 2;
/// The size limit of a state.
pub(super) const MAX_BYTES: u64 = 1 << 20;
/// The most withdrawn packs that are remembered; the oldest are forgotten first.
const MAX_WITHDRAWN: usize = 256;

/// The active pack, the previous one, and the versions accepted so far.
///
/// # Example: where a rollback would lead
/// ```no_run
/// use kernelpack_host::manager::{PackStore, StoreError};
///
/// fn report(store: &PackStore) -> Result<(), StoreError> {
///     if let Some(pack) = store.state()?.previous() {
///         println!("a rollback leads to {pack}");
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreState {
    format: u32,
    active: Option<PackId>,
    previous: Option<PackId>,
    /// Keyed by the pack's name.
    newest: BTreeMap<String, Accepted>,
    /// The contents of withdrawn packs.
    withdrawn: Vec<Digest>,
}

/// A version that was accepted, with its one content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Accepted {
    pub(crate) version: Version,
    pub(crate) content: Digest,
    /// The digest of the manifest; the content may be unknown, see [`former`](super::former).
    pub(crate) digest: Digest,
}

impl Accepted {
    pub(crate) fn of(id: &PackId) -> Self {
        Self { version: id.version.clone(), content: id.content, digest: id.digest }
    }

    /// Returns whether the pack is the accepted one, regardless of its signer.
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
    /// Returns the active pack, if there is one yet.
    pub fn active(&self) -> Option<&PackId> {
        self.active.as_ref()
    }

    /// Returns the pack that a rollback goes back to, if there is one.
    pub fn previous(&self) -> Option<&PackId> {
        self.previous.as_ref()
    }

    /// Returns the newest version ever accepted of the pack with this name.
    pub fn newest(&self, name: &str) -> Option<&Version> {
        self.newest.get(name).map(|accepted| &accepted.version)
    }

    /// Returns whether a rollback withdrew this pack, regardless of its signer.
    pub fn is_withdrawn(&self, id: &PackId) -> bool {
        // The former format has only the digests of manifests.
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

    /// Returns the accepted versions and contents of packs with this name.
    pub(crate) fn accepted(&self, name: &str) -> impl Iterator<Item = Accepted> {
        let installed = [&self.active, &self.previous].into_iter().flatten().filter(move |id| id.name == name);
        self.newest.get(name).cloned().into_iter().chain(installed.map(Accepted::of))
    }

    /// Makes a pack active. `replaces` is the pack that ran until now, which may be the previous one if the active one
    /// could not be opened.
    ///
    /// If the active pack differs only in its signer, it is replaced and the previous one stays: going back to a key
    /// that may have been revoked makes no sense.
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

    /// Makes the previous pack active, and records that the other was withdrawn.
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
mod tests;
