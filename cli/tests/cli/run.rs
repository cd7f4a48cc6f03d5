//! `run`: compares results with references in double precision, and tests the sources of tensors.

use std::{fs, path::Path};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::fixture::{Ran, built, golden, program};

/// Runs a kernel of the built pack.
pub(crate) fn run(kernel: &str, inputs: &[String], params: &[String], output: &Path) -> Ran {
    let mut command = program();
    command.args(["run", "pack", kernel, "--trust", "release.pub", "--output"]).arg(output).current_dir(built());
    for input in inputs {
        command.args(["--input", input]);
    }
    for param in params {
        command.args(["--param", param]);
    }
    command.output().unwrap().into()
}

fn f32s(bytes: &[u8]) -> Vec<f64> {
    bytes.as_chunks().0.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes))).collect()
}

/// Returns the largest error, relative to the value or to the root mean square of all, whichever is greater.
fn error(actual: &TensorView<'_>, expected: &TensorView<'_>) -> f64 {
    assert_eq!((actual.dtype(), expected.dtype()), (Dtype::F32, Dtype::F64));
    assert_eq!(actual.shape(), expected.shape());
    let expected: Vec<_> = expected.data().as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
    let rms = (expected.iter().map(|y| y * y).sum::<f64>() / expected.len() as f64).sqrt();
    let relative = |(actual, expected): (f64, &f64)| (actual - expected).abs() / expected.abs().max(rms);
    f32s(actual.data()).into_iter().zip(&expected).map(relative).fold(0.0, f64::max)
}

/// Runs a kernel on each of its golden files.
fn check(kernel: &str, inputs: &[&str], bound: f64) {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.safetensors");
    for path in golden(kernel) {
        let bytes = fs::read(&path).unwrap();
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let mut params = Vec::new();
        for (key, value) in header.metadata().iter().flatten() {
            match key.as_str() {
                "kernel" => assert_eq!(value, kernel),
                "layout" => params.push(format!("interleaved={}", value == "interleaved")),
                key => params.push(format!("{key}={value}")),
            }
        }
        let given: Vec<_> = inputs.iter().map(|input| format!("{input}={}", path.display())).collect();
        let ran = run(kernel, &given, &params, &output).succeeded();
        assert!(ran.stdout.is_empty() && ran.stderr.contains(kernel), "{ran:?}");

        let results = fs::read(&output).unwrap();
        let results = SafeTensors::deserialize(&results).unwrap();
        assert_eq!(results.names(), ["y"]);
        let expected = SafeTensors::deserialize(&bytes).unwrap().tensor("y").unwrap();
        let error = error(&results.tensor("y").unwrap(), &expected);
        assert!(error <= bound, "{}: {error:e}", path.display());
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}

#[test]
fn rmsnorm_agrees_with_the_reference() {
    check("rmsnorm_f32", &["x", "weight"], 2e-6);
}

#[test]
fn swiglu_agrees_with_the_reference() {
    check("swiglu_f32", &["gate", "up"], 2e-6);
}

#[test]
fn rope_agrees_with_the_reference() {
    check("rope_f32", &["x", "freqs"], 4e-6);
    // Without a table of angles, the kernel computes them.
    check("rope_f32", &["x"], 4e-6);
}

/// Writes a file of `f32` tensors, all ones.
pub(crate) fn write(path: &Path, tensors: &[(&str, Dtype, &[usize])]) {
    let bytes: Vec<_> = tensors
        .iter()
        .map(|(_, dtype, shape)| {
            let ones = 1f32.to_le_bytes().into_iter().cycle();
            ones.take(shape.iter().product::<usize>() * dtype.bitsize() / 8).collect::<Vec<u8>>()
        })
        .collect();
    let views = tensors
        .iter()
        .zip(&bytes)
        .map(|((name, dtype, shape), bytes)| (name, TensorView::new(*dtype, shape.to_vec(), bytes).unwrap()));
    fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

#[test]
fn tensors_are_found_by_name_by_input_or_alone() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.safetensors");
    let path = |name: &str| folder.path().join(name);
    let (many, one, colon) = (path("many.safetensors"), path("one.safetensors"), path("a:b.safetensors"));
    write(&many, &[("gate", Dtype::F32, &[2, 3]), ("layer.0:up", Dtype::F32, &[2, 3])]);
    for only in [&one, &colon] {
        write(only, &[("whatever", Dtype::F32, &[2, 3])]);
    }
    let [many, one, colon] = [many, one, colon].map(|path| path.display().to_string());
    for up in [
        format!("up={many}:gate"),
        format!("up={many}:layer.0:up"),
        format!("up={one}"),
        format!("up={one}:whatever"),
        format!("up={colon}"),
        format!("up={colon}:whatever"),
    ] {
        run("swiglu_f32", &[format!("gate={many}"), up], &[], &output).succeeded();
        let bytes = fs::read(&output).unwrap();
        let y = SafeTensors::deserialize(&bytes).unwrap().tensor("y").unwrap();
        assert_eq!(y.shape(), [2, 3]);
        assert!(f32s(y.data()).iter().all(|y| (y - 1.0 / (1.0 + (-1f64).exp())).abs() < 1e-6));
    }
}
