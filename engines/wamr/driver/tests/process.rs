//! Tests what the compiler's process is given, with shell scripts in place of the compiler. `kernelpack aot` and hosts
//! have the tests that scripts are not taken for the compiler, and that their output is rejected.
#![cfg(unix)]

use std::{fs, process::Command, time::Duration};

use kernelpack_manifest::AotTarget;
use kernelpack_wamr_driver::{Compiler, CompilerError};
use tempfile::TempDir;

/// Returns a compiler that runs this text once it has reported its version. A separate process writes it: while this
/// process has the file open for writing, another test may start a process that inherits it, and then nobody can
/// execute the file.
fn compiler(folder: &TempDir, text: &str) -> Result<Compiler, CompilerError> {
    let path = folder.path().join("compiler");
    let says = "kernelpack-wamrc 9, WAMR 2.4.3, LLVM 14.0.6\nand more";
    let text = format!("#!/bin/sh\n[ \"$1\" = --version ] && echo '{says}' && exit\n{text}\n");
    let write = "printf %s \"$1\" > \"$2\" && chmod 755 \"$2\"";
    assert!(Command::new("/bin/sh").args(["-c", write, "sh", &text]).arg(&path).status().unwrap().success());
    Compiler::at(path, Duration::from_secs(20))
}

#[test]
fn it_is_given_the_module_and_a_folder_of_its_own_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let seen = folder.path().join("seen");
    let look = format!(
        "{{ env | cut -d= -f1 | sort | tr '\\n' ' '; echo \"$@\"; ls -a | tr '\\n' ' '; stat -c %a .; cat module.wasm; \
         readlink /proc/self/fd/0; }} > {}; exit 1",
        seen.display()
    );
    let compiler = compiler(&folder, &look).unwrap();
    assert_eq!(compiler.about(), "kernelpack-wamrc 9, WAMR 2.4.3, LLVM 14.0.6");
    assert_eq!(compiler.identity(), "kernelpack-wamrc 9, WAMR 2.4.3, LLVM 14.0.6\nand more");
    let refused = compiler.compile("k", AotTarget::Aarch64, b"a module\n").unwrap_err();
    assert!(matches!(refused, CompilerError::Refused { .. }), "{refused}");
    let seen = fs::read_to_string(seen).unwrap();
    // The shell itself adds some variables.
    let (environment, rest) = seen.split_once("--target").unwrap();
    let own = ["LD_LIBRARY_PATH", "OLDPWD", "PWD", "SHLVL", "TMPDIR", "_"];
    assert!(environment.split_whitespace().all(|name| own.contains(&name)), "{environment}");
    assert_eq!(rest, " aarch64 module.wasm module.aot\n. .. module.wasm 700\na module\n/dev/null\n");
}

#[test]
fn nothing_of_it_is_left() {
    let folder = TempDir::new().unwrap();
    let place = folder.path().join("place");
    let compiler =
        compiler(&folder, &format!("pwd > {}; touch more; mkdir deep; kill -KILL $$", place.display())).unwrap();
    let crashed = compiler.compile("k", AotTarget::X86_64, b"").unwrap_err().to_string();
    assert!(crashed.starts_with("the compiler crashed on kernel \"k\" for x86_64 (signal: 9"), "{crashed}");
    let place = fs::read_to_string(place).unwrap();
    assert!(place.contains("kernelpack-aot-") && !fs::exists(place.trim()).unwrap(), "{place}");
}
