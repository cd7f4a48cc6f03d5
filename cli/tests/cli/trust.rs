//! `trust`, and the commands that take a trust store.

use std::{fs, path::Path, process::Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixture::{Ran, copy, program, run_in, run_words};

/// Returns a folder with a store that trusts `release.pub` as release and `other.pub` as other, and the pack signed by
/// release.
fn with_store() -> TempDir {
    let folder = copy();
    run_in(folder.path(), "trust add trust.json --id release --key release.pub").succeeded();
    run_in(folder.path(), "trust add trust.json --id other --key other.pub").succeeded();
    folder
}

fn revoke(folder: &Path, id: &str) -> Ran {
    run_words(folder, &["trust", "revoke", "trust.json", "--id", id, "--reason", "laptop stolen"])
}

fn list(folder: &Path) -> Value {
    run_in(folder, "trust list trust.json --json").succeeded().json()
}

#[test]
fn a_store_is_made_with_its_first_key_and_keeps_every_other() {
    let folder = tempfile::tempdir().unwrap();
    let key = run_in(folder.path(), "keygen a").succeeded().stdout;
    run_in(folder.path(), "keygen b").succeeded();
    let made = run_in(folder.path(), "trust add trust.json --id a.1 --key a.pub").succeeded();
    assert_eq!((made.stdout.as_str(), made.stderr.as_str()), (key.as_str(), "made trust.json: a.1 is trusted\n"));
    let line = ["trust", "add", "trust.json", "--id", "b", "--key", "b.pub"];
    let more = ["--not-after", "2001-06-30T00:00:00Z", "--comment", "Bob's, on the token"];
    let added = run_words(folder.path(), &[&line[..], &more].concat()).succeeded();
    assert_eq!(added.stderr, "wrote trust.json: b is trusted\n");

    let b = added.stdout.trim();
    let expected = json!({"version": 1, "keys": [
        {"id": "a.1", "key": key.trim(), "status": "trusted"},
        {"id": "b", "key": b, "not_after": "2001-06-30T00:00:00Z", "comment": "Bob's, on the token", "status": "expired"},
    ]});
    assert_eq!(list(folder.path()), expected);
    let text = run_in(folder.path(), "trust list trust.json").succeeded().stdout;
    let expired = format!("b {b}\n  expired since 2001-06-30T00:00:00Z\n  Bob's, on the token\n");
    assert_eq!(text, format!("a.1 {}\n  trusted\n{expired}", key.trim()));

    // Refused commands change nothing.
    let before = fs::read(folder.path().join("trust.json")).unwrap();
    for (line, says) in [
        ("trust add trust.json --id b --key b.pub", "two keys have the id \"b\""),
        ("trust add trust.json --id c --key b.pub", "\"b\" and \"c\" are the same key"),
        ("trust add trust.json --id c/d --key b.pub", "\"c/d\" is not a key id"),
        ("trust expire trust.json --id c --not-after 2027-06-30T00:00:00Z", "it has no key \"c\"; known keys: a.1, b"),
        ("trust revoke trust.json --id c --reason x", "it has no key \"c\""),
    ] {
        let refused = run_in(folder.path(), line);
        let said = refused.error();
        assert!(said.starts_with("trust store \"trust.json\": ") && said.contains(says), "{said}");
    }
    assert!(run_words(folder.path(), &["trust", "revoke", "trust.json", "--id", "b", "--reason", ""]).code == 1);
    assert_eq!(fs::read(folder.path().join("trust.json")).unwrap(), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5, "nothing else is left in the folder");
}

#[test]
fn a_revoked_key_stays_listed_and_stays_revoked() {
    let folder = with_store();
    assert_eq!(revoke(folder.path(), "release").succeeded().stderr, "wrote trust.json: release is revoked\n");
    let keys = list(folder.path())["keys"].clone();
    let revoked = &keys[0];
    assert_eq!((&revoked["status"], &revoked["revoked"]["reason"]), (&json!("revoked"), &json!("laptop stolen")));
    assert_eq!(keys[1]["status"], "trusted");
    let at = revoked["revoked"]["at"].as_str().unwrap();
    let text = run_in(folder.path(), "trust list trust.json").succeeded().stdout;
    assert!(text.contains(&format!("  revoked since {at}: laptop stolen\n")), "{text}");

    let final_ = format!("the key \"release\" was revoked at {at}: laptop stolen; that is final, so make a new key");
    assert!(revoke(folder.path(), "release").error().ends_with(&final_));
    let line = "trust expire trust.json --id release --not-after 2199-06-30T00:00:00Z";
    assert!(run_in(folder.path(), line).error().ends_with(&final_));
    let back = run_in(folder.path(), "trust add trust.json --id again --key release.pub");
    assert!(back.error().contains("\"release\" and \"again\" are the same key"));
}

#[test]
fn no_key_is_lost_when_several_are_added_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let count = 12;
    for index in 0..count {
        run_in(folder.path(), &format!("keygen k{index}")).succeeded();
    }
    let adding: Vec<_> = (0..count)
        .map(|index| {
            let line = format!("trust add trust.json --id k{index} --key k{index}.pub");
            let mut command = program();
            command.args(line.split(' ')).current_dir(folder.path());
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let added = adding.into_iter().map(|adding| Ran::from(adding.wait_with_output().unwrap()).succeeded());
    assert_eq!(added.filter(|added| added.stderr.starts_with("made ")).count(), 1);
    assert_eq!(list(folder.path())["keys"].as_array().unwrap().len(), count);
}

#[test]
fn commands_say_which_key_of_the_store_signed() {
    let folder = with_store();
    let verified = run_in(folder.path(), "verify pack --trust-store trust.json --json").succeeded().json();
    assert_eq!(verified["signed_by_id"], "release");
    let key = verified["signed_by"].as_str().unwrap();
    let text = run_in(folder.path(), "verify pack --trust-store trust.json").succeeded().stdout;
    assert!(text.contains(&format!("\nsigned by release ({key})\n")), "{text}");
    let by_itself = run_in(folder.path(), "verify pack --trust release.pub --json").succeeded().json();
    assert_eq!((&by_itself["signed_by_id"], by_itself["signed_by"].as_str()), (&Value::Null, Some(key)));

    let inspected = run_in(folder.path(), "inspect pack --trust-store trust.json --json").succeeded().json();
    let seen = &inspected["verified"];
    assert_eq!((&seen["signature"], &seen["signed_by_id"]), (&json!(true), &json!("release")));
    assert_eq!((&seen["signed_by_named_key"], &seen["faults"]), (&json!(true), &json!([])));
    let text = run_in(folder.path(), "inspect pack --trust-store trust.json").succeeded().stdout;
    assert!(text.contains("  signature   of the key above, trusted as release\n"), "{text}");

    run_in(folder.path(), "bench pack rmsnorm_f32 --trust-store trust.json --quick --shape 1x64").succeeded();
    let called = run_in(folder.path(), "run pack no_kernel --trust-store trust.json --output o.safetensors");
    assert!(called.error().contains("no kernel \"no_kernel\""));
}

#[test]
fn a_revoked_key_is_refused_everywhere_and_by_its_id() {
    let folder = with_store();
    revoke(folder.path(), "release").succeeded();
    for line in [
        "verify pack --trust-store trust.json",
        "verify pack --trust-store trust.json --trust release.pub",
        "run pack rmsnorm_f32 --trust release.pub --trust-store trust.json --output o.safetensors",
        "bench pack --quick --trust-store trust.json --trust release.pub",
    ] {
        let refused = run_in(folder.path(), line);
        let said = refused.error();
        assert!(
            said.starts_with("pack rejected: the key \"release\", which signed this manifest, was revoked"),
            "{said}"
        );
        assert!(said.contains(": laptop stolen; "), "{said}");
    }
    let text = run_in(folder.path(), "inspect pack --trust-store trust.json").succeeded().stdout;
    for part in
        ["  signature   of the key above; only", "  problem     the key \"release\", which signed this manifest"]
    {
        assert!(text.contains(part), "{text}");
    }
    let seen = run_in(folder.path(), "inspect pack --trust-store trust.json --json").succeeded().json();
    assert_eq!((&seen["verified"]["signature"], &seen["verified"]["signed_by_id"]), (&json!(false), &Value::Null));

    // Takes a manifest that names the trusted key, and signs it with the revoked one, calling the algorithm directly.
    let path = folder.path().join("pack/kernels.json");
    let other = list(folder.path())["keys"][1]["key"].as_str().unwrap().to_owned();
    let release = list(folder.path())["keys"][0]["key"].as_str().unwrap().to_owned();
    let named = fs::read_to_string(&path).unwrap().replace(&release, &other);
    fs::write(&path, &named).unwrap();
    let secret = fs::read_to_string(folder.path().join("release.key")).unwrap();
    let signature = kernelpack_manifest::SecretKey::from_pem(&secret).unwrap().sign(named.as_bytes());
    fs::write(folder.path().join("pack/kernels.json.sig"), signature).unwrap();
    let refused = run_in(folder.path(), "verify pack --trust-store trust.json");
    assert!(refused.error().contains("the key \"release\""), "{refused:?}");
    // The manifest names the revoked key, but the other key signed it. That is fine, and `inspect` shows both keys.
    let named = named.replace(&other, &release);
    fs::write(&path, &named).unwrap();
    let secret = fs::read_to_string(folder.path().join("other.key")).unwrap();
    let signature = kernelpack_manifest::SecretKey::from_pem(&secret).unwrap().sign(named.as_bytes());
    fs::write(folder.path().join("pack/kernels.json.sig"), signature).unwrap();
    let verified = run_in(folder.path(), "verify pack --trust-store trust.json --json").succeeded().json();
    assert_eq!(verified["signed_by_id"], "other");
    let text = run_in(folder.path(), "inspect pack --trust-store trust.json").succeeded().stdout;
    assert!(text.contains("  signature   NOT of the key above, but of the trusted key other\n"), "{text}");
}

#[test]
fn a_store_that_trusts_nobody_says_what_to_do() {
    let folder = copy();
    fs::write(folder.path().join("trust.json"), "{\"version\": 1, \"keys\": []}").unwrap();
    let refused = run_in(folder.path(), "verify pack --trust-store trust.json");
    assert!(refused.error().ends_with("no trusted keys are configured; add the public key that signs your packs"));
    assert_eq!(run_in(folder.path(), "trust list trust.json").succeeded().stdout, "");
    // Adding --trust is enough.
    run_in(folder.path(), "verify pack --trust-store trust.json --trust release.pub").succeeded();
    // The first key is added to the existing file.
    run_in(folder.path(), "trust add trust.json --id release --key release.pub").succeeded();
    run_in(folder.path(), "verify pack --trust-store trust.json").succeeded();
}

#[test]
fn a_newer_store_says_so() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("trust.json"), "{\"version\": 2, \"roots\": []}").unwrap();
    for line in ["trust list trust.json", "trust revoke trust.json --id a --reason x"] {
        let said = run_in(folder.path(), line).error().to_owned();
        assert_eq!(
            said,
            "trust store \"trust.json\": it has version 2, but this build reads 1; use a newer kernelpack"
        );
    }
}

