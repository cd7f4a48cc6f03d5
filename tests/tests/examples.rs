//! The programs in `examples/`, run as their README says, and the benchmark.

use std::{collections::BTreeMap, fs, process::Command, time::Duration};

use criterion::Criterion;
use kernelpack_tests::{
    pack,
    program::{program, run},
};
use tempfile::TempDir;

#[path = "../../examples/benches/kernels.rs"]
#[allow(dead_code, reason = "the tests do not run its main function")]
mod kernels;

const COMMAND: &str = "$ cargo run --release --package kernelpack-examples --example ";

fn read(path: &str) -> String {
    fs::read_to_string(pack::workspace().join("examples").join(path)).unwrap()
}

/// Returns the lines that the README shows of each program's output.
fn shown(readme: &str) -> BTreeMap<&str, Vec<&str>> {
    let blocks = readme.split(COMMAND).skip(1).map(|rest| {
        let (block, _) = rest.split_once("```").expect("the block ends");
        let (name, output) = block.split_once('\n').expect("the command is a line");
        (name, output.lines().collect())
    });
    blocks.collect()
}

/// Runs a program, which makes its own pack, and returns what it prints.
fn printed(name: &str) -> String {
    let folder = TempDir::new().unwrap();
    let output = run(Command::new(program(&format!("examples/{name}"))).current_dir(folder.path()));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_readme_has_each_example_and_no_other() {
    let manifest = read("Cargo.toml");
    let examples = manifest.split("[[example]]\nname = \"").skip(1);
    let mut examples: Vec<_> = examples.filter_map(|rest| rest.split('"').next()).collect();
    examples.sort_unstable();
    let readme = read("README.md");
    assert_eq!(shown(&readme).into_keys().collect::<Vec<_>>(), examples);
}

#[test]
fn each_example_prints_what_the_readme_shows() {
    let readme = read("README.md");
    for (name, expected) in shown(&readme) {
        let printed = printed(name);
        let printed: Vec<&str> = printed.lines().collect();
        if name == "metrics" {
            // The lines of this program come in any order, and the README shows only some.
            for line in expected {
                assert!(printed.contains(&line), "{name}: {line:?} is not in {printed:#?}");
            }
        } else {
            assert_eq!(printed, expected, "{name}");
        }
    }
}

#[test]
fn the_benchmark_measures_each_kernel_in_each_way() {
    let output = TempDir::new().unwrap();
    let mut criterion = Criterion::default()
        .output_directory(output.path())
        .sample_size(10)
        .nresamples(10)
        .warm_up_time(Duration::from_millis(1))
        .measurement_time(Duration::from_millis(1));
    kernels::measure_all(&mut criterion).unwrap();
    let groups = fs::read_dir(output.path()).unwrap().map(|entry| entry.unwrap().path());
    let groups: Vec<_> = groups.filter(|path| path.join("native").exists()).collect();
    assert_eq!(groups.len(), 6, "{groups:?}");
    for group in groups {
        for way in ["native", "bound", "copied"] {
            assert!(group.join(way).join("new/estimates.json").exists(), "{}: {way}", group.display());
        }
    }
}
