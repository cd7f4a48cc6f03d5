//! Key files and textual keys: any text is a key or an error, and a key that was read can be written and read again.
#![no_main]

use kernelpack_manifest::{PublicKey, SecretKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for read in [text.parse::<PublicKey>(), PublicKey::from_pem(text)] {
        match read {
            Ok(key) => {
                assert_eq!(key.id().parse(), Ok(key));
                assert_eq!(PublicKey::from_pem(&key.to_pem()), Ok(key));
                assert_eq!(PublicKey::from_bytes(&key.to_bytes()), Ok(key));
                assert!(!key.verifies(b"message", &[0; 64]), "zeros are nobody's signature");
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    if let Ok(key) = SecretKey::from_pem(text) {
        let again = SecretKey::from_pem(&key.to_pem()).expect("a key that was read can be written and read");
        assert_eq!(again.public(), key.public());
        assert!(key.public().verifies(b"message", &key.sign(b"message")));
    }
});
