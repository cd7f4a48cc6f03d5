//! The README's first steps, run as they stand there.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use kernelpack_tests::pack;

/// The files that the README gives, by the comment before each block.
fn files(readme: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for part in readme.split("<!-- file: ").skip(1) {
        let (name, rest) = part.split_once(" -->").expect("the comment ends");
        let (_, block) = rest.split_once("```").expect("a block follows");
        let (_, block) = block.split_once('\n').expect("the block has lines");
        let (content, _) = block.split_once("\n```").expect("the block ends");
        files.push((name.to_owned(), format!("{content}\n")));
    }
    files
}

/// What the README shows behind a command.
fn shown<'a>(readme: &'a str, command: &str) -> &'a str {
    let (_, rest) = readme.split_once(&format!("$ {command}\n")).expect("the command is there");
    rest.split_once("```").expect("the block ends").0
}

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
    output
}

#[test]
fn the_first_steps_work_as_the_readme_says() {
    let workspace = fs::canonicalize(pack::workspace()).unwrap();
    let readme = fs::read_to_string(workspace.join("README.md")).unwrap();
    let dir = tempfile::TempDir::new().unwrap();
    let at = dir.path();
    let files = files(&readme);
    assert_eq!(files.len(), 4, "two crates of two files");
    for (name, content) in &files {
        // The tests do not stand beside a folder called kernelpack.
        let content = content.replace("../kernelpack/", &format!("{}/", workspace.display()));
        let path = at.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    // The versions that are compiled already, so that this takes seconds.
    for package in ["my-kernels", "my-engine"] {
        fs::copy(workspace.join("Cargo.lock"), at.join(package).join("Cargo.lock")).unwrap();
    }
    let cargo = |package: &str, arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO"));
        command.args(arguments).arg("--manifest-path").arg(at.join(package).join("Cargo.toml")).arg("--release");
        command.env("CARGO_TARGET_DIR", workspace.join("target")).current_dir(at);
        run(&mut command)
    };
    cargo("my-kernels", &["test", "--quiet"]);

    let kernelpack = |arguments: &[&str]| run(Command::new(program(&workspace)).args(arguments).current_dir(at));
    let steps = shown(&readme, "cargo install --path kernelpack/cli");
    let steps: Vec<&str> = steps.lines().map(|line| line.strip_prefix("$ kernelpack ").expect("a command")).collect();
    assert_eq!(steps.len(), 4);
    for step in steps {
        kernelpack(&step.split(' ').collect::<Vec<_>>());
    }
    let output = cargo("my-engine", &["run", "--quiet"]);
    let expected = shown(&readme, "cargo run --manifest-path my-engine/Cargo.toml");
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}

/// The command, built if it is not there yet.
fn program(workspace: &Path) -> std::path::PathBuf {
    run(Command::new(env!("CARGO"))
        .args(["build", "--release", "--locked", "--quiet", "--package", "kernelpack-cli", "--bin", "kernelpack"])
        .env("CARGO_TARGET_DIR", workspace.join("target"))
        .current_dir(workspace));
    workspace.join("target/release/kernelpack")
}
