//! `aot`, and how other commands treat packs with native code.

use std::{fs, path::Path};

use crate::fixture::{Ran, copy, program, run_in};

/// Runs the program in a folder with a shell script as its compiler.
#[cfg(unix)]
fn run_with(folder: &Path, script: &str, line: &str) -> Ran {
    use std::os::unix::fs::PermissionsExt as _;
    let compiler = folder.join("compiler");
    fs::write(&compiler, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&compiler, fs::Permissions::from_mode(0o755)).unwrap();
    program().args(line.split(' ')).current_dir(folder).env("KERNELPACK_WAMRC", compiler).output().unwrap().into()
}

/// Returns all files of a folder, with their content.
fn content(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(content(&path));
        } else {
            files.push((path.display().to_string(), fs::read(path).unwrap()));
        }
    }
    files.sort();
    files
}

const AOT: &str = "aot pack --target x86_64 --key release.key";
/// The version output of the fake compilers.
#[cfg(unix)]
const VERSION: &str = "[ \"$1\" = --version ] && echo 'kernelpack-wamrc 9, WAMR 2.4.3, LLVM 14.0.6' && exit";

#[cfg(unix)]
#[test]
fn a_compiler_that_fails_leaves_the_pack_as_it_was() {
    let folder = copy();
    let folder = folder.path();
    let before = content(&folder.join("pack"));
    let says = "kv_pack_q4\" for x86_64";
    for (script, expected) in [
        ("echo 'error: built without LLVM (no llvm-config)' >&2; exit 3", "built without LLVM (no llvm-config)"),
        ("echo 'gcc 12'", "is not kernelpack-wamrc"),
        (
            &format!("{VERSION}; echo 'error: unsupported opcode' >&2; exit 1"),
            "cannot be compiled for x86_64: unsupported opcode",
        ),
        (&format!("{VERSION}; kill -SEGV $$"), "the compiler crashed on kernel"),
        (&format!("{VERSION}; while :; do :; done"), "the compiler did not end within 1s"),
        (&format!("{VERSION}; exit 0"), "is not its file"),
        (&format!("{VERSION}; echo nonsense > $4"), "is not its file"),
        (&format!("{VERSION}; ln -s /etc/passwd $4"), "is not its file"),
    ] {
        let ran = run_with(folder, script, &format!("{AOT} --time-limit 1"));
        assert_eq!(ran.code, 1, "{ran:?}");
        let error = ran.stderr.lines().last().unwrap();
        assert!(error.contains(expected), "{error}");
        assert!(
            !script.contains(VERSION) || error.contains(says) || error.contains("\"kv_pack_q4\" cannot"),
            "{error}"
        );
        assert_eq!(ran.stdout, "");
        assert!(before == content(&folder.join("pack")), "the pack was changed");
    }
}

#[test]
fn without_a_compiler_nothing_happens() {
    let folder = copy();
    let ran: Ran = program()
        .args(AOT.split(' '))
        .current_dir(folder.path())
        .env("KERNELPACK_WAMRC", "no/such")
        .output()
        .unwrap()
        .into();
    let error = ran.error();
    assert!(
        error.starts_with("there is no no/such: build kernelpack-wamr-compiler (it needs llvm-14-dev and g++)"),
        "{error}"
    );
    let unknown = run_in(folder.path(), "aot pack --target z80 --key release.key");
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("choose x86_64, aarch64, thumbv7em or thumbv7"), "{unknown:?}");
}

#[cfg(unix)]
#[test]
fn nothing_is_compiled_that_nobody_trusted_has_signed() {
    let folder = copy();
    let folder = folder.path();
    let (script, mark) = (format!("{VERSION}; touch {}", folder.join("ran").display()), folder.join("ran"));
    let other = run_with(folder, &script, "aot pack --target x86_64 --key other.key");
    assert!(other.stderr.contains("no trusted key signed this manifest"), "{other:?}");
    let module = folder.join("pack/kv/kv_pack_q4.wasm");
    let mut wasm = fs::read(&module).unwrap();
    wasm[1000] ^= 1;
    fs::write(module, wasm).unwrap();
    let changed = run_with(folder, &script, AOT);
    assert!(changed.stderr.contains("the file has changed since"), "{changed:?}");
    assert!(!mark.exists());
}

#[test]
fn a_pack_gets_native_code_that_hosts_can_check() {
    let about = Path::new(env!("CARGO_BIN_EXE_kernelpack")).with_file_name("kernelpack-wamrc");
    let about: Ran = match std::process::Command::new(&about).arg("--version").output() {
        Ok(output) => output.into(),
        // The compiler is missing if only this package was built.
        Err(_) => return eprintln!("left out: there is no {}", about.display()),
    };
    if about.code == 3 {
        return eprintln!("left out: {}", about.stderr);
    }
    let folder = copy();
    let folder = folder.path();
    let crate_dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/my-kernels");
    run_in(folder, &format!("build {crate_dir} --out mine --key other.key --no-health")).succeeded();
    let line = "aot mine --target thumbv7em --target x86_64 --key release.key";
    let unknown = run_in(folder, line);
    assert!(unknown.code == 1 && unknown.stderr.contains("no trusted key signed"), "{unknown:?}");
    let made = run_in(folder, &format!("{line} --trust other.pub")).succeeded();
    let files: Vec<_> = made.stdout.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert!(files.len() >= 2 && files.len() % 2 == 0, "{files:?}");
    for file in &files {
        assert!(fs::read(folder.join("mine").join(file)).unwrap().starts_with(b"\0aot"));
    }

    let verified = run_in(folder, "verify mine --trust release.pub").succeeded().stdout;
    assert!(verified.contains("their signer is trusted for modules only"), "{verified}");
    let verified = run_in(folder, "verify mine --trust-native release.pub").succeeded().stdout;
    assert!(verified.contains("their signer is trusted for native code"), "{verified}");
    run_in(folder, "trust add trust.json --id release --key release.pub --native").succeeded();
    let verified = run_in(folder, "verify mine --trust-store trust.json").succeeded().stdout;
    assert!(verified.contains("their signer is trusted for native code"), "{verified}");
    assert!(run_in(folder, "trust list trust.json").succeeded().stdout.contains("for native code, too"));
    run_in(folder, "trust native trust.json --id release --withdraw").succeeded();
    let verified = run_in(folder, "verify mine --trust-store trust.json").succeeded().stdout;
    assert!(verified.contains("their signer is trusted for modules only"), "{verified}");
    let shown = run_in(folder, "inspect mine").succeeded().stdout;
    assert!(shown.contains("for thumbv7em by WAMR 2.4.3") && shown.contains("bounds-checks stack-checks"), "{shown}");

    // Compiling again gives the same pack, and signing keeps the native code.
    let before = content(&folder.join("mine"));
    run_in(folder, line).succeeded();
    assert!(before == content(&folder.join("mine")), "compiling again gives other bytes");
    run_in(folder, "sign mine --key release.key").succeeded();
    run_in(folder, "verify mine --trust release.pub").succeeded();
    // Every command refuses a changed file.
    let path = folder.join("mine").join(files[0]);
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(path, bytes).unwrap();
    assert!(run_in(folder, "verify mine --trust release.pub").error().contains("has the digest"));
    assert!(run_in(folder, "sign mine --key release.key").error().contains("has the digest"));
}
