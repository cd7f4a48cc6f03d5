//! Trust stores: which keys a host trusts, until when, and which are revoked.
//!
//! A [`TrustStore`] is always valid: ids are unique, and so are keys, since a key with two entries would stay trusted
//! when one of them is revoked.

pub(crate) mod fault;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    PublicKey, Timestamp, TrustStoreError,
    text::{
        json::{self, present},
        names::is_printable,
    },
};

/// The version of the format that this build reads and writes.
pub const TRUST_STORE_VERSION: u32 = 1;
/// The most bytes that a trust store's file may have.
pub const MAX_TRUST_STORE_BYTES: usize = 1 << 20;
/// The most keys that a trust store may have.
pub const MAX_TRUSTED_KEYS: usize = 256;

const MAX_ID_BYTES: usize = 64;
const MAX_TEXT_BYTES: usize = 256;

/// The keys that may sign packs, as an operator keeps them in a file.
///
/// # Example: revoke a key
/// ```
/// use kernelpack_manifest::{KeyStatus, Timestamp, TrustStore};
///
/// let mut store = TrustStore::parse(br#"{
///   "version": 1,
///   "keys": [
///     {
///       "id": "release-2026",
///       "key": "ed25519:v4DPOmDa2NGsFwHM48tNm/kNgWWib1JpdeSlbxFovf0=",
///       "not_after": "2027-06-30T00:00:00Z"
///     }
///   ]
/// }"#)?;
/// let now: Timestamp = "2026-02-01T00:00:00Z".parse()?;
/// assert_eq!(store.keys()[0].status(now), KeyStatus::Trusted);
///
/// store.revoke("release-2026", now, "laptop stolen")?;
/// assert_eq!(store.keys()[0].status(now), KeyStatus::Revoked);
/// let again = store.revoke("release-2026", now, "again").unwrap_err();
/// assert_eq!(
///     again.to_string(),
///     "the key \"release-2026\" was revoked at 2026-02-01T00:00:00Z: laptop stolen; that is final, so make a new key"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustStore {
    keys: Vec<TrustedKey>,
}

/// A key in a [`TrustStore`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedKey {
    /// The key's name for people: ASCII letters, digits, `.`, `_` and `-`, such as `release-2026`.
    pub id: String,
    /// The key.
    pub key: PublicKey,
    /// The last second in which the key is trusted; without it, the key does not expire.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub not_after: Option<Timestamp>,
    /// Set if the key is no longer trusted.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub revoked: Option<Revocation>,
    /// Whether the key may also sign native code, which no sandbox confines; otherwise it may sign modules only.
    #[serde(default, skip_serializing_if = "is_false")]
    pub native: bool,
    /// A one-line comment for people.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub comment: Option<String>,
}

/// States that a key is no longer trusted.
///
/// A revocation applies to everything that the key ever signed, since a signer can choose any date for a signature.
/// `at` is therefore only informative, and a revocation that is dated in the future already applies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// When the key was revoked.
    pub at: Timestamp,
    /// Why, on one line, for people.
    pub reason: String,
}

/// The status of a key in a trust store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KeyStatus {
    /// The key's signatures are accepted.
    Trusted,
    /// The key has expired.
    Expired,
    /// The key is revoked, whether or not it has expired.
    Revoked,
}

impl TrustedKey {
    /// Returns the key's status at this time. During the second [`not_after`](Self::not_after) itself, the key is still
    /// trusted.
    pub fn status(&self, now: Timestamp) -> KeyStatus {
        if self.revoked.is_some() {
            KeyStatus::Revoked
        } else if self.not_after.is_some_and(|not_after| now > not_after) {
            KeyStatus::Expired
        } else {
            KeyStatus::Trusted
        }
    }

    fn check(&self) -> Result<(), TrustStoreError> {
        let id = self.id.as_bytes();
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let fits = id.len() <= MAX_ID_BYTES && id.first().is_some_and(u8::is_ascii_alphanumeric);
        if !fits || !id.iter().all(allowed) {
            return Err(TrustStoreError::BadId { id: self.id.clone() });
        }
        let reason = self.revoked.as_ref().map(|revocation| &revocation.reason);
        for (field, text, least) in [("reason", reason, 1), ("comment", self.comment.as_ref(), 0)] {
            let Some(text) = text else { continue };
            let fits = (least..=MAX_TEXT_BYTES).contains(&text.len());
            if !fits || !is_printable(text) || text.contains(['\n', '\t']) {
                return Err(TrustStoreError::BadText { id: self.id.clone(), field, text: text.clone() });
            }
        }
        Ok(())
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    keys: Vec<TrustedKey>,
}

impl TrustStore {
    /// Reads a trust store.
    ///
    /// This is as strict as for a manifest: the bytes must be UTF-8 JSON of at most [`MAX_TRUST_STORE_BYTES`] with
    /// nothing after it, and without unknown fields or repeated keys. A store without any trusted key is valid: a host
    /// that uses it opens no pack, as its operator intends.
    ///
    /// # Errors
    /// The first fault, where an unknown version comes before everything else.
    pub fn parse(bytes: &[u8]) -> Result<Self, TrustStoreError> {
        if bytes.len() > MAX_TRUST_STORE_BYTES {
            return Err(TrustStoreError::TooLarge);
        }
        let text = json::text(bytes)?;
        check_version(text)?;
        let File { keys, .. } = json::parse(text)?;
        keys.into_iter().try_fold(Self::default(), |mut store, key| {
            store.add(key)?;
            Ok(store)
        })
    }

