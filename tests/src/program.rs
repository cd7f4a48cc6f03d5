//! Programs of this workspace, which a build of the whole workspace puts beside the tests.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Returns the path of a program: `kernelpack`, or `examples/engine`.
///
/// # Panics
/// It was not built.
pub fn program(name: &str) -> PathBuf {
    let tests = env::current_exe().expect("a program knows its path");
    let program = tests.parent().and_then(Path::parent).expect("tests lie in a folder of the target").join(name);
    assert!(program.exists(), "{} is missing: run the tests of the whole workspace", program.display());
    program
}

/// Runs a command to its end.
///
/// # Panics
/// It does not start, or fails; the message has what it wrote to stderr.
pub fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
    output
}
