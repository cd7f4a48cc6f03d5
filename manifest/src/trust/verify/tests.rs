use std::time::Duration;

use super::*;
use crate::{
    AotFault, AotRecord, ModuleFault, SecretKey,
    samples::{self, FULL, full_module, key, plain_module, spec_of},
};

const NOW: SystemTime = SystemTime::UNIX_EPOCH;

fn verifier() -> KernelPackVerifier {
    KernelPackVerifier::new([SecretKey::from_seed([1; 32]).public(), key().public()])
}

fn signed() -> (Vec<u8>, [u8; 64]) {
    let json = samples::json().into_bytes();
    let signature = key().sign(&json);
    (json, signature)
}

#[test]
fn what_a_trusted_key_signed_is_read() {
    let (json, signature) = signed();
    let manifest = verifier().verify(&json, &signature, NOW).unwrap();
    assert_eq!(manifest.manifest(), &samples::manifest());
    assert_eq!(manifest.name, "samples");
    assert_eq!(manifest.signed_by(), &key().public());
    assert_eq!(verifier().trusted_keys()[1], key().public());
}

#[test]
fn a_change_of_any_byte_is_refused() {
    let (json, signature) = signed();
    let unverified = |json: &[u8], signature: &[u8]| {
        let found = verifier().verify(json, signature, NOW).map(|_| ());
        assert_eq!(found, Err(Rejected::Unverified(VerifyError::NoTrustedKey)));
    };
    for at in 0..json.len() {
        let mut changed = json.clone();
        changed[at] ^= 1 << (at % 8);
        unverified(&changed, &signature);
    }
    for at in 0..signature.len() {
        for bit in 0..8 {
            let mut changed = signature;
            changed[at] ^= 1 << bit;
            unverified(&json, &changed);
        }
    }
    for len in (0..json.len()).step_by(7) {
        unverified(&json[..len], &signature);
    }
    let mut longer = json.clone();
    longer.push(b'\n');
    unverified(&longer, &signature);
    unverified(&json, &SecretKey::from_seed([9; 32]).sign(&json));
}

/// Adding the group's order to the second half gives another number for the same scalar; a lax verifier takes both.
#[test]
fn a_malleated_signature_is_refused() {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let (json, mut signature) = signed();
    let mut carry = 0;
    for (byte, order) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    assert_eq!(verifier().verify(&json, &signature, NOW), Err(Rejected::Unverified(VerifyError::NoTrustedKey)));
}

#[test]
fn a_signature_has_64_bytes() {
    let (json, signature) = signed();
    let mut longer = signature.to_vec();
    longer.push(0);
    for signature in [&signature[..0], &signature[..63], &longer] {
        let expected = VerifyError::MalformedSignature { len: signature.len() };
        assert_eq!(verifier().verify(&json, signature, NOW), Err(expected.into()));
    }
}

#[test]
fn a_host_that_trusts_nobody_opens_nothing() {
    let (json, signature) = signed();
    let nobody = KernelPackVerifier::default();
    assert_eq!(nobody.verify(&json, &signature, NOW), Err(VerifyError::NoKeys.into()));
    assert_eq!(nobody.verify(&json, &[], NOW), Err(VerifyError::NoKeys.into()));
}

#[test]
fn the_signature_comes_before_the_content() {
    let nonsense = b"{";
    let stranger = SecretKey::from_seed([9; 32]);
    assert_eq!(verifier().verify(nonsense, &stranger.sign(nonsense), NOW), Err(VerifyError::NoTrustedKey.into()));
    assert!(matches!(verifier().verify(nonsense, &key().sign(nonsense), NOW), Err(Rejected::Malformed { .. })));
    let large = vec![b' '; MAX_MANIFEST_BYTES + 1];
    let limit = MAX_MANIFEST_BYTES;
    assert_eq!(verifier().verify(&large, &[0; 64], NOW), Err(Rejected::ManifestTooLarge { size: limit + 1, limit }));
}

#[test]
fn kernels_are_known_by_their_digests() {
    let hash = Digest::of(b"abc").to_string();
    assert_eq!(verifier().verify_kernel(b"abc", &hash), Ok(()));
    let actual = Digest::of(b"abd").to_string();
    let expected = hash.clone();
    assert_eq!(verifier().verify_kernel(b"abd", &hash), Err(VerifyError::HashMismatch { expected, actual }));
    assert!(verifier().verify_kernel(b"abc", &hash.to_uppercase()).is_err());
    assert!(verifier().verify_kernel(b"abc", "").is_err());
}

