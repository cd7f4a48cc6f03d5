//! Files compiled ahead of time: any bytes are either a file with a record of how it was compiled, or an error; and
//! only an entry that agrees with the record fits the file.
#![no_main]

use kernelpack_manifest::{AOT_CHECKS, AotFacts, AotFile, Digest};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let facts = match AotFacts::read(bytes) {
        Ok(facts) => facts,
        Err(fault) => {
            assert!(!fault.to_string().is_empty());
            return;
        }
    };
    let record = &facts.record;
    assert!(AOT_CHECKS.iter().all(|check| record.options.iter().any(|option| option == check)));
    assert_eq!(facts.check_engine(&record.version), Ok(()));
    let entry = AotFile {
        target: record.target,
        path: String::new(),
        hash: Digest::of(bytes),
        source: record.source,
        version: record.version.clone(),
        options: record.options.clone(),
    };
    assert_eq!(facts.check(&entry), Ok(()));
    let other = AotFile { source: Digest::of(&record.source.0), ..entry.clone() };
    assert!(facts.check(&other).is_err(), "another module's code");
    let other = AotFile { options: [&entry.options[..], &["more".to_owned()]].concat(), ..entry };
    assert!(facts.check(&other).is_err(), "compiled in another way");
});
