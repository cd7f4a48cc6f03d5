//! Reads the former state format 1, which identified packs only by the digests of their manifests.
//!
//! That digest depends on the signer, so the content is looked up in the store's packs. If a pack is missing, the
//! digest is used as the content, so its version is accepted only with exactly that manifest, as in format 1.

use std::collections::BTreeMap;

use kernelpack_manifest::Digest;
use kernelpack_runtime::PackId;
use semver::Version;
use serde::Deserialize;

use super::state::{Accepted, StoreState};

/// The format that this file reads.
pub(super) const FORMAT: u32 = 1;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormerState {
    #[serde(rename = "format")]
    _format: u32,
    active: Option<FormerId>,
    previous: Option<FormerId>,
    newest: BTreeMap<String, FormerAccepted>,
    withdrawn: Vec<Digest>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormerId {
    name: String,
    version: Version,
    digest: Digest,
    signed_by: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormerAccepted {
    version: Version,
    digest: Digest,
}

/// Reads a state; `content` looks up the content of an installed pack with this manifest.
pub(super) fn read(json: &[u8], content: impl Fn(&PackId) -> Option<Digest>) -> Result<StoreState, String> {
    let former: FormerState = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    let mut contents = BTreeMap::new();
    let mut installed = |former: FormerId| {
        let FormerId { name, version, digest, signed_by } = former;
        let mut id = PackId { name, version, content: digest, digest, signed_by };
        id.content = content(&id).unwrap_or(digest);
        contents.insert(digest, id.content);
        id
    };
    let (active, previous) = (former.active.map(&mut installed), former.previous.map(&mut installed));
    let content_of = |digest: Digest| contents.get(&digest).copied().unwrap_or(digest);
    let accepted = |FormerAccepted { version, digest }| Accepted { version, content: content_of(digest), digest };
    let newest = former.newest.into_iter().map(|(name, former)| (name, accepted(former))).collect();
    let withdrawn = former.withdrawn.into_iter().map(content_of).collect();
    Ok(StoreState::of(active, previous, newest, withdrawn))
}

#[cfg(test)]
mod tests;
