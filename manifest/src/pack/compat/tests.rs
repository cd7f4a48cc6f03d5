use super::*;
use crate::samples::{PLAIN, PLAIN_WAT, json_with, key, manifest, module, plain_module};
use crate::{Digest, KernelPackVerifier, Rejected};

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn checker(runtime: &str, engine: &str, features: &[&str]) -> CompatibilityChecker {
    CompatibilityChecker {
        runtime_version: version(runtime),
        engine: "wasmtime".into(),
        engine_version: version(engine),
        features: features.iter().map(|&feature| feature.into()).collect(),
    }
}

const FEATURES: &[&str] = &["bulk-memory", "simd", "sign-extension"];

#[test]
fn bounds_are_inclusive() {
    for runtime in ["0.1.0", "0.5.3", "1.0.0", "1.0.0+build.7", "1.0.0-rc.1"] {
        assert_eq!(
            checker(runtime, "40.0.0", FEATURES).check(&manifest()),
            CompatibilityResult::Compatible,
            "{runtime}"
        );
    }
}

/// These variants and their fields are named in the specification.
#[test]
fn versions_out_of_bounds_are_told_with_both_versions() {
    let (min, max) = (version("0.1.0"), version("1.0.0"));
    let result = |runtime: &str| checker(runtime, "48.0.0", FEATURES).check(&manifest());
    // These versions are just outside the bounds; a release candidate of the oldest version is older than that version.
    for runtime in ["0.0.99", "0.1.0-rc.1", "0.1.0-0", "0.0.0"] {
        let (required, actual) = (min.clone(), version(runtime));
        assert_eq!(result(runtime), CompatibilityResult::RuntimeTooOld { required, actual });
    }
    for runtime in ["1.0.1", "1.0.1-0", "2.0.0-rc.1", "1.1.0"] {
        let (max_supported, actual) = (max.clone(), version(runtime));
        assert_eq!(result(runtime), CompatibilityResult::RuntimeTooNew { max_supported, actual });
    }
    // The bounds themselves may be release candidates.
    let mut manifest = manifest();
    (manifest.min_runtime_version, manifest.max_runtime_version) = (version("1.0.0-rc.2"), version("1.0.0-rc.10"));
    let result = |runtime: &str| checker(runtime, "48.0.0", FEATURES).check(&manifest);
    for runtime in ["1.0.0-rc.2", "1.0.0-rc.3", "1.0.0-rc.10", "1.0.0-rc.10+a"] {
        assert_eq!(result(runtime), CompatibilityResult::Compatible, "{runtime}");
    }
    assert!(matches!(result("1.0.0-rc.1"), CompatibilityResult::RuntimeTooOld { .. }));
    for runtime in ["1.0.0-rc.11", "1.0.0"] {
        assert!(matches!(result(runtime), CompatibilityResult::RuntimeTooNew { .. }), "{runtime}");
    }
    // The range has a single version.
    (manifest.min_runtime_version, manifest.max_runtime_version) = (version("0.5.0"), version("0.5.0"));
    let result = |runtime: &str| checker(runtime, "48.0.0", FEATURES).check(&manifest);
    assert!(result("0.5.0").is_compatible());
    assert!(!result("0.4.9").is_compatible() && !result("0.5.1").is_compatible());
}

#[test]
fn schema_and_abi_are_told_as_results_too() {
    let result = |manifest: String| match Manifest::parse(manifest.as_bytes()) {
        Err(Rejected::Incompatible(result)) => result,
        other => panic!("{other:?}"),
    };
    // A later schema may have any other fields, and other types for the existing ones.
    let schema = "https://kernelpack.dev/schemas/kernel-pack-v3.json";
    let newer = format!("{{\"$schema\": \"{schema}\", \"abi_version\": \"2.1\", \"kernels\": {{}}, \"k\": null}}");
    assert_eq!(result(newer), CompatibilityResult::SchemaVersion { found: 3, supported: crate::SCHEMA_VERSION });
    let newer = json_with("kernel-pack-v1", "kernel-pack-v4294967295");
    assert_eq!(result(newer), CompatibilityResult::SchemaVersion { found: u32::MAX, supported: 1 });
    // If both versions are wrong, the schema is reported first.
    let both = json_with("kernel-pack-v1", "kernel-pack-v2").replacen("\"abi_version\": 1", "\"abi_version\": 2", 1);
    assert_eq!(result(both), CompatibilityResult::SchemaVersion { found: 2, supported: 1 });
    let abi = json_with("\"abi_version\": 1", "\"abi_version\": 2, \"colour\": 1");
    assert_eq!(result(abi), CompatibilityResult::AbiVersion { found: 2, supported: kernelpack_abi::ABI_VERSION });
}

#[test]
fn each_mismatch_is_told() {
    let said = |checker: CompatibilityChecker| checker.check(&manifest()).into_result().unwrap_err().to_string();
    for runtime in ["0.0.9", "0.1.0-rc.1"] {
        let expected = format!("the pack needs runtime 0.1.0 or newer, but this is {runtime}; update the runtime");
        assert_eq!(said(checker(runtime, "48.0.0", FEATURES)), expected);
    }
    assert_eq!(
        said(checker("1.0.1", "48.0.0", FEATURES)),
        "the pack supports runtimes up to 1.0.0, but this is 1.0.1; use a newer pack"
    );
    assert_eq!(
        said(checker("1.0.0", "39.9.9", FEATURES)),
        "kernel \"k_f32\" needs wasmtime 40.0.0 or newer, but this is 39.9.9; update the runtime"
    );
    assert_eq!(
        said(checker("1.0.0", "40.0.0", &["bulk-memory"])),
        "kernel \"k_f32\" needs the WebAssembly feature \"simd\"; use an engine that enables it"
    );
    let other = CompatibilityChecker { engine: "wasmer".into(), ..checker("1.0.0", "40.0.0", FEATURES) };
    assert_eq!(said(other), "kernel \"k_f32\" does not support wasmer; pack it again with wasmer as a platform");
    assert!(CompatibilityResult::Compatible.into_result().is_ok());
}

#[test]
fn the_platform_of_the_own_engine_counts() {
    let wamr = CompatibilityChecker { engine: "wamr".into(), ..checker("1.0.0", "2.4.0", &[]) };
    assert_eq!(wamr.check(&manifest()), CompatibilityResult::Compatible);
}

#[test]
fn what_a_module_uses_counts_whatever_is_listed() {
    let text = PLAIN_WAT.replacen("(memory", "(func (param v128)) (memory", 1);
    let simd = module(&text, &[&crate::samples::PLAIN_ENTRY]);
    let mut manifest = manifest();
    manifest.kernels[0].hash = Digest::of(&plain_module());
    manifest.kernels[1].hash = Digest::of(&simd);
    let json = manifest.to_json();
    let manifest =
        KernelPackVerifier::new([key().public()]).verify(&json, &key().sign(&json), std::time::UNIX_EPOCH).unwrap();
    let module = manifest.verify_module(PLAIN.id, simd).unwrap();
    assert_eq!(checker("1.0.0", "40.0.0", FEATURES).check_module(module.interface()), CompatibilityResult::Compatible);
    assert_eq!(
        checker("1.0.0", "40.0.0", &["bulk-memory"]).check_module(module.interface()),
        CompatibilityResult::MissingFeature { kernel: "p_f32".into(), feature: "simd".into() }
    );
}