#[test]
fn only_the_modules_that_were_signed_are_verified() {
    let (json, signature) = signed();
    let manifest = verifier().verify(&json, &signature, NOW).unwrap();
    let module = manifest.verify_module("k_f32", full_module()).unwrap();
    assert_eq!((module.bytes(), module.hash()), (&full_module()[..], Digest::of(&full_module()).0));
    assert_eq!(module.spec(), &spec_of(&FULL));
    assert_eq!(module.facts().max_pages, 16);
    assert!(manifest.verify_module("p_f32", plain_module()).is_ok());

    let unknown = manifest.verify_module("q_f32", full_module());
    assert_eq!(unknown, Err(Rejected::UnknownKernel { kernel: "q_f32".into() }));
    let mismatch = |bytes: &[u8]| Rejected::HashMismatch {
        kernel: "k_f32".into(),
        path: "k/k_f32.wasm".into(),
        expected: Digest::of(&full_module()),
        actual: Digest::of(bytes),
    };
    let other = manifest.verify_module("k_f32", plain_module()).unwrap_err();
    assert_eq!(other, mismatch(&plain_module()));
    let (expected, actual) = (Digest::of(&full_module()), Digest::of(&plain_module()));
    assert_eq!(
        other.to_string(),
        format!(
            "the module of kernel \"k_f32\" (\"k/k_f32.wasm\") has the digest {actual}, the manifest says {expected}; \
             fetch the pack again"
        )
    );
    let mut changed = full_module();
    for at in 0..changed.len() {
        changed[at] ^= 0x10;
        let found = manifest.verify_module("k_f32", changed.clone());
        assert_eq!(found, Err(mismatch(&changed)), "{at}");
        changed[at] ^= 0x10;
    }
}

#[test]
fn each_engine_is_given_the_module_that_the_manifest_has_for_it() {
    let (json, signature) = signed();
    let manifest = verifier().verify(&json, &signature, NOW).unwrap();
    let scalar = samples::scalar_module();
    let (kernel, plain) = (manifest.kernel("k_f32").unwrap(), manifest.kernel("p_f32").unwrap());
    for (engine, path) in [("wamr", "k/k_f32.scalar.wasm"), ("wasmtime", "k/k_f32.wasm"), ("wasmer", "k/k_f32.wasm")] {
        assert_eq!(kernel.module_for(engine).path, path);
        assert_eq!(plain.module_for(engine).path, "p/p_f32.wasm");
        let bytes = if engine == "wamr" { &scalar } else { &full_module() };
        let module = manifest.verify_module_for("k_f32", engine, bytes.clone()).unwrap();
        assert_eq!((module.path(), module.bytes(), module.spec()), (path, &bytes[..], &spec_of(&FULL)));
        // The other engines' module is none of this one's, however well it is signed.
        let other = if engine == "wamr" { full_module() } else { scalar.clone() };
        let (expected, actual) = (Digest::of(bytes), Digest::of(&other));
        let mismatch = Rejected::HashMismatch { kernel: "k_f32".into(), path: path.into(), expected, actual };
        assert_eq!(manifest.verify_module_for("k_f32", engine, other), Err(mismatch));
    }
    assert!(matches!(manifest.verify_module("k_f32", scalar.clone()), Err(Rejected::HashMismatch { .. })));
    let paths: Vec<_> = kernel.modules().map(|module| module.path).collect();
    assert_eq!(paths, ["k/k_f32.wasm", "k/k_f32.scalar.wasm"]);
}

