//! The compile cache of `run` and `bench`, and their messages about it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::fixture::{Ran, built, golden, program, run_in};

/// Runs a kernel with these options.
fn run(folder: &Path, options: &str) -> Ran {
    let input = golden("rmsnorm_f32")[0].display().to_string();
    let pack = built().join("pack").display().to_string();
    let trust = built().join("release.pub").display().to_string();
    let line = format!(
        "run {pack} rmsnorm_f32 --trust {trust} --input x={input} --input weight={input} --output out.safetensors{options}"
    );
    run_in(folder, &line)
}

fn entries(cache: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "code")).collect()
}

#[test]
fn code_is_kept_and_what_was_tampered_with_is_told_and_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let said = |options: &str| run(folder.path(), options).succeeded().stderr;
    let told = |said: &str, what: &str| said.lines().filter(|line| line.contains(what)).count();

    let first = said(" --cache cache --verbose");
    assert!(first.contains("compiled rope_f32 (") && first.contains("(13 of 13)"), "{first}");
    let results = fs::read(folder.path().join("out.safetensors")).unwrap();
    let cache = folder.path().join("cache");
    assert_eq!(entries(&cache).len(), 13);

    let again = said(" --cache cache --verbose");
    assert_eq!(told(&again, "was in the compile cache"), 13, "{again}");
    // If standard error is a pipe, only problems are reported.
    assert_eq!(said(" --cache cache").lines().count(), 2);

    for entry in entries(&cache) {
        crate::fixture::flip(&entry);
    }
    let tampered = said(" --cache cache");
    assert_eq!(
        told(&tampered, "again, since its entry in the compile cache is unusable: it was not made here"),
        13,
        "{tampered}"
    );
    assert_eq!(fs::read(folder.path().join("out.safetensors")).unwrap(), results);
    assert_eq!(told(&said(" --cache cache --verbose"), "was in the compile cache"), 13);
}

#[cfg(unix)]
#[test]
fn a_folder_that_was_named_must_do_and_the_usual_one_need_not() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("kernelpack");
    fs::create_dir(&cache).unwrap();
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o777)).unwrap();
    let refused = run(folder.path(), " --cache kernelpack");
    assert!(refused.error().contains("others can write to the compile cache"), "{refused:?}");

    let opens = |options: &str| -> Ran {
        let line = format!("bench pack rmsnorm_f32 --trust release.pub --quick --shape 1x64{options}");
        let mut program = program();
        program.args(line.split(' ')).current_dir(built()).env("XDG_CACHE_HOME", folder.path());
        Ran::from(program.output().unwrap()).succeeded()
    };
    let usual = opens("").stderr;
    assert!(usual.starts_with("continuing without a compile cache: others can write to"), "{usual}");
    assert_eq!(opens(" --no-cache").stderr, "");
    assert!(fs::read_dir(&cache).unwrap().next().is_none());
    fs::remove_dir(&cache).unwrap();
    assert_eq!(opens("").stderr, "");
    // Each module is compiled with deadlines and without.
    assert_eq!(entries(&cache).len(), 26);
}

#[test]
fn opening_is_measured_with_and_without_a_cache() {
    let ran = run_in(built(), "bench pack --trust release.pub --open --quick --json").succeeded();
    let lines: Vec<serde_json::Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().map(|line| line["cache"].as_str().unwrap()).collect::<Vec<_>>(), ["none", "empty", "full"]);
    for line in &lines {
        assert_eq!(line["modules"], 13);
        assert!(line["open_ms"].as_f64().unwrap() > 0.0 && line["runtime_ms"].as_f64().unwrap() > 0.0, "{line}");
    }
    let table = run_in(built(), "bench pack --trust release.pub --open --quick").succeeded().stdout;
    assert_eq!(table.lines().count(), 4, "{table}");
    let refused = run_in(built(), "bench pack --trust other.pub --open --quick");
    assert!(refused.error().contains("no trusted key signed"), "{refused:?}");
}
