//! The JSON Schemas agree with what the crate reads and writes.

use crate::{
    JSON_SCHEMA, MAX_TRUSTED_KEYS, Manifest, TRUST_STORE_JSON_SCHEMA, TRUST_STORE_VERSION, TrustStore,
    samples::{json, json_with, trust_store},
};

fn validator() -> jsonschema::Validator {
    jsonschema::draft202012::new(&serde_json::from_str(JSON_SCHEMA).unwrap()).unwrap()
}

#[test]
fn the_schema_is_one() {
    let schema = serde_json::from_str(JSON_SCHEMA).unwrap();
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
    assert!(JSON_SCHEMA.contains(&format!("\"$id\": \"{}\"", crate::SCHEMA)));
}

#[test]
fn what_is_written_follows_the_schema() {
    let manifest = serde_json::from_str(&json()).unwrap();
    let errors: Vec<String> = validator().iter_errors(&manifest).map(|error| error.to_string()).collect();
    assert_eq!(errors, [""; 0]);
}

#[test]
fn what_the_schema_refuses_is_not_read_either() {
    for (from, to) in [
        ("kernel-pack-v1", "kernel-pack-v2"),
        ("\"abi_version\": 1", "\"abi_version\": 2"),
        ("\"name\": \"samples\"", "\"name\": \"\""),
        ("\"version\": \"1.0.0\"", "\"version\": \"1.0\""),
        ("00:00:00Z", "00:00:00"),
        ("\"ed25519:", "\"rsa:"),
        ("\"id\": \"k_f32\"", "\"id\": \"k-f32\""),
        ("k/k_f32.wasm", "/k/k_f32.wasm"),
        ("k/k_f32.wasm", "k_f32.wasm"),
        ("sha256:", "sha256:0"),
        ("\"entry_point\": \"k_forward\"", "\"entry_point\": \"kernel_info\""),
        ("\"entry_point\": \"k_forward\"", "\"entry_point\": \"kernel_forward_batch\""),
        ("\"split\": [", "\"split\": [\"n\", "),
        ("\"split\": [", "\"split\": [\"0\", "),
        ("\"dtype\": \"f32\"", "\"dtype\": \"f64\""),
        ("\"dim/2\"", "\"dim/0\""),
        ("\"dim/2\"", "-1"),
        ("\"index\": 0", "\"index\": -1"),
        ("rows*(dim+4)", "rows%dim"),
        ("\"default\": 0.00001", "\"default\": true"),
        ("\"default\": true", "\"default\": 1"),
        ("\"default\": -1", "\"default\": 2147483648"),
        ("\"max_memory_pages\": 16", "\"max_memory_pages\": 0"),
        ("\"max_memory_pages\": 16", "\"max_memory_pages\": 65537"),
        ("\"max_epoch_ticks\": 1000", "\"max_epoch_ticks\": 0"),
        ("\"max_instances\": 4", "\"max_instances\": 0"),
        ("\"max_instances\": 4", "\"max_instances\": 4097"),
        ("\"max_stack_bytes\": 131072", "\"max_stack_bytes\": 100000"),
        ("\"max_stack_bytes\": 131072", "\"max_stack_bytes\": 32768"),
        ("\"min_version\": \"40.0.0\"", "\"min_version\": 40"),
        ("\"simd\"", "\"SIMD\""),
        ("k/k_f32.scalar.wasm", "k/k_f32.Scalar.wasm"),
        ("\"target\": \"x86_64\"", "\"target\": \"z80\""),
        ("k/k_f32.x86_64.aot", "k/k_f32.x86_64.so"),
        ("\"version\": \"2.4.3\"", "\"version\": \"2.4\""),
        ("\"stack-checks\"", "\"no-checks\""),
        ("\"opt-level=3\"", "\"opt level\""),
        ("k/k_f32.scalar.wasm", "k/k_f32..wasm"),
        ("k/k_f32.scalar.wasm", "k_f32.scalar.wasm"),
        ("\"module\": {", "\"module\": {\"colour\": 1, "),
        ("\"module\": {", "\"module\": null, \"x\": {"),
        ("\"latency_us\": 45.0", "\"latency_us\": -45.0"),
        ("health/k_f32.safetensors", "k/k_f32.safetensors"),
        ("health/k_f32.safetensors", "health/../k_f32.safetensors"),
        ("health/k_f32.safetensors", "health/k_f32.bin"),
        ("\"tolerance\": 1e-6", "\"tolerance\": 1"),
        ("\"tolerance\": 1e-6", "\"tolerance\": -1e-6"),
        ("\"offset\": 7", "\"offset\": \"7\""),
        ("\"offset\": 7", "\"off set\": 7"),
        ("\"tolerance\"", "\"colour\": 1, \"tolerance\""),
        ("\"k_reference\"", "\"k reference\""),
        ("\"category\"", "\"colour\": 1, \"category\""),
        ("\"fallbacks\"", "\"colour\": 1, \"fallbacks\""),
    ] {
        let json = json_with(from, to);
        assert!(!validator().is_valid(&serde_json::from_str(&json).unwrap()), "schema: {to}");
        assert!(Manifest::parse(json.as_bytes()).is_err(), "reader: {to}");
    }
}

