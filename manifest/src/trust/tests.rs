use std::time::{Duration, SystemTime};

use crate::{
    AotFault, AotFile, AotRecord, AotTarget, Digest, KernelPackVerifier, ModuleFault, Rejected, SecretKey, Signer,
    Timestamp, TrustStore, TrustedKey, VerifyError,
    manifest::MAX_MANIFEST_BYTES,
    samples::{self, FULL, full_module, key, plain_module, spec_of},
};

mod files;
mod keys;
mod signatures;

const NOW: SystemTime = SystemTime::UNIX_EPOCH;

fn verifier() -> KernelPackVerifier {
    KernelPackVerifier::new([SecretKey::from_seed([1; 32]).public(), key().public()])
}

fn signed() -> (Vec<u8>, [u8; 64]) {
    let json = samples::json().into_bytes();
    let signature = key().sign(&json);
    (json, signature)
}

fn at(text: &str) -> SystemTime {
    let time: Timestamp = text.parse().unwrap();
    SystemTime::UNIX_EPOCH + Duration::from_secs(time.to_unix())
}

const NOT_AFTER: &str = "2027-06-30T00:00:00Z";

fn entry(id: &str, key: &SecretKey) -> TrustedKey {
    TrustedKey { id: id.into(), key: key.public(), not_after: None, revoked: None, native: false, comment: None }
}

/// Returns a store with the key of the samples, after `change`, and another key.
fn store(change: impl FnOnce(&mut TrustedKey)) -> TrustStore {
    let mut store = TrustStore::default();
    store.add(entry("other", &SecretKey::from_seed([1; 32]))).unwrap();
    let mut sample = entry("sample", &key());
    change(&mut sample);
    store.add(sample).unwrap();
    store
}
