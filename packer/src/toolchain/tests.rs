use super::*;

#[test]
fn a_missing_target_comes_with_the_command_that_installs_it() {
    assert!(Toolchain::read("/nowhere\n/nowhere/lib\n", "").is_none());
    let said = |toolchain: Option<&str>| {
        let toolchain = toolchain.map(str::to_owned);
        BuildError::NoTarget { folder: "/crate".into(), toolchain }.to_string()
    };
    assert_eq!(
        said(Some("1.95.0-x86_64-unknown-linux-gnu")),
        "the target wasm32-unknown-unknown is not installed in the toolchain 1.95.0-x86_64-unknown-linux-gnu of /crate: \
         run `rustup target add --toolchain 1.95.0-x86_64-unknown-linux-gnu wasm32-unknown-unknown`"
    );
    assert_eq!(
        said(None),
        "the target wasm32-unknown-unknown is not installed: run `rustup target add wasm32-unknown-unknown`, or install \
         it the way this compiler was installed"
    );
}

#[cfg(unix)]
#[test]
fn the_toolchain_is_the_one_of_the_crates_folder() {
    use std::fs;

    let dir = tempfile::tempdir().unwrap();
    let (rustup, folder) = (dir.path().join("rustup"), dir.path().join("crate"));
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("rust-toolchain"), "1.95.0-host\n").unwrap();
    let script = |content: &str| {
        // The script is written by another process, since a program cannot run while this process or a child has it
        // open for writing.
        let write = "printf '#!/bin/sh\\n%s\\n' \"$1\" > \"$0\" && chmod 755 \"$0\"";
        assert!(Command::new("sh").arg("-c").arg(write).arg(&rustup).arg(content).status().unwrap().success());
        active_toolchain(rustup.as_os_str(), &folder)
    };
    let name = script("echo \"$(cat rust-toolchain) (overridden by '$PWD/rust-toolchain')\"; echo \"$@\" > args");
    assert_eq!(name.as_deref(), Some("1.95.0-host"));
    assert_eq!(fs::read_to_string(folder.join("args")).unwrap(), "show active-toolchain\n");
    assert_eq!(script("echo broken; exit 1"), None);
    assert_eq!(script("exit 0"), None);
    assert_eq!(active_toolchain(folder.as_os_str(), &folder), None);
}

#[test]
fn the_standard_library_has_one_name_with_and_without_its_sources() {
    let here = env!("CARGO_MANIFEST_DIR");
    let toolchain = Toolchain::read(&format!("/sys\n{here}\n"), "rustc 1\ncommit-hash: abc\nhost: h\n").unwrap();
    let remaps = toolchain.remaps();
    assert!(
        remaps
            .ends_with(&[("/sys".into(), "/rust".into()), ("/sys/lib/rustlib/src/rust".into(), "/rustc/abc".into()),])
    );
}
