use super::*;
use crate::{
    MAX_MANIFEST_BYTES,
    samples::{json, json_with, manifest},
};

fn refused(json: &str) -> Rejected {
    Manifest::parse(json.as_bytes()).expect_err(json)
}

#[track_caller]
fn malformed(json: &str) -> (String, Option<String>, String) {
    match refused(json) {
        Rejected::Malformed { path, kernel, message } => (path, kernel, message),
        other => panic!("{other}"),
    }
}

#[test]
fn what_is_written_reads_back() {
    let manifest = manifest();
    let json = manifest.to_json();
    assert!(json.ends_with(b"}\n"));
    assert_eq!(Manifest::parse(&json), Ok(manifest.clone()));
    assert_eq!(Manifest::parse(&json).unwrap().to_json(), json);
    let compact = serde_json::to_vec(&manifest).unwrap();
    assert_eq!(Manifest::parse(&compact).unwrap().to_json(), json);
}

#[test]
fn fields_stand_in_the_order_of_the_specification() {
    let json = json();
    let places = |keys: &[&str]| -> Vec<usize> {
        keys.iter().map(|key| json.find(&format!("\"{key}\":")).unwrap_or_else(|| panic!("{key}"))).collect()
    };
    let head = places(&["$schema", "abi_version", "name", "version", "min_runtime_version", "created_at", "author"]);
    assert!(head.is_sorted());
    let kernel = places(&["id", "category", "path", "hash", "entry_point", "inputs", "outputs", "params"]);
    assert!(kernel.is_sorted());
    assert!(places(&["params", "resource_limits", "platforms", "benchmarks", "fallbacks"]).is_sorted());
    // The second kernel has none of these fields, so each occurs once.
    for key in ["scratch", "init", "cleanup", "backward", "optional"] {
        assert_eq!(json.matches(&format!("\"{key}\":")).count(), 1, "{key}");
    }
    assert_eq!(json.matches("\"inout\": true").count(), 2);
    assert!(json.contains(r#""len": "rows*(dim+4)""#));
}

#[test]
fn only_one_json_text_in_utf8_is_read() {
    for bad in ["", " ", "{", "[]", "null", "\u{feff}{}", "{} {}", "// c\n{}", "{'a': 1}", "{\"a\": 1,}", "NaN"] {
        malformed(bad);
    }
    malformed(&format!("{}x", json()));
    malformed(&format!("{}{}", json(), json()));
    let mut bytes = json().into_bytes();
    let at = json().find("Ada").unwrap();
    bytes[at] = 0xff;
    assert_eq!(Manifest::parse(&bytes), Err(Rejected::NotUtf8 { at }));
    malformed(&json_with("Ada", "\\ud800"));
    malformed(&"[".repeat(100_000));
    let (size, limit) = (MAX_MANIFEST_BYTES + 1, MAX_MANIFEST_BYTES);
    assert_eq!(Manifest::parse(&vec![b' '; size]), Err(Rejected::ManifestTooLarge { size, limit }));
}

#[test]
fn repeated_keys_are_refused_at_every_level() {
    for key in [
        "abi_version",
        "signing_key",
        "category",
        "dtype",
        "len",
        "eps",
        "default",
        "max_epoch_ticks",
        "wamr",
        "aot_available",
        "rows_64_dim_4096",
        "latency_us",
        "k_f32",
        "$schema",
        "inputs",
    ] {
        let json = json();
        let at = json.find(&format!("\"{key}\":")).unwrap_or_else(|| panic!("{key}"));
        // A repeated key right before the next one is enough; its value need not even have the right type.
        let twice = format!("{}\"{key}\": 0, {}", &json[..at], &json[at..]);
        let found = refused(&twice);
        assert!(matches!(&found, Rejected::DuplicateKey { key: found, .. } if found == key), "{key}: {found}");
    }
    let escaped = json_with("\"name\"", "\"n\\u0061me\": \"x\", \"name\"");
    assert!(matches!(refused(&escaped), Rejected::DuplicateKey { key, .. } if key == "name"));
}

#[test]
fn unknown_fields_are_refused_at_every_level() {
    for key in [
        "abi_version",
        "signing_key",
        "category",
        "dtype",
        "len",
        "type",
        "max_epoch_ticks",
        "min_version",
        "latency_us",
    ] {
        let json = json();
        let at = json.find(&format!("\"{key}\":")).unwrap();
        let (.., message) = malformed(&format!("{}\"colour\": 0, {}", &json[..at], &json[at..]));
        assert!(message.contains("unknown field `colour`"), "{key}: {message}");
    }
    let (path, kernel, message) = malformed(&json_with("\"backward\": {", "\"backward\": { \"colour\": 0,"));
    assert_eq!((path.as_str(), kernel.as_deref()), ("kernels[0].backward.colour", Some("k_f32")));
    assert!(message.contains("unknown field `colour`"), "{message}");
}

#[test]
fn missing_fields_are_named() {
    for key in ["description", "min_runtime_version", "created_at", "version"] {
        let json = json();
        let line = json.lines().find(|line| line.starts_with(&format!("  \"{key}\":"))).unwrap();
        let (.., message) = malformed(&json.replacen(&format!("{line}\n"), "", 1));
        assert!(message.contains(&format!("missing field `{key}`")), "{message}");
    }
}

#[test]
fn null_is_no_value() {
    for (from, to) in [
        ("\"ada@example.org\"", "null"),
        ("\"aot_available\": true", "\"aot_available\": null"),
        ("\"default\": 0.00001", "\"default\": null"),
        ("\"throughput_gflops\": 2.1", "\"throughput_gflops\": null"),
        ("\"resource_limits\"", "\"backward\": null, \"resource_limits\""),
        ("\"init\": true", "\"init\": null"),
    ] {
        let json = json_with(from, to);
        assert!(Manifest::parse(json.as_bytes()).is_err(), "{to}");
    }
}

#[test]
fn a_bad_value_is_named_with_its_place_and_kernel() {
    let (path, kernel, message) = malformed(&json_with("\"dtype\": \"q8_0\"", "\"dtype\": \"f64\""));
    assert_eq!((path.as_str(), kernel.as_deref()), ("kernels[0].outputs[1].dtype", Some("k_f32")));
    assert!(message.starts_with("unknown data type \"f64\"; the types are f32, f16, "), "{message}");
    let said = refused(&json_with("rows*(dim+4)", "rows*(dim+4")).to_string();
    assert!(
        said.starts_with(
            "the manifest cannot be read: kernels[0].scratch[0].len (kernel \"k_f32\"): the length \"rows*(dim+4\" is not \
             an expression: expected \")\" at byte 11"
        ),
        "{said}"
    );
    for (from, to, path) in [
        ("\"hash\": \"sha256:", "\"hash\": \"sha512:", "kernels[0].hash"),
        ("\"dim/2\"", "\"dim/0\"", "kernels[0].inputs[1].shape[0]"),
        ("\"version\": \"1.0.0\"", "\"version\": \"1.0\"", "version"),
        ("\"type\": \"i32\"", "\"type\": \"i64\"", "kernels[0].params.axis"),
        ("\"max_memory_pages\": 16", "\"max_memory_pages\": -1", "kernels[0].resource_limits.max_memory_pages"),
        ("\"latency_us\": 45.0", "\"latency_us\": 1e999", "kernels[0].benchmarks.rows_64_dim_4096.latency_us"),
    ] {
        let json = json_with(from, to);
        let (found, ..) = malformed(&json);
        // Values that JSON itself cannot express are found before the fields are read.
        assert!(found == path || (found.is_empty() && to.ends_with("1e999")), "{found}");
    }
}

#[test]
fn another_schema_version_comes_before_anything_else() {
    let newer = r#"{"$schema": "https://kernelpack.dev/schemas/kernel-pack-v2.json", "abi_version": 9, "colour": {}}"#;
    assert_eq!(
        refused(newer).to_string(),
        "the manifest was written for schema version 2, but this build reads 1; use a newer kernelpack"
    );
    let older = json_with("kernel-pack-v1", "kernel-pack-v0");
    let expected = CompatibilityResult::SchemaVersion { found: 0, supported: 1 };
    assert_eq!(refused(&older), Rejected::Incompatible(expected));
    for other in ["https://example.org/kernel-pack-v2.json", "https://kernelpack.dev/schemas/kernel-pack-v01.json", ""]
    {
        let json = json_with(SCHEMA, other);
        assert_eq!(refused(&json), Rejected::UnknownSchema { found: other.into() });
    }
    malformed(&json_with(&format!("\"{}\"", SCHEMA), "1"));
    malformed("{}");
}

#[test]
fn another_abi_comes_next() {
    let newer = r#"{"$schema": "https://kernelpack.dev/schemas/kernel-pack-v1.json", "abi_version": 2}"#;
    assert_eq!(
        refused(newer).to_string(),
        "the pack was built for ABI version 2, but this build runs 1; use a newer kernelpack"
    );
    assert_eq!(
        refused(&json_with("\"abi_version\": 1", "\"abi_version\": 0")).to_string(),
        "the pack was built for ABI version 0, but this build runs 1; pack again with this kernelpack"
    );
    malformed(&json_with("\"abi_version\": 1", "\"abi_version\": 4294967297"));
}

#[test]
fn damage_never_panics() {
    let json = json().into_bytes();
    for at in 0..json.len() {
        for value in [b'"', b'0', b'{', b'}', b',', 0xff, b'\\', json[at] ^ 1] {
            let mut damaged = json.clone();
            damaged[at] = value;
            let _ = Manifest::parse(&damaged);
        }
        let _ = Manifest::parse(&json[..at]);
    }
}

#[test]
fn limits_that_the_specification_does_not_have_may_be_missing() {
    let mut json: Value = serde_json::from_str(&json()).unwrap();
    let limits = json["kernels"][0]["resource_limits"].as_object_mut().unwrap();
    for field in ["max_instances", "max_stack_bytes"] {
        limits.remove(field).unwrap();
    }
    let manifest = Manifest::parse(json.to_string().as_bytes()).unwrap();
    let limits = manifest.kernels[0].resource_limits;
    assert_eq!((limits.max_instances, limits.max_stack_bytes), (64, 524_288));
}
