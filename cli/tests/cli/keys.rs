//! `keygen` and `sign`.

use std::{fs, path::Path, process::Command};

use crate::fixture::{copy, flip, run_in};

#[test]
fn keys_are_made_once_and_the_secret_is_for_its_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let made = run_in(folder.path(), "keygen a.b").succeeded();
    assert!(made.stdout.starts_with("ed25519:") && made.stdout.lines().count() == 1, "{made:?}");
    let (secret, public) = (folder.path().join("a.b.key"), folder.path().join("a.b.pub"));
    assert!(fs::read_to_string(&secret).unwrap().starts_with("-----BEGIN PRIVATE KEY-----\n"));
    assert!(fs::read_to_string(&public).unwrap().starts_with("-----BEGIN PUBLIC KEY-----\n"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);
    }

    let before = (fs::read(&secret).unwrap(), fs::read(&public).unwrap());
    assert!(run_in(folder.path(), "keygen a.b").error().starts_with("a.b.key already exists"));
    fs::remove_file(&secret).unwrap();
    assert!(run_in(folder.path(), "keygen a.b").error().starts_with("a.b.pub already exists"));
    assert!(!secret.exists());
    assert_eq!(fs::read(&public).unwrap(), before.1);
}

#[test]
fn openssl_understands_the_keys_and_the_signature() {
    let folder = copy();
    let openssl = |line: &str| {
        let output = Command::new("openssl").args(line.split(' ')).current_dir(folder.path()).output().ok()?;
        assert!(output.status.success(), "openssl {line}: {}", String::from_utf8_lossy(&output.stderr));
        Some(output.stdout)
    };
    let Some(public) = openssl("pkey -in release.key -pubout") else {
        return;
    };
    assert_eq!(public, fs::read(folder.path().join("release.pub")).unwrap());
    openssl("pkeyutl -verify -rawin -pubin -inkey release.pub -in pack/kernels.json -sigfile pack/kernels.json.sig");

    openssl("genpkey -algorithm ed25519 -out theirs.key");
    openssl("pkey -in theirs.key -pubout -out theirs.pub");
    run_in(folder.path(), "sign pack --key theirs.key").succeeded();
    run_in(folder.path(), "verify pack --trust theirs.pub").succeeded();
}

#[test]
fn another_key_takes_over_a_pack() {
    let folder = copy();
    let id = run_in(folder.path(), "sign pack --key other.key").succeeded().stdout;
    let verified = run_in(folder.path(), "verify pack --trust other.pub --json").succeeded().json();
    assert_eq!(verified["signed_by"].as_str(), Some(id.trim()));
    assert!(run_in(folder.path(), "verify pack --trust release.pub").error().contains("no trusted key signed"));
}

#[test]
fn what_cannot_be_signed_stays_as_it_is() {
    let folder = copy();
    let signature = folder.path().join("pack/kernels.json.sig");
    let before = fs::read(&signature).unwrap();
    flip(&folder.path().join("pack/rope/rope_f32.wasm"));
    assert!(run_in(folder.path(), "sign pack --key release.key").error().contains("the file has changed since"));
    assert!(run_in(folder.path(), "sign pack --key release.pub").error().contains("give the .key file"));
    assert!(run_in(folder.path(), "sign no --key release.key").error().contains("cannot read"));
    assert!(run_in(folder.path(), "sign pack --key no.key").error().starts_with("cannot read no.key"));
    assert_eq!(fs::read(&signature).unwrap(), before);
}

#[test]
fn a_pack_can_be_built_without_its_secret_key() {
    let folder = copy();
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../kernels");
    let line = format!("build {} --out unsigned --unsigned-for release.pub", crate_dir.display());
    run_in(folder.path(), &line).succeeded();
    assert!(!folder.path().join("unsigned/kernels.json.sig").exists());
    let unsigned = run_in(folder.path(), "verify unsigned --trust release.pub");
    assert_eq!(
        unsigned.error(),
        "pack rejected: the pack is not signed: it has no kernels.json.sig; sign it with `kernelpack sign`, or fetch a \
         signed one"
    );
    for line in ["store install store unsigned --trust release.pub", "health unsigned --trust release.pub"] {
        assert!(run_in(folder.path(), line).error().contains("the pack is not signed"), "{line}");
    }
    run_in(folder.path(), "sign unsigned --key release.key").succeeded();
    run_in(folder.path(), "verify unsigned --trust release.pub").succeeded();
    // One pack was signed during the build, the other later. An Ed25519 signature is deterministic.
    for file in ["kernels.json", "kernels.json.sig"] {
        let read = |pack: &str| fs::read(folder.path().join(pack).join(file)).unwrap();
        assert_eq!(read("unsigned"), read("pack"), "{file}");
    }
}
