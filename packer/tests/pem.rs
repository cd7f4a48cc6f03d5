//! Checks that PEM files with text and spaces around the key are read as OpenSSL reads them.

use std::{fs, path::Path, process::Command};

use kernelpack_packer::{KeyFileError, load_public_key, load_secret_key};

const SECRET: &str = "MC4CAQAwBQYDK2VwBCIEIFMTGIehjnmcMIdn7h8L132Oz+ztf/MIL1bufnTC5DhG";
const PUBLIC: &str = "MCowBQYDK2VwAyEAv4DPOmDa2NGsFwHM48tNm/kNgWWib1JpdeSlbxFovf0=";
const ID: &str = "ed25519:v4DPOmDa2NGsFwHM48tNm/kNgWWib1JpdeSlbxFovf0=";

/// A key made by `openssl genpkey -algorithm ed25519 -aes-256-cbc -pass pass:secret`.
const ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAheLTL+PPsMYgICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEBkpCzG7BpGd7KM5Tv+d6jYEQMRd
uw1Aw2IaPYMAU6fmrXqXKWfAEP1RJMHwpTF+0pZrAkflCQ41w2gcOpFlUpAgJHiM
z3Jst0mA23zDrIII3co=
-----END ENCRYPTED PRIVATE KEY-----
";

/// Templates of files, and whether they can be read: `<` is the key's first line, `*` its base64, `[` and `]` the
/// halves of that, `>` its last line.
const FILES: &[(&str, bool)] = &[
    ("<\n*\n>\n", true),
    ("<\n*\n>", true),
    ("<\n*\n>\n\n\n", true),
    ("<\n*\n> \n", true),
    ("<\n*\n>\t\n", true),
    ("<\n*\n>\x0b\n", true),
    ("<\n*\n>\n# mine\n", true),
    ("<\n*\n>\n\x01\x02", true),
    ("\n\n<\n*\n>\n", true),
    ("# mine\n<\n*\n>\n", true),
    ("Key: mine\n\n<\n*\n>\n", true),
    ("\u{feff}<\n*\n>\n", true),
    ("\u{feff}# mine\n<\n*\n>\n", true),
    ("<\r\n*\r\n>\r\n", true),
    ("\r\n<\r\n[\r\n]\r\n>\r\n\r\n", true),
    ("< \n*\n>\n", true),
    ("<\n* \n>\n", true),
    ("<\n *\n>\n", true),
    ("<\n[ ]\n>\n", true),
    ("<\n[\n]\n>\n", true),
    ("<\n[  \n]  \n>\n", true),
    ("<\n\n*\n>\n", true),
    ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n<\n*\n>\n", true),
    ("<\n*\n>\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", true),
    ("<\n*\n\n<\n*\n>\n", true),
    ("", false),
    ("*\n", false),
    ("<\r*\r>\r", false),
    (" <\n*\n>\n", false),
    ("<\n*\n >\n", false),
    ("<\n\n\n*\n>\n", false),
    ("<\n[\n\n]\n>\n", false),
    ("<\n*\n\n>\n", false),
    ("<\n*\n  \n>\n", false),
    ("<\nComment: mine\n\n*\n>\n", false),
    ("<\n# mine\n*\n>\n", false),
    ("<\n*\n> mine\n", false),
    ("mine <\n*\n>\n", false),
    ("<\n*\n", false),
    ("<\n*\n-----END FOO-----\n", false),
    ("<\n<\n*\n>\n", false),
    ("<\n*====\n>\n", false),
];

fn file(form: &str, label: &str, key: &str) -> String {
    let (first, second) = key.split_at(20);
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let parts = [("<", begin.as_str()), (">", &end), ("*", key), ("[", first), ("]", second)];
    parts.iter().fold(form.to_owned(), |text, (place, part)| text.replace(place, part))
}

/// Returns whether OpenSSL can read a file; `None` if it is not installed.
fn openssl_reads(path: &Path, public: bool) -> Option<bool> {
    let public = public.then_some("-pubin");
    let read = Command::new("openssl").args(["pkey", "-noout"]).args(public).arg("-in").arg(path).output().ok()?;
    Some(read.status.success())
}

#[test]
fn the_files_that_openssl_reads_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("k");
    for (form, good) in FILES {
        fs::write(&path, file(form, "PRIVATE KEY", SECRET)).unwrap();
        let secret = load_secret_key(&path).map(|key| key.public().id()).map_err(|error| error.to_string());
        assert_eq!(secret.is_ok(), *good, "{form:?}: {secret:?}");
        assert!(secret.is_err() || secret == Ok(ID.to_owned()));
        assert_ne!(openssl_reads(&path, false), Some(!good), "{form:?}");

        fs::write(&path, file(form, "PUBLIC KEY", PUBLIC)).unwrap();
        let public = load_public_key(&path).map(|key| key.id()).map_err(|error| error.to_string());
        assert_eq!(public.is_ok(), *good, "{form:?}: {public:?}");
        assert!(public.is_err() || public == Ok(ID.to_owned()));
        assert_ne!(openssl_reads(&path, true), Some(!good), "{form:?}");
    }
    // Adds a comment in Latin-1.
    fs::write(&path, [b"# cl\xe9\n", file("<\n*\n>\n", "PUBLIC KEY", PUBLIC).as_bytes()].concat()).unwrap();
    assert_eq!(load_public_key(&path).unwrap().id(), ID);
    assert_ne!(openssl_reads(&path, true), Some(false));
}

#[test]
fn a_key_under_a_password_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("k.pem");
    fs::write(&path, ENCRYPTED).unwrap();
    let error = load_secret_key(&path).unwrap_err();
    assert!(matches!(error, KeyFileError::Encrypted { .. }), "{error}");
    let advice = format!("openssl pkey -in {} -out decrypted.key", path.display());
    assert!(error.to_string().contains(&advice), "{error}");
    assert!(load_public_key(&path).unwrap_err().to_string().contains("holds a secret key"));

    // Runs the command in the message, without the password, for which OpenSSL would prompt.
    let mut words = advice.split(' ');
    let program = words.next().unwrap();
    let decrypt =
        Command::new(program).args(words).args(["-passin", "pass:secret"]).current_dir(folder.path()).output();
    if let Ok(decrypted) = decrypt {
        assert!(decrypted.status.success(), "{}", String::from_utf8_lossy(&decrypted.stderr));
        load_secret_key(&folder.path().join("decrypted.key")).unwrap();
    }
}
