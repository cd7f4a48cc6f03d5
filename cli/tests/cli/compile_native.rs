//! `--compile-native`: native code that is compiled on the machine that runs it.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use crate::fixture::{Ran, built, golden, program, run_in};

/// Runs a kernel with these options, and returns what it wrote.
fn run(folder: &Path, options: &str) -> (Ran, Option<Vec<u8>>) {
    let input = golden("rmsnorm_f32")[0].display().to_string();
    let output = folder.join("out.safetensors");
    let _ = fs::remove_file(&output);
    let mut command = program();
    command.args(["run", "pack", "rmsnorm_f32", "--trust", "release.pub", "--output"]).arg(&output);
    command.args(["--input", &format!("x={input}"), "--input", &format!("weight={input}")]);
    let ran = command.args(options.split(' ')).current_dir(built()).env_remove("KERNELPACK_WAMRC").output().unwrap();
    (ran.into(), fs::read(output).ok())
}

/// Returns WAMR's compiler if it was built; otherwise prints why it is missing.
fn compiler() -> Option<PathBuf> {
    let program = Path::new(env!("CARGO_BIN_EXE_kernelpack")).with_file_name("kernelpack-wamrc");
    match Command::new(&program).arg("--version").output() {
        Ok(output) if output.status.success() => return Some(program),
        Ok(output) => eprintln!("left out: {}", String::from_utf8_lossy(&output.stderr)),
        Err(_) => eprintln!("left out: there is no {}", program.display()),
    }
    None
}

#[test]
fn kernels_run_as_native_code_that_nobody_was_granted() {
    let Some(compiler) = compiler() else { return };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let native = "--engine wamr-aot --no-cache";
    let (ran, _) = run(folder, native);
    assert!(ran.error().contains("no native code for this machine that its signer may vouch for"), "{ran:?}");
    let (ran, expected) = run(folder, "--engine wamr --no-cache --verbose");
    assert!(ran.succeeded().stderr.contains("loaded rmsnorm_f32 ("));
    // Uses the compiler beside the program.
    let cache = format!("--cache {}", folder.join("cache").display());
    let (ran, result) = run(folder, &format!("--engine wamr-aot --compile-native --verbose {cache}"));
    assert!(ran.succeeded().stderr.contains("compiled rmsnorm_f32 ("));
    assert!(result.is_some() && result == expected, "the results differ from the interpreter's");

    // Names a compiler and then deletes it: the cache records its version, so the cached code is used.
    let link = folder.join("wamrc");
    symlink(compiler, &link).unwrap();
    let named = format!("--engine wamr-aot --compile-native={} --verbose", link.display());
    for _ in 0..2 {
        let (ran, result) = run(folder, &format!("{named} {cache}"));
        assert!(ran.succeeded().stderr.contains("rmsnorm_f32 was in the compile cache"));
        assert!(result == expected);
        let _ = fs::remove_file(&link);
    }
    let (ran, result) = run(folder, &format!("{named} --no-cache"));
    assert!(ran.error().starts_with("there is no ") && result.is_none(), "{ran:?}");

    let bench = "bench pack rmsnorm_f32 --trust release.pub --quick --json --shape 1x64 --engine wamr-aot";
    let bench = run_in(built(), &format!("{bench} --compile-native {cache}")).succeeded();
    assert_eq!(bench.json()["engine"], "wamr-aot");
}

#[test]
fn a_compiler_that_is_none_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let with =
        |program: &str| run(folder.path(), &format!("--engine wamr-aot --no-cache --compile-native={program}")).0;
    let ran = with("no/such/program");
    let error = ran.error();
    assert!(error.starts_with("there is no no/such/program: build kernelpack-wamr-compiler (it needs"), "{error}");
    let ran = with("/bin/cat");
    assert!(ran.error().starts_with("/bin/cat is not kernelpack-wamrc"), "{ran:?}");
}

#[test]
fn it_is_for_the_engine_that_runs_native_code() {
    for engine in ["", " --engine wamr", " --engine wasmtime"] {
        for line in ["run p k --output o", "bench p", "bench p k --shape 1x1"] {
            let ran = run_in(Path::new("."), &format!("{line} --trust a.pub --compile-native{engine}"));
            assert_eq!(ran.code, 2, "{ran:?}");
            assert!(ran.stderr.starts_with("error: --compile-native is for") && ran.stdout.is_empty(), "{ran:?}");
        }
    }
    let two = run_in(built(), "bench pack --trust no.pub --compile-native=x --engine wasmtime --engine wamr-aot");
    assert_eq!(two.code, 1, "{two:?}");
}
