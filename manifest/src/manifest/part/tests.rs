use super::*;
use crate::samples::{self, full_module, plain_module};

/// Returns the bytes of a part of the sample.
fn bytes_of(part: &Part<'_>) -> Vec<u8> {
    match part.kind {
        PartKind::Module(module) if module.path == "k/k_f32.scalar.wasm" => samples::scalar_module(),
        PartKind::Module(_) if part.kernel.id == "k_f32" => full_module(),
        PartKind::Module(_) => plain_module(),
        PartKind::Native(_) => samples::aot(&samples::aot_record()),
        PartKind::Vector(_) => samples::full_vector().to_bytes().unwrap(),
    }
}

#[test]
fn each_file_is_a_part_once_and_modules_come_first() {
    let manifest = samples::manifest();
    let paths: Vec<_> = manifest.parts().map(|part| part.path()).collect();
    let kind = |part: &Part<'_>| match part.kind {
        PartKind::Module(_) => 0,
        PartKind::Native(_) => 1,
        PartKind::Vector(_) => 2,
    };
    let kinds: Vec<_> = manifest.parts().map(|part| kind(&part)).collect();
    assert!(kinds.is_sorted() && [0, 1, 2].iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
    let mut files: Vec<_> = manifest.files().collect();
    let mut sorted = paths.clone();
    files.sort_unstable();
    sorted.sort_unstable();
    assert_eq!(files, sorted);
    let modules = manifest.kernels.iter().flat_map(Kernel::modules).map(|module| module.path);
    assert!(paths.starts_with(&modules.collect::<Vec<_>>()), "{paths:?}");
}

#[test]
fn each_part_is_held_against_its_entry() {
    let manifest = samples::manifest();
    let mut size = PackSize::default();
    for part in manifest.parts() {
        let bytes = bytes_of(&part);
        assert!(bytes.len() <= part.max_bytes());
        part.check(&manifest, &bytes, &mut size).unwrap();
        let mut changed = bytes;
        *changed.last_mut().unwrap() ^= 1;
        let refused = part.check(&manifest, &changed, &mut size).unwrap_err();
        match (part.kind, &refused) {
            (PartKind::Vector(_), Rejected::VectorMismatch { path, .. })
            | (PartKind::Module(_) | PartKind::Native(_), Rejected::HashMismatch { path, .. }) => {
                assert_eq!(path, part.path());
            }
            _ => panic!("{refused:?}"),
        }
        let refused = part.check_content(&manifest, b"else").unwrap_err();
        match (part.kind, &refused) {
            (PartKind::Module(_), Rejected::Module { .. } | Rejected::Variant { .. })
            | (PartKind::Native(_), Rejected::Aot { .. })
            | (PartKind::Vector(_), Rejected::Vector { .. }) => {}
            _ => panic!("{refused:?}"),
        }
    }
}
