use super::*;

/// Both files were written by OpenSSL 3.0: `openssl genpkey -algorithm ed25519`, `openssl pkey -pubout`.
const SECRET: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIFMTGIehjnmcMIdn7h8L132Oz+ztf/MIL1bufnTC5DhG
-----END PRIVATE KEY-----
";
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAv4DPOmDa2NGsFwHM48tNm/kNgWWib1JpdeSlbxFovf0=
-----END PUBLIC KEY-----
";
const ID: &str = "ed25519:v4DPOmDa2NGsFwHM48tNm/kNgWWib1JpdeSlbxFovf0=";

#[test]
fn openssls_files_are_read_and_written_to_the_byte() {
    let secret = SecretKey::from_pem(SECRET).unwrap();
    assert_eq!(secret.to_pem().as_str(), SECRET);
    let public = PublicKey::from_pem(PUBLIC).unwrap();
    assert_eq!(public.to_pem(), PUBLIC);
    assert_eq!(secret.public(), public);
    assert_eq!((public.id().as_str(), public.to_string().as_str()), (ID, ID));
    assert_eq!(ID.parse(), Ok(public));
    assert_eq!(PublicKey::from_bytes(&public.to_bytes()), Ok(public));
}

/// The PKCS#8 version 2 file of RFC 8410, section 10.3, also contains the public key and an attribute. Other tools
/// write it without the attribute.
#[test]
fn the_second_version_of_pkcs8_is_read() {
    let secret = SecretKey::from_seed([3; 32]);
    let pem = secret.0.to_pkcs8_pem(LineEnding::LF).unwrap();
    assert_ne!(*pem, *secret.to_pem());
    assert_eq!(SecretKey::from_pem(&pem).unwrap().public(), secret.public());
}

/// The signature of RFC 8032, section 7.1, test 1, is reproduced.
#[test]
fn the_standards_example_is_signed_alike() {
    let hex = |text: &str| -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    };
    let seed = hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    let public = hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    let signature = hex(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    );
    let secret = SecretKey::from_seed(seed.try_into().unwrap());
    assert_eq!(secret.public().to_bytes().as_slice(), public);
    assert_eq!(secret.sign(b"").as_slice(), signature);
    assert!(secret.public().verifies(b"", &secret.sign(b"")));
    assert!(!secret.public().verifies(b"x", &secret.sign(b"")));
}

#[test]
fn a_secret_key_never_shows_itself() {
    let secret = SecretKey::from_pem(SECRET).unwrap();
    assert_eq!(format!("{secret:?}"), format!("SecretKey(of {ID})"));
    assert_eq!(format!("{secret:#?}"), format!("SecretKey(of {ID})"));
}

#[test]
fn other_texts_are_refused() {
    for bad in ["", "ed25519:", "rsa:AAAA", &ID[8..], &ID[..ID.len() - 1], &ID.replace('v', "!"), &format!("{ID}\n")] {
        assert_eq!(bad.parse::<PublicKey>(), Err(KeyError::BadId { text: bad.into() }));
    }
    assert_eq!(PublicKey::from_pem(SECRET), Err(KeyError::BadPublicPem));
    assert_eq!(SecretKey::from_pem(PUBLIC).map(|_| ()), Err(KeyError::BadSecretPem));
    assert_eq!(SecretKey::from_pem("").map(|_| ()), Err(KeyError::BadSecretPem));
}

#[test]
fn what_is_around_a_key_does_not_matter() {
    let (secret, public) = (SecretKey::from_pem(SECRET).unwrap().public(), PublicKey::from_pem(PUBLIC).unwrap());
    for around in ["\n\n{}\n\n", "\u{feff}# mine\n{}# ours", "{PUBLIC}\n{}", "{SECRET}{}", "x\n{}-----BEGIN X-----"] {
        for lines in ["\n", "\r\n", " \n", "\t \r\n"] {
            let with = |key: &str| {
                let text = around.replace("{PUBLIC}", PUBLIC).replace("{SECRET}", SECRET);
                text.replace("{}", key).replace('\n', lines)
            };
            assert_eq!(SecretKey::from_pem(&with(SECRET)).map(|key| key.public()), Ok(secret), "{around:?} {lines:?}");
            assert_eq!(PublicKey::from_pem(&with(PUBLIC)), Ok(public), "{around:?} {lines:?}");
        }
    }
    // The first key is used, even if only a later one is valid.
    let other = SecretKey::from_seed([1; 32]).public();
    assert_eq!(PublicKey::from_pem(&format!("{}{PUBLIC}", other.to_pem())), Ok(other));
    let broken = PUBLIC.replace("MCow", "MCox");
    assert_eq!(PublicKey::from_pem(&format!("{broken}{PUBLIC}")), Err(KeyError::BadPublicPem));
}

#[test]
fn keys_under_a_password_and_in_another_format_are_told() {
    let secret = |text: &str| SecretKey::from_pem(text).map(|_| ());
    let encrypted = SECRET.replace("PRIVATE", "ENCRYPTED PRIVATE");
    assert_eq!(secret(&encrypted), Err(KeyError::Encrypted));
    assert_eq!(secret(&format!("\n# mine\r\n{encrypted}")), Err(KeyError::Encrypted));
    assert!(KeyError::Encrypted.to_string().contains("`openssl pkey -in FILE -out DECRYPTED`"));
    assert_eq!(PublicKey::from_pem(&encrypted), Err(KeyError::BadPublicPem));
    assert_eq!(secret(&SECRET.replace("PRIVATE", "OPENSSH PRIVATE")), Err(KeyError::OpenSsh));
    assert_eq!(PublicKey::from_pem("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me"), Err(KeyError::OpenSsh));
}

#[test]
fn keys_that_anybody_can_sign_for_are_refused() {
    // The point is the neutral element, of order 1.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    assert_eq!(PublicKey::from_bytes(&neutral), Err(KeyError::Weak));
    assert_eq!(PublicKey::from_bytes(&[0; 32]), Err(KeyError::Weak));
    // No point of the curve has y = 2.
    let mut two = [0; 32];
    two[0] = 2;
    assert_eq!(PublicKey::from_bytes(&two), Err(KeyError::NotAPoint));
}

#[test]
fn a_key_has_one_encoding() {
    // The y coordinates 0 to 18 still fit into 255 bits with p added.
    let mut reducible = 0;
    for y in 0..19 {
        for sign in [0, 0x80] {
            let mut bytes = [0xff; 32];
            (bytes[0], bytes[31]) = (0xed + y, 0x7f | sign);
            assert!(PublicKey::from_bytes(&bytes).is_err(), "{y}");
            reducible += u32::from(VerifyingKey::from_bytes(&bytes).is_ok_and(|key| !key.is_weak()));
        }
    }
    assert!(reducible > 0, "the library refuses them by itself now");
    // The largest y below p that a point has.
    let mut largest = [0xff; 32];
    largest[31] = 0x7f;
    let found = (0..0xed).rev().any(|low| {
        largest[0] = low;
        PublicKey::from_bytes(&largest).is_ok()
    });
    assert!(found);
}