#[cfg(unix)]
#[test]
fn links_are_followed_permissions_kept_and_pipes_refused() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let folder = with_store();
    let at = |name: &str| folder.path().join(name);
    let mode = |name: &str| fs::metadata(at(name)).unwrap().permissions().mode() & 0o777;
    let new = mode("trust.json");
    assert_eq!(new & 0o022, 0, "{new:o}");
    // Kubernetes and similar systems mount files through links like these.
    fs::create_dir(at("data")).unwrap();
    fs::rename(at("trust.json"), at("data/trust.json")).unwrap();
    symlink("data/trust.json", at("trust.json")).unwrap();
    fs::set_permissions(at("data/trust.json"), fs::Permissions::from_mode(0o660)).unwrap();
    run_in(folder.path(), "verify pack --trust-store trust.json").succeeded();
    revoke(folder.path(), "other").succeeded();
    assert!(fs::symlink_metadata(at("trust.json")).unwrap().is_symlink());
    assert_eq!(mode("data/trust.json"), 0o660);
    assert_eq!(list(folder.path())["keys"][1]["status"], "revoked");

    fs::set_permissions(at("data/trust.json"), fs::Permissions::from_mode(0o666)).unwrap();
    for line in ["verify pack --trust-store trust.json", "trust revoke trust.json --id release --reason x"] {
        let refused = run_in(folder.path(), line);
        assert!(refused.error().contains("everyone may write to it (mode 666)"), "{refused:?}");
    }
    assert!(std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
    symlink("nothing", at("broken")).unwrap();
    for line in ["verify pack --trust-store pipe", "trust add pipe --id a --key release.pub", "trust list pipe"] {
        assert!(run_in(folder.path(), line).error().contains("it is not a regular file"), "{line}");
    }
    assert!(run_in(folder.path(), "trust add broken --id a --key release.pub").error().contains("cannot read"));
    assert!(!at("nothing").exists());
}
