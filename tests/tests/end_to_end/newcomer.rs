//! The README's first steps, run word for word, on the engine that they name.
//!
//! Its crates are compiled as part of this workspace, so that Wasmtime is not compiled again for them: the kernel crate
//! as the fixture `my-kernels`, the program as the example `my-engine`. A test compares both with the README's text.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use kernelpack_tests::pack;

fn readme() -> String {
    fs::read_to_string(pack::workspace().join("README.md")).unwrap()
}

/// The content that the README gives for a file, in the block that starts with a comment with its name.
fn file(name: &str) -> String {
    let readme = readme();
    let (_, rest) = readme.split_once(&format!("<!-- file: {name} -->\n```")).expect("the file is there");
    let (_, block) = rest.split_once('\n').expect("the block has lines");
    let (content, _) = block.split_once("\n```").expect("the block ends");
    format!("{content}\n")
}

/// The output that the README shows for a command.
fn shown(command: &str) -> String {
    let readme = readme();
    let (_, rest) = readme.split_once(&format!("$ {command}\n")).expect("the command is there");
    rest.split_once("```").expect("the block ends").0.to_owned()
}

#[test]
fn the_crates_are_those_of_the_readme() {
    let read = |path: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let manifest = file("my-kernels/Cargo.toml").replace("../kernelpack/", "../../../");
    assert_eq!(read("fixtures/my-kernels/Cargo.toml"), manifest);
    assert_eq!(read("fixtures/my-kernels/src/lib.rs"), file("my-kernels/src/lib.rs"));
    assert_eq!(read("examples/my-engine.rs"), file("my-engine/src/main.rs"));
    // The program needs only dependencies that this crate has.
    let engine = file("my-engine/Cargo.toml");
    let (_, dependencies) = engine.split_once("[dependencies]\n").unwrap();
    let names: Vec<&str> = dependencies.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(names, ["kernelpack-host", "my-kernels"]);
}

/// A program of this workspace, which a build of the whole workspace puts next to the tests.
fn program(name: &str) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().and_then(Path::parent).unwrap().join(name);
    assert!(program.exists(), "{} is missing: run the tests of the whole workspace", program.display());
    program
}

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
    output
}

#[test]
fn the_first_steps_work_as_the_readme_says() {
    let dir = tempfile::TempDir::new().unwrap();
    let fixture = fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/my-kernels")).unwrap();
    let steps = shown("cargo install --path kernelpack/cli");
    let steps: Vec<&str> = steps.lines().map(|line| line.strip_prefix("$ kernelpack ").expect("a command")).collect();
    assert_eq!(steps.len(), 4);
    for step in steps {
        let arguments: Vec<&str> =
            step.split(' ').map(|word| if word == "my-kernels" { fixture.to_str().unwrap() } else { word }).collect();
        run(Command::new(program("kernelpack")).args(arguments).current_dir(dir.path()));
    }
    let output = run(Command::new(program("examples/my-engine")).current_dir(dir.path()));
    let expected = shown("cargo run --manifest-path my-engine/Cargo.toml");
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}
