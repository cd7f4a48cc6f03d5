//! The README's first steps, run word for word, on the engine that they name.
//!
//! Its crates are compiled as part of this workspace, so that Wasmtime is not compiled again for them: the kernel crate
//! as `examples/my-kernels`, the program as `examples/engine.rs`. A test compares both with the README's text.

use std::{fs, process::Command};

use kernelpack_tests::{
    pack,
    program::{program, run},
};

fn readme() -> String {
    fs::read_to_string(pack::workspace().join("README.md")).unwrap()
}

/// Returns the content that the README gives for a file, in the block that starts with a comment with its name.
fn file(name: &str) -> String {
    let readme = readme();
    let (_, rest) = readme.split_once(&format!("<!-- file: {name} -->\n```")).expect("the file is there");
    let (_, block) = rest.split_once('\n').expect("the block has lines");
    let (content, _) = block.split_once("\n```").expect("the block ends");
    format!("{content}\n")
}

/// Returns the output that the README shows for a command.
fn shown(command: &str) -> String {
    let readme = readme();
    let (_, rest) = readme.split_once(&format!("$ {command}\n")).expect("the command is there");
    rest.split_once("```").expect("the block ends").0.to_owned()
}

#[test]
fn the_crates_are_those_of_the_readme() {
    let read = |path: &str| fs::read_to_string(pack::workspace().join("examples").join(path)).unwrap();
    let manifest = file("my-kernels/Cargo.toml").replace("../kernelpack/", "../../");
    assert_eq!(read("my-kernels/Cargo.toml"), manifest);
    assert_eq!(read("my-kernels/src/lib.rs"), file("my-kernels/src/lib.rs"));
    // The example has one line more, which makes the pack where there is none.
    let engine = read("engine.rs");
    let lines = engine.lines().filter(|line| !line.contains("kernelpack_examples::release"));
    let lines: String = lines.map(|line| format!("{line}\n")).collect();
    assert_eq!(lines, file("my-engine/src/main.rs"));
    // The program needs no more than the example has.
    let engine = file("my-engine/Cargo.toml");
    let (_, dependencies) = engine.split_once("[dependencies]\n").unwrap();
    let names: Vec<&str> = dependencies.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(names, ["kernelpack-host", "my-kernels"]);
}

#[test]
fn the_first_steps_work_as_the_readme_says() {
    let dir = tempfile::TempDir::new().unwrap();
    let kernels = fs::canonicalize(pack::workspace().join("examples/my-kernels")).unwrap();
    let steps = shown("cargo install --path kernelpack/cli");
    let steps: Vec<&str> = steps.lines().map(|line| line.strip_prefix("$ kernelpack ").expect("a command")).collect();
    assert_eq!(steps.len(), 4);
    for step in steps {
        let arguments: Vec<&str> =
            step.split(' ').map(|word| if word == "my-kernels" { kernels.to_str().unwrap() } else { word }).collect();
        run(Command::new(program("kernelpack")).args(arguments).current_dir(dir.path()));
    }
    let output = run(Command::new(program("examples/engine")).current_dir(dir.path()));
    let expected = shown("cargo run --manifest-path my-engine/Cargo.toml");
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}
