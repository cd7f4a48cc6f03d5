//! `verify`: what is accepted and what is refused.

use std::fs;

use crate::fixture::{Ran, built, copy, flip, run_in};

#[track_caller]
fn refused(ran: &Ran, because: &str) {
    let error = ran.error();
    assert!(error.contains(because), "{error}");
    let json = ran.json();
    assert_eq!(json["verified"], false);
    assert_eq!(json["error"].as_str(), Some(error));
}

#[test]
fn a_pack_as_it_was_signed_is_accepted() {
    let text = run_in(built(), "verify pack --trust release.pub").succeeded().stdout;
    for part in ["kernelpack-core-kernels ", "signed by ed25519:", "all 26 modules", "\nverified\n", "compatibility"] {
        assert!(text.contains(part), "{text}");
    }
    let json = run_in(built(), "verify pack --trust other.pub --trust release.pub --json").succeeded().json();
    assert_eq!(json["verified"], true);
    assert_eq!(json["pack"], "kernelpack-core-kernels");
    assert!(json["signed_by"].as_str().unwrap().starts_with("ed25519:"));
    assert!(json["version"].is_string() && !json["checks"].as_array().unwrap().is_empty());
    assert!(json["kernels"].as_array().unwrap().contains(&"swiglu_f32".into()));
}

#[test]
fn another_key_is_refused() {
    refused(&run_in(built(), "verify pack --trust other.pub --json"), "no trusted key signed this manifest");
}

#[test]
fn a_changed_module_is_refused() {
    let folder = copy();
    flip(&folder.path().join("pack/rmsnorm/rmsnorm_f32.wasm"));
    refused(&run_in(folder.path(), "verify pack --trust release.pub --json"), "the manifest says sha256:");
}

#[test]
fn a_changed_module_for_another_engine_is_refused() {
    let folder = copy();
    flip(&folder.path().join("pack/rmsnorm/rmsnorm_f32.scalar.wasm"));
    refused(
        &run_in(folder.path(), "verify pack --trust release.pub --json"),
        "the module of kernel \"rmsnorm_f32\" (\"rmsnorm/rmsnorm_f32.scalar.wasm\") has the digest ",
    );
    let signed = run_in(folder.path(), "sign pack --key release.key");
    assert!(signed.error().contains("rmsnorm_f32.scalar.wasm has the digest "), "{signed:?}");
}

#[test]
fn a_changed_manifest_is_refused() {
    let folder = copy();
    let path = folder.path().join("pack/kernels.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"optional\": true", "\"optional\": false")).unwrap();
    refused(&run_in(folder.path(), "verify pack --trust release.pub --json"), "no trusted key signed this manifest");
}

#[test]
fn missing_and_unexpected_files_are_refused() {
    let folder = copy();
    fs::write(folder.path().join("pack/rope/extra"), "").unwrap();
    refused(&run_in(folder.path(), "verify pack --trust release.pub --json"), "\"rope/extra\"");
    fs::remove_dir_all(folder.path().join("pack/rope")).unwrap();
    refused(&run_in(folder.path(), "verify pack --trust release.pub --json"), "the pack has no file \"rope/rope_f");
}

#[test]
fn a_missing_key_is_told_as_json_too() {
    refused(&run_in(built(), "verify pack --trust no.pub --json"), "cannot read no.pub");
}
