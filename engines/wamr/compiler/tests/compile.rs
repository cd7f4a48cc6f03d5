//! Tests the compiler as `kernelpack aot` runs it: modules in; files, messages and exit codes out.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use kernelpack_manifest::{AOT_CHECKS, AotFacts, AotTarget, Digest};
use tempfile::TempDir;

/// A module with functions that need each of the checks.
const MODULE: &str = r#"(module
  (memory (export "memory") 1 1)
  (func (export "spin") (loop $again (br $again)))
  (func (export "spin_if") (param i32) (loop $again (br_if $again (local.get 0))))
  (func (export "spin_table") (param i32) (loop $again (br_table $again $again (local.get 0))))
  (func $deep (export "deep") (param i32) (result i32)
    (i32.add (i32.const 1) (call $deep (i32.add (local.get 0) (i32.const 1)))))
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0))))"#;

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kernelpack-wamrc")).args(arguments).output().unwrap()
}

/// Returns whether this was built with LLVM; prints a note if not.
fn has_llvm() -> bool {
    let output = run(&["--version"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.code() == Some(3) {
        assert!(said.contains("built without LLVM") && said.contains("install"), "{said}");
        eprintln!("left out: {said}");
        return false;
    }
    assert!(String::from_utf8_lossy(&output.stdout).contains(", WAMR "), "{output:?}");
    true
}

fn compile(folder: &TempDir, target: &str, wasm: &[u8]) -> Result<Vec<u8>, String> {
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (module, file) = (path("module.wasm"), path("module.aot"));
    fs::write(&module, wasm).unwrap();
    let output = run(&["--target", target, &module, &file]);
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| name == "module.wasm" || name == "module.aot"), "{names:?}");
    match output.status.code() {
        Some(0) => Ok(fs::read(file).unwrap()),
        Some(1) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        _ => panic!("{output:?}"),
    }
}

/// Returns the native code in a file: the section of type 2.
fn code(aot: &[u8]) -> &[u8] {
    let word = |at: usize| u32::from_le_bytes(aot[at..at + 4].try_into().unwrap());
    let mut at = 8_usize;
    loop {
        at = at.next_multiple_of(4);
        let (kind, size) = (word(at), word(at + 4) as usize);
        if kind == 2 {
            return &aot[at + 8..at + 8 + size];
        }
        at += 8 + size;
    }
}

fn count(code: &[u8], instruction: &[u8]) -> usize {
    code.windows(instruction.len()).filter(|window| *window == instruction).count()
}

#[test]
fn files_say_how_they_were_made() {
    if !has_llvm() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let wasm = wat::parse_str(MODULE).unwrap();
    for target in AotTarget::ALL {
        let aot = compile(&folder, target.name(), &wasm).unwrap();
        let facts = AotFacts::read(&aot).unwrap();
        assert_eq!((facts.record.target, facts.record.source, facts.simd), (target, Digest::of(&wasm), false));
        for check in AOT_CHECKS {
            assert!(facts.record.options.iter().any(|option| option == check), "{facts:?}");
        }
        assert!(aot == compile(&folder, target.name(), &wasm).unwrap(), "{target}: two runs, two files");
    }
}

#[test]
fn code_has_its_checks() {
    if !has_llvm() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let compile = |functions: &str| {
        let text = format!("(module (memory (export \"memory\") 1 1) {functions})");
        compile(&folder, "x86_64", &wat::parse_str(text).unwrap()).unwrap()
    };
    // `test $1, 40(%reg)`, or `mov 40(%reg), %reg` before one: the suspend flags are the sixth word of WAMR's execution
    // environment.
    let asks = |aot: &[u8]| -> usize {
        let code = code(aot);
        let tests = |base: u8| count(code, &[0xf6, base, 40, 1]) + count(code, &[0xf7, base, 40, 1, 0, 0, 0]);
        (0x40..=0x47).map(tests).sum::<usize>() + (0x40..=0x7f).map(|to| count(code, &[0x8b, to, 40])).sum::<usize>()
    };
    let none = asks(&compile("(func (export \"f\") (param i32) (result i32) (local.get 0))"));
    assert_eq!(none, 0, "the pattern means something else, too");
    for back in [
        "br $again",
        "br_if $again (local.get 0)",
        "br_if $again (i32.const 1)",
        "br_table $again $again (local.get 0)",
        "br_table $again $again (i32.const 0)",
    ] {
        let aot = compile(&format!("(func (export \"f\") (param i32) (loop $again ({back})))"));
        assert!(asks(&aot) >= 1, "{back} goes back without a check");
    }
    // `cmp 32(%reg), %rax`: the end of the native stack is the fifth word.
    let frames =
        count(code(&compile(MODULE.split_once("1 1)").unwrap().1.strip_suffix(')').unwrap())), &[0x48, 0x3b, 0x47, 32]);
    assert_eq!(frames, 5, "each function compares its frame with the end of the stack");
    // `mov $imm, %esi` passes the exception's number to the throwing function, which has one call site for the frame
    // check, and a second if the body accesses memory.
    let calls = |body: &str| {
        count(code(&compile(&format!("(func (export \"f\") (param i32) (result i32) ({body}))"))), &[0xbe])
    };
    assert_eq!((calls("local.get 0"), calls("i32.load (local.get 0)")), (1, 2), "an access is not checked");
}

#[test]
fn simd_is_compiled_where_the_machine_has_it() {
    if !has_llvm() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // Narrowing is the only instruction that WAMR alone compiles wrongly on some of the machines.
    let wasm = wat::parse_str(
        r#"(module (memory (export "memory") 1 1)
          (func (export "f") (param i32)
            (v128.store (local.get 0)
              (i16x8.narrow_i32x4_s (v128.load (local.get 0)) (v128.load offset=16 (local.get 0))))
            (v128.store (local.get 0)
              (i8x16.narrow_i16x8_u (v128.load (local.get 0)) (v128.load offset=16 (local.get 0))))))"#,
    );
    let wasm = wasm.unwrap();
    for target in AotTarget::ALL {
        match compile(&folder, target.name(), &wasm) {
            Ok(aot) => assert!(target.has_simd() && AotFacts::read(&aot).unwrap().simd, "{target}"),
            Err(error) => assert!(!target.has_simd() && error.contains("SIMD"), "{target}: {error}"),
        }
    }
}

#[test]
fn what_is_no_module_is_refused_in_words() {
    if !has_llvm() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let wasm = wat::parse_str(MODULE).unwrap();
    for bytes in [&b""[..], b"\0asm", b"MZ and more of the same", &wasm[..wasm.len() / 2], &wasm[..wasm.len() - 1]] {
        let error = compile(&folder, "x86_64", bytes).unwrap_err();
        assert!(error.starts_with("error: the module cannot be compiled: "), "{error}");
    }
    // Real shared memory would conflict with the mark that enables the checks.
    let shared = wat::parse_str("(module (memory 1 1 shared))").unwrap();
    compile(&folder, "x86_64", &shared).unwrap_err();
}

#[test]
fn wrong_command_lines_have_a_status_of_their_own() {
    for arguments in [&[][..], &["--target"], &["--target", "z80", "a", "b"], &["a.wasm", "b.aot"], &["--help"]] {
        assert_eq!(run(arguments).status.code(), Some(2), "{arguments:?}");
    }
    if has_llvm() {
        let missing = run(&["--target", "x86_64", "/no/such/file", "/no/such/folder/file"]);
        assert_eq!(missing.status.code(), Some(1));
        assert!(!Path::new("/no/such/folder").exists());
    }
}
