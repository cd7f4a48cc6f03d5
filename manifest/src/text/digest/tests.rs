use super::*;

/// FIPS 180-2, appendix B.1.
const ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[test]
fn the_standards_example_reads_back() {
    assert_eq!(Digest::of(b"abc").to_string(), ABC);
    assert_eq!(ABC.parse(), Ok(Digest::of(b"abc")));
}

#[test]
fn other_texts_are_refused() {
    for bad in [
        "",
        "sha256:",
        &ABC[..ABC.len() - 1],
        &format!("{ABC}0"),
        &ABC.to_uppercase(),
        &ABC.replace('b', "B"),
        &ABC.replace("sha256", "sha512"),
        &ABC.replace('f', "g"),
        &ABC.replace("ba", "é"),
        &ABC[7..],
    ] {
        assert_eq!(bad.parse::<Digest>(), Err(DigestError { text: bad.into() }));
    }
}