    /// Returns the trust store as JSON, which [`parse`](Self::parse) reads back; equal stores give equal bytes.
    pub fn to_json(&self) -> Vec<u8> {
        let file = File { version: TRUST_STORE_VERSION, keys: self.keys.clone() };
        let mut json = serde_json::to_vec_pretty(&file).expect("no value's serialization fails");
        json.push(b'\n');
        json
    }

    /// Returns all keys, in the order in which they were added, including those that are expired or revoked.
    pub fn keys(&self) -> &[TrustedKey] {
        &self.keys
    }

    /// Returns the entry of this key.
    pub fn of_key(&self, key: &PublicKey) -> Option<&TrustedKey> {
        self.keys.iter().find(|entry| entry.key == *key)
    }

    /// Adds a key.
    ///
    /// # Errors
    /// The store already has the id or the key, revoked or not; a text is invalid; or the store is full.
    pub fn add(&mut self, key: TrustedKey) -> Result<(), TrustStoreError> {
        key.check()?;
        if self.keys.iter().any(|entry| entry.id == key.id) {
            return Err(TrustStoreError::DuplicateId { id: key.id });
        }
        if let Some(entry) = self.of_key(&key.key) {
            let (first, second) = (entry.id.clone(), key.id);
            return Err(TrustStoreError::DuplicateKey { first, second });
        }
        if self.keys.len() == MAX_TRUSTED_KEYS {
            return Err(TrustStoreError::TooManyKeys { count: MAX_TRUSTED_KEYS + 1 });
        }
        self.keys.push(key);
        Ok(())
    }

    /// Sets the last second in which a key is trusted.
    ///
    /// # Errors
    /// The store has no such key, or it is revoked.
    pub fn expire(&mut self, id: &str, not_after: Timestamp) -> Result<(), TrustStoreError> {
        self.current(id)?.not_after = Some(not_after);
        Ok(())
    }

    /// Sets whether a key may also sign native code.
    ///
    /// # Errors
    /// The store has no such key, or it is revoked.
    pub fn set_native(&mut self, id: &str, native: bool) -> Result<(), TrustStoreError> {
        self.current(id)?.native = native;
        Ok(())
    }

    /// Revokes a key permanently.
    ///
    /// # Errors
    /// The store has no such key, it is already revoked, or the reason is invalid.
    pub fn revoke(&mut self, id: &str, at: Timestamp, reason: &str) -> Result<(), TrustStoreError> {
        let entry = self.current(id)?;
        let revoked = TrustedKey { revoked: Some(Revocation { at, reason: reason.to_owned() }), ..entry.clone() };
        revoked.check()?;
        *entry = revoked;
        Ok(())
    }

    /// Returns the entry with this id, unless it is revoked.
    fn current(&mut self, id: &str) -> Result<&mut TrustedKey, TrustStoreError> {
        let Some(index) = self.keys.iter().position(|entry| entry.id == id) else {
            let known = self.keys.iter().map(|entry| entry.id.clone()).collect();
            return Err(TrustStoreError::UnknownId { id: id.to_owned(), known });
        };
        match &self.keys[index].revoked {
            None => Ok(&mut self.keys[index]),
            Some(Revocation { at, reason }) => {
                Err(TrustStoreError::Revoked { id: id.to_owned(), at: *at, reason: reason.clone() })
            }
        }
    }
}

/// Reads the version on its own, since everything else may look different in a store of another version.
fn check_version(text: &str) -> Result<(), TrustStoreError> {
    #[derive(Deserialize)]
    struct Version {
        version: Option<Value>,
    }
    // An error here is ignored, since it occurs again in the strict pass, which reports its place.
    let found = serde_json::from_str::<Version>(text).ok().and_then(|found| found.version?.as_u64());
    match found {
        Some(found) if found != u64::from(TRUST_STORE_VERSION) => Err(TrustStoreError::Version { found }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
