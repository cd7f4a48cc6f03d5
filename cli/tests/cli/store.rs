//! `store`: installing, listing, rolling back.

use std::fs;

use crate::fixture::{copy, flip, run_in};

#[test]
fn a_pack_is_installed_listed_and_used_again() {
    let folder = copy();
    let run = |line: &str| run_in(folder.path(), line);
    let installed = run("store install store pack --trust release.pub").succeeded().stdout;
    assert!(
        installed.starts_with("\"kernelpack-core-kernels\" ") && installed.ends_with(" is active\n"),
        "{installed}"
    );
    let again = run("store install store pack --trust release.pub").succeeded().stdout;
    assert!(again.ends_with(" is already active\n"), "{again}");

    let json = run("store list store --json").succeeded().json();
    assert_eq!(json["active"]["name"], "kernelpack-core-kernels");
    assert!(json["active"]["signed_by"].as_str().unwrap().starts_with("ed25519:"));
    assert!(json["previous"].is_null());
    let text = run("store list store").succeeded().stdout;
    assert!(text.starts_with("active    \"kernelpack-core-kernels\" ") && text.ends_with("previous  none\n"), "{text}");

    let error = run("store rollback store --trust release.pub");
    assert!(error.error().contains("no previous pack to go back to"), "{}", error.error());
}

#[test]
fn what_is_refused_is_not_installed() {
    let folder = copy();
    let run = |line: &str| run_in(folder.path(), line);
    let error = run("store install store pack --trust other.pub");
    assert!(error.error().contains("no trusted key signed this manifest"), "{}", error.error());
    assert!(run("store list store --json").succeeded().json()["active"].is_null());
    assert!(run("store list nowhere").error().contains("\"nowhere\" is not a folder"));
    assert!(run("store rollback nowhere --trust release.pub").error().contains("\"nowhere\" is not a folder"));
    assert!(!folder.path().join("nowhere").exists());
}

#[test]
fn a_broken_copy_is_told_and_repaired_by_installing_again() {
    let folder = copy();
    let run = |line: &str| run_in(folder.path(), line);
    run("store install store pack --trust release.pub").succeeded();
    let packs = folder.path().join("store/packs");
    let pack = fs::read_dir(packs).unwrap().next().unwrap().unwrap().path();
    flip(&pack.join("rmsnorm/rmsnorm_f32.wasm"));
    let repaired = run("store install store pack --trust release.pub").succeeded();
    assert!(repaired.stderr.contains("cannot be used"), "{repaired:?}");
    run_in(&pack, &format!("verify . --trust {}", folder.path().join("release.pub").display())).succeeded();
}
