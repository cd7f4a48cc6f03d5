use super::*;
use crate::samples::{PLAIN, PLAIN_WAT, key, manifest, module, plain_module};
use crate::{Digest, KernelPackVerifier};

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

#[test]
fn each_mismatch_is_told() {
    let said = |checker: CompatibilityChecker| checker.check(&manifest()).into_result().unwrap_err().to_string();
    for runtime in ["0.0.9", "0.1.0-rc.1"] {
        let expected = format!("the pack needs runtime 0.1.0 or newer, this is {runtime}; update the runtime");
        assert_eq!(said(checker(runtime, "48.0.0", FEATURES)), expected);
    }
    assert_eq!(
        said(checker("1.0.1", "48.0.0", FEATURES)),
        "the pack supports runtimes up to 1.0.0, this is 1.0.1; use a newer pack"
    );
    assert_eq!(
        said(checker("1.0.0", "39.9.9", FEATURES)),
        "kernel \"k_f32\" needs wasmtime 40.0.0 or newer, this is 39.9.9; update the runtime"
    );
    assert_eq!(
        said(checker("1.0.0", "40.0.0", &["bulk-memory"])),
        "kernel \"k_f32\" needs the WebAssembly feature \"simd\"; use an engine that has it on"
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
    let manifest = KernelPackVerifier::new([key().public()]).verify(&json, &key().sign(&json)).unwrap();
    let module = manifest.verify_module(PLAIN.id, simd).unwrap();
    assert_eq!(checker("1.0.0", "40.0.0", FEATURES).check_module(&module), CompatibilityResult::Compatible);
    assert_eq!(
        checker("1.0.0", "40.0.0", &["bulk-memory"]).check_module(&module),
        CompatibilityResult::MissingFeature { kernel: "p_f32".into(), feature: "simd".into() }
    );
}
