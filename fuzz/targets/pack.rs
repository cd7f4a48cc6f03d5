//! A whole pack with a trusted signature: anything that a signer may have signed is a verified pack or an error, and a
//! verified pack has the properties that a host relies on.
//!
//! An input is the length of the manifest in four bytes, the manifest, and each file preceded by its length in four
//! bytes: the kernels' own modules, then those of their platforms, then the native code of these, in the manifest's
//! order. The target writes the digests and signs, so that inputs get past the signature. Without a manifest, it makes
//! one from the modules' own sections, with each kernel's module also as that of a platform.
#![no_main]

use std::{collections::BTreeMap, time::SystemTime};

use kernelpack_abi::{KernelSpecBuf, MESSAGE_CAPACITY, section};
use kernelpack_manifest::{
    AOT_CHECKS, AotFacts, CompatibilityChecker, Digest, FEATURES, Kernel, KernelPackVerifier, MAX_CODE_BYTES, Manifest,
    ModuleFile, Platform, SecretKey, SignedManifest, VerifiedModule,
};
use libfuzzer_sys::fuzz_target;
use semver::Version;
use wasmparser::{Parser, Payload, Validator, WasmFeatures};

/// Directly trusted keys never expire, so any time is valid.
const NOW: SystemTime = SystemTime::UNIX_EPOCH;

fuzz_target!(|input: &[u8]| {
    let mut rest = input;
    let Some(raw) = part(&mut rest) else { return };
    let mut files = Vec::new();
    while let Some(file) = part(&mut rest) {
        files.push(file);
    }

    let key = SecretKey::from_seed([7; 32]);
    let verifier = KernelPackVerifier::new([key.public()]).with_native_keys([key.public()]);
    let manifest = match Manifest::parse(raw) {
        Ok(manifest) => {
            // A valid signature must not change how the bytes are read.
            let signed = verifier.verify(raw, &key.sign(raw), NOW).expect("the key is trusted");
            assert_eq!(signed.manifest(), &manifest);
            Some(manifest)
        }
        Err(_) => from_sections(&mut files),
    };
    let Some(mut manifest) = manifest else { return };
    write_digests(&mut manifest, &files);
    let json = manifest.to_json();
    let Ok(signed) = verifier.verify(&json, &key.sign(&json), NOW) else { return };
    let checker = CompatibilityChecker {
        runtime_version: Version::new(0, 1, 0),
        engine: "wasmtime".to_owned(),
        engine_version: Version::new(48, 0, 8),
        features: FEATURES.map(str::to_owned).into(),
    };
    let _ = checker.check(&signed);
    let mut files = files.into_iter();
    for kernel in &signed.kernels {
        let Some(module) = files.next() else { return };
        let own = signed.verify_module(&kernel.id, module.to_vec());
        check_module(&checker, own, None);
    }
    for (kernel, engine) in platforms(&signed) {
        let platform = &signed.kernel(kernel).expect("it was listed").platforms[engine];
        if platform.module.is_some() {
            let Some(module) = files.next() else { return };
            check_module(&checker, signed.verify_module_for(kernel, engine, module.to_vec()), Some(platform));
        }
    }
    for (kernel, engine) in platforms(&signed) {
        for entry in &signed.kernel(kernel).expect("it was listed").platforms[engine].aot {
            let Some(file) = files.next() else { return };
            match signed.verify_aot(kernel, engine, entry.target, file.to_vec()) {
                Ok(verified) => check_facts(verified.facts(), file),
                Err(rejected) => assert!(!rejected.to_string().is_empty()),
            }
        }
    }
});

/// Returns the kernels' platforms, in the manifest's order.
fn platforms(signed: &SignedManifest) -> impl Iterator<Item = (&str, &str)> {
    signed.kernels.iter().flat_map(|kernel| kernel.platforms.keys().map(|engine| (kernel.id.as_str(), engine.as_str())))
}

/// Sets the digests of the files in the manifest, and for each native file the digest of the module that it is supposed
/// to be compiled from.
fn write_digests(manifest: &mut Manifest, files: &[&[u8]]) {
    let mut digests = files.iter().map(|file| Digest::of(file));
    let mut next = |to: &mut Digest| *to = digests.next().unwrap_or(*to);
    for kernel in &mut manifest.kernels {
        next(&mut kernel.hash);
    }
    for platform in manifest.kernels.iter_mut().flat_map(|kernel| kernel.platforms.values_mut()) {
        platform.module.iter_mut().for_each(|module| next(&mut module.hash));
    }
    for Kernel { hash, platforms, .. } in &mut manifest.kernels {
        for Platform { module, aot, .. } in platforms.values_mut() {
            let source = module.as_ref().map_or(*hash, |module| module.hash);
            for file in aot {
                next(&mut file.hash);
                file.source = source;
            }
        }
    }
}

/// Checks that an accepted module has the properties that a host relies on.
fn check_module(
    checker: &CompatibilityChecker,
    verdict: Result<VerifiedModule, kernelpack_manifest::Rejected>,
    platform: Option<&Platform>,
) {
    match verdict {
        Ok(verified) => {
            check_promises(&verified);
            assert!(checker.check_module(&verified).is_compatible());
            if let Some(platform) = platform {
                let used = kernelpack_manifest::required_features(verified.bytes());
                let listed = |feature: &str| platform.features.iter().any(|listed| listed == feature);
                assert!(used.iter().all(|feature| listed(feature)), "an engine without the feature would load it");
            }
        }
        Err(rejected) => assert!(!rejected.to_string().is_empty()),
    }
}

/// Checks the record of accepted native code.
fn check_facts(facts: &AotFacts, file: &[u8]) {
    assert!(AOT_CHECKS.iter().all(|check| facts.record.options.iter().any(|option| option == check)));
    assert_eq!(AotFacts::read(file).as_ref(), Ok(facts));
}

/// Checks the properties that a host does not check again.
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

/// Splits off the next length-prefixed part of an input; a length beyond the end takes the rest.
fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (len, tail) = rest.split_first_chunk::<4>()?;
    let (part, tail) = tail.split_at((u32::from_le_bytes(*len) as usize).min(tail.len()));
    *rest = tail;
    Some(part)
}

/// Returns a manifest derived from the modules' sections; each module is also used as that of a platform.
fn from_sections(files: &mut Vec<&[u8]>) -> Option<Manifest> {
    let specs: Vec<KernelSpecBuf> = files.iter().copied().filter_map(spec_of).collect();
    let fallbacks = specs.iter().filter(|spec| !spec.fallback.is_empty());
    let fallbacks = fallbacks.map(|spec| (spec.id.clone(), spec.fallback.clone())).collect();
    let entry = |spec: &KernelSpecBuf| {
        let path = format!("{}/{}.scalar.wasm", spec.family, spec.id);
        let platform = Platform {
            min_version: Version::new(2, 4, 3),
            features: Vec::new(),
            module: Some(ModuleFile { path, hash: Digest::of(b"") }),
            aot_available: None,
            aot: Vec::new(),
        };
        let platforms = BTreeMap::from([("wamr".to_owned(), platform)]);
        Kernel::from_spec(spec, Digest::of(b""), platforms, BTreeMap::new()).ok()
    };
    let kernels: Vec<Kernel> = specs.iter().filter_map(entry).collect();
    files.truncate(kernels.len());
    files.extend_from_within(..);
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
