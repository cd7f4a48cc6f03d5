use super::*;

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

/// Adding the group's order to the second half gives another encoding of the same scalar, which a lax verifier accepts.
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
