use super::*;
use crate::{
    SecretKey,
    samples::{self, FULL, full_module, key, plain_module, spec_of},
};

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
    let manifest = verifier().verify(&json, &signature).unwrap();
    assert_eq!(manifest.manifest(), &samples::manifest());
    assert_eq!(manifest.name, "samples");
    assert_eq!(manifest.signed_by(), &key().public());
    assert_eq!(verifier().trusted_keys()[1], key().public());
}

#[test]
fn a_change_of_any_byte_is_refused() {
    let (json, signature) = signed();
    let unverified = |json: &[u8], signature: &[u8]| {
        let found = verifier().verify(json, signature).map(|_| ());
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
    assert_eq!(verifier().verify(&json, &signature), Err(Rejected::Unverified(VerifyError::NoTrustedKey)));
}

#[test]
fn a_signature_has_64_bytes() {
    let (json, signature) = signed();
    let mut longer = signature.to_vec();
    longer.push(0);
    for signature in [&signature[..0], &signature[..63], &longer] {
        let expected = VerifyError::MalformedSignature { len: signature.len() };
        assert_eq!(verifier().verify(&json, signature), Err(expected.into()));
    }
}

#[test]
fn a_host_that_trusts_nobody_opens_nothing() {
    let (json, signature) = signed();
    let nobody = KernelPackVerifier::default();
    assert_eq!(nobody.verify(&json, &signature), Err(VerifyError::NoKeys.into()));
    assert_eq!(nobody.verify(&json, &[]), Err(VerifyError::NoKeys.into()));
}

#[test]
fn the_signature_comes_before_the_content() {
    let nonsense = b"{";
    let stranger = SecretKey::from_seed([9; 32]);
    assert_eq!(verifier().verify(nonsense, &stranger.sign(nonsense)), Err(VerifyError::NoTrustedKey.into()));
    assert!(matches!(verifier().verify(nonsense, &key().sign(nonsense)), Err(Rejected::Malformed { .. })));
    let large = vec![b' '; MAX_MANIFEST_BYTES + 1];
    let limit = MAX_MANIFEST_BYTES;
    assert_eq!(verifier().verify(&large, &[0; 64]), Err(Rejected::ManifestTooLarge { size: limit + 1, limit }));
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
    let manifest = verifier().verify(&json, &signature).unwrap();
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
fn a_signed_digest_does_not_excuse_a_bad_module() {
    let mut manifest = samples::manifest();
    manifest.kernels[0].hash = Digest::of(&plain_module());
    let json = manifest.to_json();
    let manifest = verifier().verify(&json, &key().sign(&json)).unwrap();
    let found = manifest.verify_module("k_f32", plain_module());
    assert!(matches!(found, Err(Rejected::Module { .. })), "{found:?}");
}

#[test]
fn a_health_vector_is_verified_by_its_digest_and_its_kernel() {
    let (json, signature) = signed();
    let manifest = verifier().verify(&json, &signature).unwrap();
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
    let manifest = verifier().verify(text.as_bytes(), &key().sign(text.as_bytes())).unwrap();
    let found = manifest.verify_vector("k_f32", path, b"x").unwrap_err().to_string();
    assert!(
        found.starts_with("the health vector \"health/k_f32.safetensors\" of kernel \"k_f32\": it is no "),
        "{found}"
    );
}