#[test]
fn a_module_for_one_engine_is_checked_as_the_kernels_own() {
    let verify = |wasm: &[u8], features: &[&str]| {
        let mut manifest = samples::manifest();
        let platform = manifest.kernels[0].platforms.get_mut("wamr").unwrap();
        platform.module.as_mut().unwrap().hash = Digest::of(wasm);
        platform.aot.clear();
        platform.features = features.iter().map(ToString::to_string).collect();
        let json = manifest.to_json();
        let signed = verifier().verify(&json, &key().sign(&json), NOW).unwrap();
        signed.verify_module_for("k_f32", "wamr", wasm.to_vec()).map(|module| module.path().to_owned())
    };
    let path = "k/k_f32.scalar.wasm".to_owned();
    let variant = |fault| Err(Rejected::Variant { kernel: "k_f32".into(), path: path.clone(), fault });
    // Another kernel's, and what is none.
    assert!(matches!(verify(&plain_module(), &[]), Err(Rejected::Variant { .. })));
    assert_eq!(verify(b"\0asm", &[]), variant(ModuleFault::NotWasm));
    let started = samples::full_wat().replacen("(memory", "(start 5) (func) (memory", 1);
    let started = samples::module(&started, &[&samples::FULL_ENTRY]);
    assert!(matches!(verify(&started, &[]), Err(Rejected::Variant { .. })));
    let unbounded = samples::module(&samples::full_wat().replace("2 16", "2"), &[&samples::FULL_ENTRY]);
    assert_eq!(verify(&unbounded, &[]), variant(ModuleFault::MemoryUnbounded { limit: 16 }));

    // Features that only this engine will ask for are all listed.
    let simd = samples::full_wat().replacen("(memory", "(func (param v128)) (memory", 1);
    let simd = samples::module(&simd, &[&samples::FULL_ENTRY]);
    assert_eq!(verify(&simd, &["bulk-memory", "simd"]), Ok(path.clone()));
    let unlisted = verify(&simd, &["bulk-memory"]);
    assert_eq!(unlisted, variant(ModuleFault::UnlistedFeature { engine: "wamr".into(), feature: "simd" }));
    assert_eq!(
        unlisted.unwrap_err().to_string(),
        "the module \"k/k_f32.scalar.wasm\" of kernel \"k_f32\": it uses the WebAssembly feature \"simd\", which the \
         platform \"wamr\" does not list; pack again"
    );
}

#[test]
fn a_signed_digest_does_not_excuse_a_bad_module() {
    let mut manifest = samples::manifest();
    manifest.kernels[0].hash = Digest::of(&plain_module());
    let json = manifest.to_json();
    let manifest = verifier().verify(&json, &key().sign(&json), NOW).unwrap();
    let found = manifest.verify_module("k_f32", plain_module());
    assert!(matches!(found, Err(Rejected::Module { .. })), "{found:?}");
}

#[test]
fn a_health_vector_is_verified_by_its_digest_and_its_kernel() {
    let (json, signature) = signed();
    let manifest = verifier().verify(&json, &signature, NOW).unwrap();
    let (path, bytes) = ("health/k_f32.safetensors", samples::full_vector().to_bytes().unwrap());
    let verified = manifest.verify_vector("k_f32", path, &bytes).unwrap();
    assert_eq!((verified.kernel(), verified.path(), verified.tolerance()), ("k_f32", path, 1e-6));
    assert_eq!(verified.vector(), &samples::full_vector());

    let mut changed = bytes.clone();
    *changed.last_mut().unwrap() ^= 1;
    let found = manifest.verify_vector("k_f32", path, &changed).unwrap_err();
    assert!(matches!(&found, Rejected::VectorMismatch { expected, .. } if *expected == Digest::of(&bytes)), "{found}");
    let found = manifest.verify_vector("p_f32", path, &bytes).unwrap_err();
    assert_eq!(found, Rejected::UnexpectedFile { path: path.into() });
    let found = manifest.verify_vector("q_f32", path, &bytes).unwrap_err();
    assert_eq!(found, Rejected::UnknownKernel { kernel: "q_f32".into() });

    // A signed digest is no reason to take any bytes.
    let text = String::from_utf8(json).unwrap().replace(&Digest::of(&bytes).to_string(), &Digest::of(b"x").to_string());
    let manifest = verifier().verify(text.as_bytes(), &key().sign(text.as_bytes()), NOW).unwrap();
    let found = manifest.verify_vector("k_f32", path, b"x").unwrap_err().to_string();
    assert!(
        found.starts_with("the health vector \"health/k_f32.safetensors\" of kernel \"k_f32\": it is no "),
        "{found}"
    );
}

fn at(text: &str) -> SystemTime {
    let time: Timestamp = text.parse().unwrap();
    SystemTime::UNIX_EPOCH + Duration::from_secs(time.to_unix())
}

