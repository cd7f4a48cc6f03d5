use super::*;

/// RFC 4231, test case 1, whose key of 20 bytes is padded with zeros as ours are.
#[test]
fn seals_are_hmac_sha256() {
    let mut key = [0; BYTES];
    key[..20].fill(0x0b);
    let mac = Secret::new(key).mac(b"Hi There");
    let hex = super::super::key::hex(&mac);
    assert_eq!(hex, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
}

#[test]
fn a_secret_is_not_printed() {
    assert_eq!(format!("{:?}", Secret::new([7; BYTES])), "Secret");
}
