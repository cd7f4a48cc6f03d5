use proptest::prelude::*;

use super::*;
use crate::samples::{aot, aot_file, aot_record};

#[test]
fn a_file_says_what_its_entry_says() {
    let bytes = aot(&aot_record());
    let facts = AotFacts::read(&bytes).unwrap();
    assert_eq!(facts, AotFacts { record: aot_record(), simd: false });
    assert_eq!(facts.check(&aot_file()), Ok(()));
    let (ours, newer) = (Version::new(2, 4, 3), Version::new(2, 4, 4));
    assert_eq!(facts.check_engine(&ours), Ok(()));
    assert_eq!(facts.check_engine(&newer), Err(AotFault::Version { expected: newer, found: ours }));
}

#[test]
fn each_difference_to_the_entry_is_told() {
    let facts = AotFacts::read(&aot(&aot_record())).unwrap();
    let said = |change: &dyn Fn(&mut AotFile)| {
        let mut file = aot_file();
        change(&mut file);
        facts.check(&file).unwrap_err().to_string()
    };
    assert_eq!(
        said(&|file| file.target = AotTarget::Thumbv7em),
        "it was compiled for x86_64, but its entry says thumbv7em"
    );
    assert_eq!(
        said(&|file| file.version = Version::new(2, 4, 4)),
        "it was compiled by WAMR 2.4.3, but 2.4.4 is needed"
    );
    assert!(said(&|file| file.source = Digest::of(b"")).starts_with("it was compiled from the module sha256:"));
    assert_eq!(
        said(&|file| file.options.truncate(3)),
        "it was compiled with bounds-checks stack-checks termination-checks opt-level=3, but its entry says bounds-checks \
         stack-checks termination-checks"
    );
}

/// The offset of the target's description: after the headers of the file and the section.
const INFO: usize = 16;

fn changed(at: usize, to: u8) -> AotFault {
    let mut bytes = aot(&aot_record());
    assert_ne!(bytes[at], to);
    bytes[at] = to;
    AotFacts::read(&bytes).unwrap_err()
}

#[test]
fn other_formats_machines_and_features_are_refused() {
    assert_eq!(changed(0, b'\x7f'), AotFault::NotAot);
    assert_eq!(changed(4, 5), AotFault::Format { found: 5, supported: 6 });
    assert_eq!(changed(8, 6), AotFault::BadSection { at: 8, kind: 6 });
    assert_eq!(changed(8, 2), AotFault::BadSection { at: 64, kind: 1 });
    assert_eq!(changed(INFO + 4, 4), AotFault::NotRelocatable { found: 4 });
    let other =
        |arch: &str, machine| AotFault::OtherMachine { expected: AotTarget::X86_64, arch: arch.into(), machine };
    assert_eq!(changed(INFO, 3), other("x86_64", 62));
    assert_eq!(changed(INFO + 6, 183), other("x86_64", 183));
    assert_eq!(changed(INFO + 32, b'y'), other("y86_64", 62));
    assert_eq!(changed(INFO + 16, 0), AotFault::Unchecked { check: "termination-checks" });
    assert_eq!(changed(INFO + 16, 1 << 2 | 1 << 4), AotFault::ForeignFeatures { features: 1 << 4 });
}

#[test]
fn every_check_and_the_record_must_be_there() {
    for check in crate::AOT_CHECKS {
        let mut record = aot_record();
        record.options.retain(|option| option != check);
        assert_eq!(AotFacts::read(&aot(&record)), Err(AotFault::Unchecked { check }));
    }
    let bytes = aot(&aot_record());
    let at = bytes.windows(AOT_RECORD.len()).position(|name| name == AOT_RECORD.as_bytes()).unwrap();
    let (head, mut renamed) = (at - 14, bytes.clone());
    renamed[at] = b'K';
    assert_eq!(AotFacts::read(&renamed), Err(AotFault::NoRecord));
    // The preceding section ends three bytes earlier.
    assert_eq!(AotFacts::read(&bytes[..head - 3]), Err(AotFault::NoRecord));
    // Another reader might use the second record.
    let aligned = [&bytes[..], &vec![0; bytes.len().next_multiple_of(4) - bytes.len()], &bytes[head..]].concat();
    assert!(matches!(AotFacts::read(&aligned), Err(AotFault::BadSection { kind: 100, .. })));
    let mut unknown = bytes.clone();
    unknown[bytes.windows(4).position(|name| name == b"llvm").unwrap()] = b'L';
    assert!(matches!(AotFacts::read(&unknown), Err(AotFault::BadRecord(_))));
}

#[test]
fn a_file_that_is_cut_short_is_refused_wherever_that_is() {
    let bytes = aot(&aot_record());
    for end in 0..bytes.len() {
        assert!(AotFacts::read(&bytes[..end]).is_err(), "{end}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0usize..600) {
        let _ = AotFacts::read(&bytes);
        let mut file = aot(&aot_record());
        let at = at % file.len();
        let end = file.len().min(at + bytes.len());
        file[at..end].copy_from_slice(&bytes[..end - at]);
        if let Ok(facts) = AotFacts::read(&file) {
            prop_assert!(missing_check(&facts.record.options).is_none());
        }
    }
}