const NOT_AFTER: &str = "2027-06-30T00:00:00Z";

fn entry(id: &str, key: &SecretKey) -> TrustedKey {
    TrustedKey { id: id.into(), key: key.public(), not_after: None, revoked: None, native: false, comment: None }
}

/// A store with the key of the samples, changed so, beside another one.
fn store(change: impl FnOnce(&mut TrustedKey)) -> TrustStore {
    let mut store = TrustStore::default();
    store.add(entry("other", &SecretKey::from_seed([1; 32]))).unwrap();
    let mut sample = entry("sample", &key());
    change(&mut sample);
    store.add(sample).unwrap();
    store
}

fn expiring(entry: &mut TrustedKey) {
    entry.not_after = Some(NOT_AFTER.parse().unwrap());
}

fn revoked(entry: &mut TrustedKey) {
    let at = "2030-02-01T00:00:00Z".parse().unwrap();
    entry.revoked = Some(crate::Revocation { at, reason: "laptop stolen".into() });
}

/// Why the samples are refused at a time.
#[track_caller]
fn unverified(verifier: &KernelPackVerifier, now: SystemTime) -> VerifyError {
    let (json, signature) = signed();
    let Rejected::Unverified(error) = verifier.verify(&json, &signature, now).unwrap_err() else { panic!() };
    // Asked about the key alone, the answer is the same.
    assert_eq!(verifier.check_key(&key().public(), now), Err(error.clone()));
    error
}

#[track_caller]
fn signer(verifier: &KernelPackVerifier, now: SystemTime) -> Signer {
    let (json, signature) = signed();
    let signed = verifier.verify(&json, &signature, now).unwrap();
    assert_eq!(signed.signed_by(), &key().public());
    assert_eq!(verifier.check_key(&key().public(), now).as_ref(), Ok(signed.signer()));
    signed.signer().clone()
}

#[test]
fn a_key_of_a_store_is_known_by_its_id() {
    let verifier = KernelPackVerifier::default().with_trust_store(store(|_| {}));
    let found = signer(&verifier, at("9999-12-31T23:59:59Z"));
    assert_eq!(found, Signer { key: key().public(), id: Some("sample".into()), native: false });
    assert_eq!(found.to_string(), format!("sample ({})", key().public()));
    let by_itself = signer(&KernelPackVerifier::new([key().public()]), NOW);
    assert_eq!((by_itself.id.as_ref(), by_itself.to_string()), (None, key().public().id()));
    // Trusted both ways, it is the store's.
    let both = KernelPackVerifier::new([key().public()]).with_trust_store(store(|_| {}));
    assert_eq!(signer(&both, NOW).id.as_deref(), Some("sample"));
}

#[test]
fn a_key_expires_behind_its_last_second() {
    let last = at(NOT_AFTER);
    for keys in [vec![], vec![key().public()]] {
        let verifier = KernelPackVerifier::new(keys).with_trust_store(store(expiring));
        for now in [NOW, last - Duration::from_nanos(1), last, last + Duration::from_nanos(999_999_999)] {
            signer(&verifier, now);
        }
        let expired = unverified(&verifier, last + Duration::from_secs(1));
        let (not_after, now) = (NOT_AFTER.parse().unwrap(), "2027-06-30T00:00:01Z".parse().unwrap());
        assert_eq!(expired, VerifyError::KeyExpired { id: "sample".into(), not_after, now });
        assert_eq!(
            expired.to_string(),
            "the key \"sample\", which signed this manifest, was trusted until 2027-06-30T00:00:00Z, now it is \
             2027-06-30T00:00:01Z; use a pack signed by a current key"
        );
    }
}

/// The samples say that they were made in January 2026.
#[test]
fn created_at_does_not_make_an_expired_key_good() {
    let verifier = KernelPackVerifier::default().with_trust_store(store(expiring));
    assert!(samples::manifest().created_at.as_str() < NOT_AFTER);
    assert!(matches!(unverified(&verifier, at("2028-01-01T00:00:00Z")), VerifyError::KeyExpired { .. }));
}

