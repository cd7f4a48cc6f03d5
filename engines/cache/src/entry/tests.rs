use super::*;
use crate::Fingerprint;

fn key(module: u8, settings: u8) -> Key {
    Key::of([module; 32], Fingerprint::new("engine", &semver::Version::new(1, 0, 0), settings))
}

#[test]
fn what_was_sealed_comes_out() {
    let (key, secret) = (key(1, 1), Secret::new([7; 32]));
    for artifact in [&b""[..], b"code", &[0xab; 1000]] {
        let opened = open(seal(artifact, &key, &secret), &key, &secret).unwrap();
        assert_eq!((opened.code(), opened.key()), (artifact, &key));
    }
}

#[test]
fn every_changed_bit_and_every_cut_is_noticed() {
    let (key, secret) = (key(1, 1), Secret::new([7; 32]));
    let good = seal(b"some code", &key, &secret);
    for at in 0..good.len() * 8 {
        let mut entry = good.clone();
        entry[at / 8] ^= 1 << (at % 8);
        let expected = match at / 8 {
            0..KEY | LENGTH..ARTIFACT => EntryFault::Malformed,
            KEY..LENGTH => EntryFault::OfAnotherKey,
            _ => EntryFault::Forged,
        };
        assert_eq!(open(entry, &key, &secret).unwrap_err(), expected, "bit {at}");
    }
    for length in 0..good.len() {
        assert_eq!(open(good[..length].to_vec(), &key, &secret).unwrap_err(), EntryFault::Malformed, "{length}");
    }
    assert_eq!(open([&good[..], b"x"].concat(), &key, &secret).unwrap_err(), EntryFault::Malformed);
}

#[test]
fn entries_of_others_are_refused() {
    let (one, secret) = (key(1, 1), Secret::new([7; 32]));
    let entry = seal(b"some code", &one, &secret);
    for other in [key(2, 1), key(1, 2)] {
        assert_eq!(open(entry.clone(), &other, &secret).unwrap_err(), EntryFault::OfAnotherKey);
    }
    assert_eq!(open(entry, &one, &Secret::new([8; 32])).unwrap_err(), EntryFault::Forged);
    // Rewriting the key to match breaks the seal.
    let mut moved = seal(b"other code", &key(2, 1), &secret);
    moved[KEY..LENGTH].copy_from_slice(one.bytes());
    assert_eq!(open(moved, &one, &secret).unwrap_err(), EntryFault::Forged);
}
