//! Runs the rotation of keys in `docs/src/release-engineer.md` step by step, word for word.

use std::{fs, path::Path, process::Command};

use crate::fixture::{Ran, run_in};

/// Returns the commands of the block that starts with this one.
fn steps(first: &str) -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/release-engineer.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once(&format!("```console\n$ {first}\n")).expect("the block is there");
    let (block, _) = rest.split_once("```").expect("the block ends");
    let more = block.lines().map(|line| line.strip_prefix("$ ").expect("a command").to_owned());
    [first.to_owned()].into_iter().chain(more).collect()
}

#[cfg(unix)]
#[test]
fn keys_are_rotated_as_the_book_says() {
    let folder = tempfile::tempdir().unwrap();
    let kernels = fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/my-kernels")).unwrap();
    let programs = Path::new(env!("CARGO_BIN_EXE_kernelpack")).parent().unwrap();
    let path = std::env::join_paths(
        [programs.to_owned()].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    )
    .unwrap();
    // Runs the lines in a shell, since users type them into one.
    let shell = |line: &str| -> Ran {
        let line = line.replace("build my-kernels", &format!("build {}", kernels.display()));
        let ran = Command::new("sh").args(["-c", &line]).env("PATH", &path).current_dir(folder.path()).output();
        Ran::from(ran.unwrap()).succeeded()
    };
    let verify = |pack: &str| run_in(folder.path(), &format!("verify {pack} --trust-store trust.json --json"));
    let signed_by = |pack: &str| verify(pack).succeeded().json()["signed_by_id"].as_str().map(str::to_owned);
    let refused = |pack: &str| verify(pack).error().to_owned();

    // Makes the state after the first steps of the page.
    shell("kernelpack keygen release");
    shell("kernelpack build my-kernels --out my-pack --key release.key");
    for step in steps("kernelpack trust add trust.json --id release-2026 --key release.pub") {
        shell(&step);
    }
    assert_eq!(signed_by("my-pack").as_deref(), Some("release-2026"));
    // Makes an engine's store, which also has the previous version.
    shell("cp -r my-pack my-first-pack");
    let manifest = folder.path().join("my-first-pack/kernels.json");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replacen("\"version\": \"1.0.0\"", "\"version\": \"0.9.0\"", 1)).unwrap();
    shell("kernelpack sign my-first-pack --key release.key");
    for pack in ["my-first-pack", "my-pack"] {
        run_in(folder.path(), &format!("store install packs {pack} --trust-store trust.json")).succeeded();
    }

    let rotation = steps("kernelpack keygen release-2027");
    let [keygen, add, build, expire, revoke] = &rotation[..] else { panic!("{rotation:?}") };
    shell(keygen);
    shell(add);
    assert_eq!(signed_by("my-pack").as_deref(), Some("release-2026"), "the old pack opens beside the new key");
    shell(build);
    assert_eq!(signed_by("my-pack").as_deref(), Some("release-2026"));
    assert_eq!(signed_by("my-next-pack").as_deref(), Some("release-2027"));

    // A test that runs for years must not depend on the page's date.
    assert!(expire.ends_with("--not-after 2027-06-30T00:00:00Z"), "{expire}");
    shell(&expire.replace("2027-06-30", "2199-06-30"));
    assert_eq!(signed_by("my-pack").as_deref(), Some("release-2026"), "the old key's time is not over yet");
    shell(&expire.replace("2027-06-30", "2001-06-30"));
    assert!(
        refused("my-pack").starts_with(
            "pack rejected: the key \"release-2026\", which signed this manifest, was trusted until 2001-06-30T00:00:00Z"
        ),
        "{}",
        refused("my-pack")
    );
    assert_eq!(signed_by("my-next-pack").as_deref(), Some("release-2027"));

    shell(revoke);
    let said = refused("my-pack");
    assert!(
        said.starts_with("pack rejected: the key \"release-2026\", which signed this manifest, was revoked"),
        "{said}"
    );
    assert!(said.contains(": laptop stolen; "), "{said}");
    assert_eq!(signed_by("my-next-pack").as_deref(), Some("release-2027"));
    let both = run_in(folder.path(), "verify my-pack --trust-store trust.json --trust release.pub");
    assert_eq!(both.error(), said);
    // The store has no usable pack now, until the new key signs the old one.
    let listed = || run_in(folder.path(), "store list packs --json").succeeded().json();
    let before = listed();
    let rollback = || run_in(folder.path(), "store rollback packs --trust-store trust.json");
    assert!(
        rollback()
            .stderr
            .contains("the previous pack cannot be used any more: pack rejected: the key \"release-2026\"")
    );
    let emergency = steps("kernelpack sign my-pack --key release-2027.key");
    let [sign, install] = &emergency[..] else { panic!("{emergency:?}") };
    shell(sign);
    assert_eq!(signed_by("my-pack").as_deref(), Some("release-2027"));
    let installed = shell(install);
    assert!(installed.stdout.ends_with(" is active\n"), "{installed:?}");
    let after = listed();
    assert_eq!(after["active"]["content"], before["active"]["content"]);
    assert_eq!(after["active"]["version"], "1.0.0");
    assert_eq!(after["active"]["signed_by"], verify("my-pack").json()["signed_by"]);
    assert_eq!(after["active"]["content"], verify("my-pack").json()["content"]);
    assert_ne!(after["active"]["signed_by"], before["active"]["signed_by"]);
    // The previous pack is the same as before, and a rollback to it still fails.
    assert_eq!(after["previous"], before["previous"]);
    assert!(rollback().error().starts_with("the previous pack cannot be used any more: pack rejected: the key "));
    let again = shell(install);
    assert!(again.stdout.ends_with(" is already active\n") && again.stderr.is_empty(), "{again:?}");
    assert_eq!(fs::read_dir(folder.path().join("packs/packs")).unwrap().count(), 2);
}
