//! A whole pack under a trusted signature: whatever a signer may have signed is a verified pack or an error, and what
//! is verified keeps what a host relies on.
//!
//! An input is the length of the manifest in four bytes, the manifest, and each module behind its length in four
//! bytes. The target writes the digests and signs, so that nothing ends at the signature. Without a manifest it makes
//! one from the modules' own sections.
#![no_main]

use std::{collections::BTreeMap, time::SystemTime};

use kernelpack_abi::{KernelSpecBuf, MESSAGE_CAPACITY, section};
use kernelpack_manifest::{
    CompatibilityChecker, Digest, FEATURES, Kernel, KernelPackVerifier, MAX_CODE_BYTES, Manifest, SecretKey,
    VerifiedModule,
};
use libfuzzer_sys::fuzz_target;
use semver::Version;
use wasmparser::{Parser, Payload, Validator, WasmFeatures};

/// A key that is trusted by itself never expires, so any time will do.
const NOW: SystemTime = SystemTime::UNIX_EPOCH;

fuzz_target!(|input: &[u8]| {
    let mut rest = input;
    let Some(raw) = part(&mut rest) else { return };
    let mut modules = Vec::new();
    while let Some(module) = part(&mut rest) {
        modules.push(module);
    }

    let key = SecretKey::from_seed([7; 32]);
    let verifier = KernelPackVerifier::new([key.public()]);
    let manifest = match Manifest::parse(raw) {
        Ok(manifest) => {
            // What the signature covers is read as it would be without one.
            let signed = verifier.verify(raw, &key.sign(raw), NOW).expect("the key is trusted");
            assert_eq!(signed.manifest(), &manifest);
            Some(manifest)
        }
        Err(_) => from_sections(&modules),
    };
    let Some(mut manifest) = manifest else { return };
    for (kernel, module) in manifest.kernels.iter_mut().zip(&modules) {
        kernel.hash = Digest::of(module);
    }
    let json = manifest.to_json();
    let Ok(signed) = verifier.verify(&json, &key.sign(&json), NOW) else { return };
    let checker = CompatibilityChecker {
        runtime_version: Version::new(0, 1, 0),
        engine: "wasmtime".to_owned(),
        engine_version: Version::new(48, 0, 8),
        features: FEATURES.map(str::to_owned).into(),
    };
    let _ = checker.check(&signed);
    for (kernel, module) in signed.kernels.iter().zip(&modules) {
        match signed.verify_module(&kernel.id, module.to_vec()) {
            Ok(verified) => {
                check_promises(&verified);
                assert!(checker.check_module(&verified).is_compatible());
            }
            Err(rejected) => assert!(!rejected.to_string().is_empty()),
        }
    }
});

/// What a host does not look at again.
fn check_promises(module: &VerifiedModule) {
    let (spec, facts) = (module.spec(), module.facts());
    assert!(Validator::new_with_features(WasmFeatures::default()).validate_all(module.bytes()).is_ok());
    let initial = u64::from(facts.initial_pages) << 16;
    assert!(u64::from(facts.heap_base) <= initial);
    assert!(u64::from(facts.message) + 4 + MESSAGE_CAPACITY as u64 <= u64::from(facts.heap_base));
    assert!(facts.initial_pages <= facts.max_pages && facts.max_pages <= spec.limits.max_memory_pages);
    assert!(facts.table_elements <= spec.limits.max_table_elements);
    assert!(facts.code_bytes <= MAX_CODE_BYTES);
    for payload in Parser::new(0).parse_all(module.bytes()) {
        let payload = payload.expect("a valid module can be parsed");
        assert!(!matches!(payload, Payload::ImportSection(_) | Payload::StartSection { .. }));
    }
}

/// The next part of an input, with its length in front; a length beyond the end takes what there is.
fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (len, tail) = rest.split_first_chunk::<4>()?;
    let (part, tail) = tail.split_at((u32::from_le_bytes(*len) as usize).min(tail.len()));
    *rest = tail;
    Some(part)
}

/// A manifest that says what the modules say of themselves.
fn from_sections(modules: &[&[u8]]) -> Option<Manifest> {
    let specs: Vec<KernelSpecBuf> = modules.iter().copied().filter_map(spec_of).collect();
    let fallbacks = specs.iter().filter(|spec| !spec.fallback.is_empty());
    let fallbacks = fallbacks.map(|spec| (spec.id.clone(), spec.fallback.clone())).collect();
    let entry = |spec| Kernel::from_spec(spec, Digest::of(b""), BTreeMap::new(), BTreeMap::new()).ok();
    let kernels: Vec<Kernel> = specs.iter().filter_map(entry).collect();
    let template = Manifest::parse(include_bytes!("../seeds/manifest/kv_unpack_q8")).expect("the seed is a manifest");
    (!kernels.is_empty()).then_some(Manifest { kernels, fallbacks, ..template })
}

fn spec_of(module: &[u8]) -> Option<KernelSpecBuf> {
    let content = Parser::new(0).parse_all(module).find_map(|payload| match payload {
        Ok(Payload::CustomSection(custom)) if custom.name() == section::NAME => Some(custom.data()),
        _ => None,
    })?;
    section::decode(content).ok()?.pop().map(|entry| entry.spec)
}
