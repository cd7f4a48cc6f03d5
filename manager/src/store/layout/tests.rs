use super::*;

fn id(name: &str, version: &str) -> PackId {
    let (version, digest) = (version.parse().unwrap(), Digest::of(name.as_bytes()));
    PackId { name: name.to_owned(), version, content: digest, digest, signed_by: "ed25519:A".to_owned() }
}

#[test]
fn folders_are_named_safely_whatever_packs_are_called() {
    let long = "x".repeat(5000);
    for name in ["core", "../../etc", "a/b\\c", "\u{202f}", ".", "-", "CON", long.as_str()] {
        let folder = folder_name(&id(name, "1.0.0-rc.1+build"));
        assert!(kernelpack_manifest::check_path(&folder.replace('+', "_")).is_ok(), "{folder}");
        assert!(is_pack_name(&folder) && folder.len() <= 255, "{folder}");
    }
    assert!(folder_name(&id("core", "1.2.3")).starts_with("core-1.2.3-"));
}

#[test]
fn another_content_or_signer_has_another_folder() {
    let one = id("core", "1.0.0");
    let signed_anew = PackId { signed_by: "ed25519:B".to_owned(), ..one.clone() };
    let changed = PackId { digest: Digest::of(b"changed"), ..one.clone() };
    assert_ne!(folder_name(&one), folder_name(&signed_anew));
    assert_ne!(folder_name(&one), folder_name(&changed));
    assert_eq!(folder_name(&one), folder_name(&one.clone()));
}

#[test]
fn other_names_are_foreign() {
    for foreign in ["", "core", "core-1.0.0", "core-1.0.0-0123456789a", "core-1.0.0-0123456789aB", "0123456789ab"] {
        assert!(!is_pack_name(foreign), "{foreign}");
    }
}