#[test]
fn a_clock_that_cannot_be_right_lets_no_key_through_that_expires() {
    let expires = KernelPackVerifier::new([key().public()]).with_trust_store(store(expiring));
    let forever = KernelPackVerifier::default().with_trust_store(store(|_| {}));
    let late = at("9999-12-31T23:59:59Z") + Duration::from_secs(1);
    for wrong in [SystemTime::UNIX_EPOCH - Duration::from_nanos(1), late] {
        let expected = VerifyError::NoClock { id: "sample".into(), not_after: NOT_AFTER.parse().unwrap() };
        assert_eq!(unverified(&expires, wrong), expected);
        signer(&forever, wrong);
    }
}

#[test]
fn a_revoked_key_is_refused_whatever_else_is_said_of_it() {
    let stores = [
        store(revoked),
        store(|entry| {
            expiring(entry);
            revoked(entry);
        }),
    ];
    let late = at("9999-12-31T23:59:59Z") + Duration::from_secs(1);
    for store in stores {
        // Trusted by itself as well, before its revocation and long after, with a clock and without.
        for keys in [vec![], vec![key().public()]] {
            let verifier = KernelPackVerifier::new(keys).with_trust_store(store.clone());
            for now in [NOW, at(NOT_AFTER), at("2040-01-01T00:00:00Z"), late] {
                let found = unverified(&verifier, now);
                assert_eq!(
                    found.to_string(),
                    "the key \"sample\", which signed this manifest, is revoked since 2030-02-01T00:00:00Z: laptop \
                     stolen; use a pack signed by another key"
                );
            }
        }
    }
}

#[test]
fn the_named_key_is_not_the_signing_key() {
    // The manifest names the other key, which is trusted; a revoked one signed, then one that nobody knows.
    let mut manifest = samples::manifest();
    manifest.author.signing_key = SecretKey::from_seed([1; 32]).public().id();
    let json = manifest.to_json();
    let verifier = KernelPackVerifier::default().with_trust_store(store(revoked));
    let found = verifier.verify(&json, &key().sign(&json), NOW).unwrap_err();
    assert!(matches!(found, Rejected::Unverified(VerifyError::KeyRevoked { .. })), "{found}");
    let found = verifier.verify(&json, &SecretKey::from_seed([9; 32]).sign(&json), NOW).unwrap_err();
    assert_eq!(found, VerifyError::NoTrustedKey.into());
    // And the other way round: the signature counts, whatever is named.
    let signed = verifier.verify(&json, &SecretKey::from_seed([1; 32]).sign(&json), NOW).unwrap();
    assert_eq!(signed.signer().id.as_deref(), Some("other"));
}

#[test]
fn a_store_with_nothing_left_says_so() {
    let mut all = store(revoked);
    all.expire("other", NOT_AFTER.parse().unwrap()).unwrap();
    let verifier = KernelPackVerifier::default().with_trust_store(all.clone());
    let (json, _) = signed();
    let stranger = SecretKey::from_seed([9; 32]);
    let by_stranger = |verifier: &KernelPackVerifier, now| {
        let found = verifier.verify(&json, &stranger.sign(&json), now).unwrap_err();
        assert_eq!(verifier.check_key(&stranger.public(), now).map_err(Rejected::from), Err(found.clone()));
        found
    };
    assert_eq!(by_stranger(&verifier, at(NOT_AFTER)), VerifyError::NoTrustedKey.into());
    let later = at("2028-01-01T00:00:00Z");
    let nothing = by_stranger(&verifier, later);
    assert_eq!(nothing, VerifyError::NoUsableKey { revoked: 1, expired: 1 }.into());
    assert_eq!(
        nothing.to_string(),
        "no key is trusted any more, so no pack can be: of the trust store's, 1 revoked, 1 expired; add the key that \
         signs your packs now"
    );
    // A key trusted by itself counts only where the store does not know better.
    let with = |key: &SecretKey| KernelPackVerifier::new([key.public()]).with_trust_store(all.clone());
    assert_eq!(by_stranger(&with(&SecretKey::from_seed([3; 32])), later), VerifyError::NoTrustedKey.into());
    assert_eq!(by_stranger(&with(&key()), later), VerifyError::NoUsableKey { revoked: 1, expired: 1 }.into());
    let empty = KernelPackVerifier::default().with_trust_store(TrustStore::default());
    assert_eq!(by_stranger(&empty, later), VerifyError::NoKeys.into());
}

