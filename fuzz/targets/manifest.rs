//! `kernels.json`: any bytes are a manifest or an error, and a manifest that was read can be written and read again
//! unchanged.
#![no_main]

use kernelpack_manifest::Manifest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let manifest = match Manifest::parse(bytes) {
        Ok(manifest) => manifest,
        Err(rejected) => {
            assert!(!rejected.to_string().is_empty());
            return;
        }
    };
    let json = manifest.to_json();
    let again = Manifest::parse(&json).expect("what was read can be written and read");
    assert_eq!(again, manifest);
    assert_eq!(again.to_json(), json, "equal manifests give equal bytes");
});
