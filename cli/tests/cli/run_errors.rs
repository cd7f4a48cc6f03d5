//! `run`: each mistake has its own message, and leaves no file.

use std::fs;

use safetensors::Dtype;

use crate::{
    fixture::{copy, flip, run_in},
    run::{run, write},
};

#[test]
fn mistakes_in_a_call_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.safetensors");
    write(
        &path,
        &[
            ("x", Dtype::F32, &[2, 8]),
            ("weight", Dtype::F32, &[8]),
            ("half", Dtype::F16, &[2, 8]),
            ("long", Dtype::F32, &[9]),
            ("flat", Dtype::F32, &[16]),
        ],
    );
    let text = folder.path().join("text");
    fs::write(&text, "these are no tensors").unwrap();
    let (file, text) = (path.display(), text.display());
    let output = folder.path().join("out.safetensors");

    let (x, weight) = (format!("x={file}"), format!("weight={file}"));
    let call = |kernel: &str, inputs: &[&str], params: &[&str]| {
        let owned = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        run(kernel, &owned(inputs), &owned(params), &output).error().to_owned()
    };
    for (said, needs) in [
        (call("no_f32", &[], &[]), "the pack has no kernel \"no_f32\"; it has "),
        (call("rmsnorm_f32", &[&x, &weight, &format!("z={file}")], &[]), "no input \"z\"; it has x, weight"),
        (call("rmsnorm_f32", &[&x, &weight, &format!("y={file}")], &[]), "no input \"y\"; it has x, weight"),
        (call("rmsnorm_f32", &[&x], &[]), "input \"weight\" is missing"),
        (call("rmsnorm_f32", &[&x, &x, &weight], &[]), "input \"x\" is given twice"),
        (call("rmsnorm_f32", &[&format!("x={file}:half"), &weight], &[]), " needs f32, but holds F16"),
        (
            call("rmsnorm_f32", &[&x, &format!("weight={file}:long")], &[]),
            "input \"weight\" needs dim = 8 along axis 0",
        ),
        (call("rmsnorm_f32", &[&format!("x={file}:flat"), &weight], &[]), "input \"x\" needs 2 axes (rows, dim)"),
        (call("rmsnorm_f32", &[&format!("x={file}:no"), &weight], &[]), "no tensor \"no\"; it has \"flat\", \"half\""),
        (call("swiglu_f32", &[&format!("gate={file}")], &[]), "write gate="),
        (call("rmsnorm_f32", &[&format!("x={text}"), &weight], &[]), "is not a safetensors file"),
        (call("rmsnorm_f32", &["x=no.safetensors", &weight], &[]), "cannot read no.safetensors"),
        (call("rmsnorm_f32", &["x=no.safetensors:x", &weight], &[]), "cannot read no.safetensors"),
        (call("rmsnorm_f32", &[&x, &weight], &["esp=1"]), "no parameter \"esp\"; it has eps"),
        (
            call("rmsnorm_f32", &[&x, &weight], &["eps=small"]),
            "parameter \"eps\" has the type f32: give a number such as 1e-5, inf or nan, not \"small\"",
        ),
        (call("swiglu_f32", &[], &["eps=1"]), "no parameter \"eps\"; it has none"),
        (call("rope_f32", &[&x], &["interleaved=yes"]), "give true or false"),
        (call("rope_f32", &[&x], &["position_offset=-1"]), "give a whole number from 0 to 4294967295"),
    ] {
        assert!(said.contains(needs), "{needs:?} is not in {said:?}");
    }
    assert!(!output.exists());
}

#[test]
fn a_failing_kernel_says_why_and_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let (path, output) = (folder.path().join("t.safetensors"), folder.path().join("out.safetensors"));
    write(&path, &[("x", Dtype::F32, &[1, 1, 1, 3])]);
    fs::write(&output, "as it was").unwrap();
    let ran = run("rope_f32", &[format!("x={}", path.display())], &[], &output);
    assert!(ran.error().contains("dim must be even"), "{ran:?}");
    assert_eq!(fs::read_to_string(&output).unwrap(), "as it was");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
}

/// The pipe is like one that a shell makes for `<(…)`.
#[cfg(unix)]
#[test]
fn a_pipe_is_read_as_a_file_is() {
    let folder = tempfile::tempdir().unwrap();
    let (file, pipe) = (folder.path().join("t.safetensors"), folder.path().join("a:pipe"));
    let output = folder.path().join("out.safetensors");
    write(&file, &[("y", Dtype::F32, &[1, 1, 1, 2]), ("x", Dtype::F32, &[1, 1, 1, 4])]);
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let run_with = |content: Vec<u8>, tensor: &str| {
        let to = pipe.clone();
        // Opening the pipe waits for the reader.
        let writer = std::thread::spawn(move || fs::write(to, content));
        let ran = run("rope_f32", &[format!("x={}{tensor}", pipe.display())], &[], &output);
        writer.join().unwrap().unwrap();
        ran
    };
    run("rope_f32", &[format!("x={}", file.display())], &[], &output).succeeded();
    let expected = fs::read(&output).unwrap();
    for tensor in ["", ":x"] {
        fs::remove_file(&output).unwrap();
        run_with(fs::read(&file).unwrap(), tensor).succeeded();
        assert_eq!(fs::read(&output).unwrap(), expected, "{tensor:?}");
    }
    let ran = run_with(Vec::new(), "");
    assert!(ran.error().contains("it is empty; a pipe can be read only once"), "{ran:?}");
    let ran = run_with(vec![0xff; 64], "");
    assert!(ran.error().contains("longer than the file or the format allows"), "{ran:?}");
}

#[test]
fn results_that_cannot_be_written_fail() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.safetensors");
    write(&path, &[("x", Dtype::F32, &[1, 1, 1, 4])]);
    for output in [folder.path().join("no/out"), folder.path().to_owned()] {
        let ran = run("rope_f32", &[format!("x={}", path.display())], &[], &output);
        assert!(ran.error().starts_with(&format!("cannot write {}: ", output.display())), "{ran:?}");
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}

#[test]
fn nothing_runs_from_a_pack_that_is_not_trusted() {
    let folder = copy();
    let line = |key: &str| format!("run pack swiglu_f32 --trust {key} --output out");
    assert!(run_in(folder.path(), &line("other.pub")).error().contains("no trusted key signed"));
    flip(&folder.path().join("pack/swiglu/swiglu_f32.wasm"));
    assert!(run_in(folder.path(), &line("release.pub")).error().contains("the manifest says sha256:"));
    assert!(!folder.path().join("out").exists());
}