#[test]
fn native_code_takes_a_signer_who_may_vouch_for_it() {
    let aot = samples::aot(&samples::aot_record());
    let (json, signature) = signed();
    let verify = |verifier: &KernelPackVerifier, bytes: &[u8]| {
        let signed = verifier.verify(&json, &signature, NOW).unwrap();
        signed.verify_aot("k_f32", "wamr", AotTarget::X86_64, bytes.to_vec())
    };
    let granted = KernelPackVerifier::new([key().public()]).with_native_keys([key().public()]);
    let file = verify(&granted, &aot).unwrap();
    assert_eq!((file.bytes(), file.file()), (&aot[..], &samples::aot_file()));
    assert_eq!(file.facts().record, samples::aot_record());

    let refused = Rejected::NativeNotTrusted {
        kernel: "k_f32".into(),
        path: "k/k_f32.x86_64.aot".into(),
        key: key().public().id(),
    };
    let other = SecretKey::from_seed([9; 32]).public();
    for verifier in [
        KernelPackVerifier::new([key().public()]),
        KernelPackVerifier::new([key().public(), other]).with_native_keys([other]),
        // What the store says of a key holds.
        granted.clone().with_trust_store(store(|_| {})),
    ] {
        // Before a byte of it is looked at.
        assert_eq!(verify(&verifier, b"not the file"), Err(refused.clone()));
        assert_eq!(verify(&verifier, &aot), Err(refused.clone()));
    }
    // To be granted native code is not to be trusted.
    let native_only = KernelPackVerifier::new([other]).with_native_keys([key().public()]);
    assert!(matches!(native_only.verify(&json, &signature, NOW), Err(Rejected::Unverified(VerifyError::NoTrustedKey))));
    let mut by_store = TrustStore::default();
    by_store.add(TrustedKey { native: true, ..entry("sample", &key()) }).unwrap();
    let by_store = KernelPackVerifier::default().with_trust_store(TrustStore::parse(&by_store.to_json()).unwrap());
    assert!(verify(&by_store, &aot).is_ok());
}

#[test]
fn native_code_that_is_not_what_was_signed_is_refused() {
    let verifier = KernelPackVerifier::new([key().public()]).with_native_keys([key().public()]);
    // The entry may say what it likes of these bytes: they say for themselves what they are.
    let verify = |bytes: &[u8], change: &dyn Fn(&mut AotFile)| {
        let mut manifest = samples::manifest();
        let file = &mut manifest.kernels[0].platforms.get_mut("wamr").unwrap().aot[0];
        file.hash = Digest::of(bytes);
        change(file);
        let json = manifest.to_json();
        let signed = verifier.verify(&json, &key().sign(&json), NOW).unwrap();
        signed.verify_aot("k_f32", "wamr", AotTarget::X86_64, bytes.to_vec()).map(|_| ())
    };
    let aot = samples::aot(&samples::aot_record());
    assert_eq!(verify(&aot, &|_| {}), Ok(()));
    assert!(matches!(verify(&aot, &|file| file.hash = Digest::of(b"")), Err(Rejected::HashMismatch { .. })));
    let fault = |result| match result {
        Err(Rejected::Aot { kernel, path, fault }) => {
            assert_eq!((kernel.as_str(), path.as_str()), ("k_f32", "k/k_f32.x86_64.aot"));
            *fault
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(fault(verify(b"MZ, and more", &|_| {})), AotFault::NotAot);
    let newer = |file: &mut AotFile| file.version.patch += 1;
    assert!(matches!(fault(verify(&aot, &newer)), AotFault::Version { .. }));
    let own = Digest::of(&full_module());
    assert!(matches!(fault(verify(&aot, &|file| file.source = own)), AotFault::Source { .. }));
    let unchecked = samples::aot(&AotRecord { options: vec![], ..samples::aot_record() });
    assert_eq!(fault(verify(&unchecked, &|_| {})), AotFault::Unchecked { check: "bounds-checks" });

    let (json, signature) = signed();
    let signed = verifier.verify(&json, &signature, NOW).unwrap();
    for (engine, target) in [("wamr", AotTarget::Aarch64), ("wasmtime", AotTarget::X86_64)] {
        let none = Rejected::NoAot { kernel: "k_f32".into(), target };
        assert_eq!(signed.verify_aot("k_f32", engine, target, aot.clone()), Err(none));
    }
}