fn store_validator() -> jsonschema::Validator {
    jsonschema::draft202012::new(&serde_json::from_str(TRUST_STORE_JSON_SCHEMA).unwrap()).unwrap()
}

#[test]
fn the_trust_stores_schema_is_one() {
    let schema = serde_json::from_str(TRUST_STORE_JSON_SCHEMA).unwrap();
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
    let id = format!("\"$id\": \"https://kernelpack.dev/schemas/trust-store-v{TRUST_STORE_VERSION}.json\"");
    assert!(TRUST_STORE_JSON_SCHEMA.contains(&id));
    assert!(TRUST_STORE_JSON_SCHEMA.contains(&format!("\"maxItems\": {MAX_TRUSTED_KEYS}")));
}

#[test]
fn trust_stores_that_are_written_follow_their_schema() {
    for store in [trust_store(), TrustStore::default()] {
        let store = serde_json::from_slice(&store.to_json()).unwrap();
        let errors: Vec<String> = store_validator().iter_errors(&store).map(|error| error.to_string()).collect();
        assert_eq!(errors, [""; 0]);
    }
}

#[test]
fn trust_stores_that_their_schema_refuses_are_not_read_either() {
    let good = String::from_utf8(trust_store().to_json()).unwrap();
    for (from, to) in [
        ("\"version\": 1", "\"version\": 2"),
        ("\"version\": 1,", ""),
        ("\"version\": 1", "\"version\": 1, \"colour\": 1"),
        ("\"keys\"", "\"Keys\""),
        ("\"id\": \"release-2026\"", "\"id\": \"\""),
        ("\"id\": \"release-2026\"", "\"id\": \"-release\""),
        ("\"id\": \"release-2026\"", "\"id\": \"release 2026\""),
        ("\"id\": \"release-2026\",", ""),
        ("\"ed25519:", "\"rsa:"),
        ("=\"", "\""),
        ("\"not_after\"", "\"not_before\""),
        ("2027-06-30T00:00:00Z", "2027-06-30"),
        ("2027-06-30T00:00:00Z", "1969-06-30T00:00:00Z"),
        ("\"reason\": \"laptop stolen\"", "\"reason\": \"\""),
        ("\"reason\": \"laptop stolen\"", "\"reason\": \"laptop\\nstolen\""),
        ("\"reason\": \"laptop stolen\"", "\"colour\": 1"),
        ("\"comment\": \"", "\"comment\": 1, \"\": \""),
    ] {
        let json = good.replacen(from, to, 1);
        assert_ne!(json, good, "{from}");
        assert!(!store_validator().is_valid(&serde_json::from_str(&json).unwrap()), "schema: {to}");
        assert!(TrustStore::parse(json.as_bytes()).is_err(), "reader: {to}");
    }
}
