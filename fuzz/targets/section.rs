//! The custom section: any bytes are entries or an error, a spec has exactly one encoding, and the manifest's form of a
//! spec converts back to the spec.
#![no_main]

use std::collections::BTreeMap;

use kernelpack_abi::section;
use kernelpack_manifest::{Digest, Kernel};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let entries = match section::decode(bytes) {
        Ok(entries) => entries,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let mut again = Vec::new();
    for entry in &entries {
        let encoded = entry.spec.with(|spec| section::encode_to_vec(spec, &entry.writer));
        assert_eq!(encoded, entry.bytes, "a spec has one encoding");
        again.extend(encoded);
    }
    assert_eq!(again, bytes, "the entries are all that there is");

    for entry in entries {
        let spec = &entry.spec;
        let Ok(kernel) = Kernel::from_spec(spec, Digest::of(b""), BTreeMap::new(), BTreeMap::new()) else { continue };
        let fallbacks = match spec.fallback.as_str() {
            "" => BTreeMap::new(),
            fallback => BTreeMap::from([(spec.id.clone(), fallback.to_owned())]),
        };
        assert_eq!(kernel.to_spec(&fallbacks).as_ref(), Ok(spec), "an entry made from a spec says the same");
    }
});
