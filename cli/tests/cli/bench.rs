//! `bench`: its output and the files that it writes. No test here depends on speed.

use std::{fs, path::Path};

use serde_json::Value;
use tempfile::TempDir;

use crate::fixture::{built, copy, program, run_in};

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn number(line: &Value, field: &str) -> f64 {
    let number = line[field].as_f64().unwrap_or_else(|| panic!("{field}: {line}"));
    assert!(number.is_finite() && number > 0.0, "{field}: {line}");
    number
}

fn kernels(pack: &Path) -> Vec<String> {
    let manifest: Value = serde_json::from_slice(&fs::read(pack.join("kernels.json")).unwrap()).unwrap();
    let kernels = manifest["kernels"].as_array().unwrap();
    kernels.iter().map(|kernel| kernel["id"].as_str().unwrap().to_owned()).collect()
}

/// Returns a pack whose signature was removed.
fn unsigned() -> TempDir {
    let folder = copy();
    fs::remove_file(folder.path().join("pack/kernels.json.sig")).unwrap();
    folder
}

#[test]
fn every_kernel_and_shape_has_a_line_of_figures() {
    let ran = run_in(built(), "bench pack --trust release.pub --quick --json").succeeded();
    assert_eq!(ran.stderr, "");
    let lines = lines(&ran.stdout);
    let kernels = kernels(&built().join("pack"));
    assert_eq!(lines.len(), 3 * kernels.len());
    for kernel in &kernels {
        let shapes: Vec<_> =
            lines.iter().filter(|line| line["kernel"] == **kernel).map(|line| &line["shape"]).collect();
        let expected = match &**kernel {
            lora if lora.starts_with("lora") => ["1x16x16", "1x4096x4096", "64x4096x4096"],
            // The smallest shape is one block.
            blocks if blocks.contains("_q") => ["1x32", "1x4096", "64x4096"],
            _ => ["1x16", "1x4096", "64x4096"],
        };
        assert_eq!(shapes, expected, "{kernel}");
    }
    for line in &lines {
        assert_eq!(line["engine"], "wasmtime");
        let ns = |field: &str| number(line, &format!("{field}_ns"));
        let [raw, typed, bound] = ["raw_call", "typed_call", "bound_call"].map(ns);
        let [unstopped, native] = ["bound_no_deadline", "native"].map(ns);
        for (ratio, expected) in [
            ("typed_to_raw", typed / raw),
            ("bound_to_raw", bound / raw),
            ("typed_to_native", typed / native),
            ("bound_to_native", bound / native),
            ("deadline_cost", bound / unstopped),
        ] {
            assert!((number(line, ratio) / expected - 1.0).abs() < 1e-9, "{ratio}: {line}");
        }
        number(line, "gb_per_s");
        number(line, "gflop_per_s");
        for absent in ["named_call_ns", "prepared_ns", "copy_gb_per_s", "copy_share"] {
            assert_eq!(line[absent], Value::Null, "{absent}: {line}");
        }
    }
    let elements = |kernel: &str, shape: &str| {
        let line = lines.iter().find(|line| line["kernel"] == kernel && line["shape"] == shape).unwrap();
        line["elements"].as_u64().unwrap()
    };
    assert_eq!(elements("rmsnorm_f32", "1x16"), 16);
    assert_eq!(elements("kv_unpack_q4", "64x4096"), 64 * 4096);
    assert_eq!(elements("lora_apply_f16", "64x4096x4096"), 64 * 4096);
}

#[test]
fn tensors_larger_than_caches_are_compared_with_a_plain_copy() {
    let line = "bench pack rmsnorm_f32 --trust release.pub --quick --json --shape 4096x4096";
    let line = &lines(&run_in(built(), line).succeeded().stdout)[0];
    let bytes = 4.0 * (2.0 * 4096.0 * 4096.0 + 4096.0);
    let gb_per_s = bytes / number(line, "bound_call_ns");
    assert!((number(line, "gb_per_s") / gb_per_s - 1.0).abs() < 1e-9, "{line}");
    let share = gb_per_s / number(line, "copy_gb_per_s");
    assert!((number(line, "copy_share") / share - 1.0).abs() < 1e-9, "{line}");
}

#[test]
fn one_kernel_has_a_table_at_the_shapes_asked_for() {
    let line = "bench pack rope_f32 --trust release.pub --quick --shape 3x256 --shape 2x3x1x6";
    let table = run_in(built(), line).succeeded().stdout;
    let rows: Vec<Vec<_>> =
        table.lines().map(|line| line.split("  ").filter(|cell| !cell.is_empty()).collect()).collect();
    assert_eq!(rows.len(), 3, "{table}");
    assert_eq!((rows[0][0], rows[0][1]), ("kernel", "shape"));
    assert_eq!((rows[1][0], rows[1][1], rows[2][1]), ("rope_f32", "3x256", "2x3x1x6"));
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{table}");
    assert!(table.lines().all(|line| line.len() <= 100), "{table}");
}

#[test]
fn kernels_and_shapes_that_there_are_not_are_named() {
    let said = |line: &str| run_in(built(), line).error().to_owned();
    assert!(said("bench pack rope_f64 --trust release.pub --quick").contains("no kernel \"rope_f64\"; it has "));
    assert!(said("bench pack rope_f32 --trust other.pub --quick").contains("no trusted key signed"));
    let said = |shape: &str| said(&format!("bench pack rope_f32 --trust release.pub --quick --shape {shape}"));
    assert_eq!(said("7"), "kernel \"rope_f32\" takes the shape seqxwidth or batchxseqxheadsxdim, not 7");
    assert!(said("2x7").contains("rope_f32"));
}

#[test]
fn measurements_go_into_an_unsigned_pack_that_can_be_signed_then() {
    let folder = unsigned();
    let pack = folder.path().join("pack");
    let refused = run_in(folder.path(), "bench pack --trust release.pub --quick");
    assert!(refused.error().contains("the pack is not signed: it has no kernels.json.sig; sign it"), "{refused:?}");

    let written = run_in(folder.path(), "bench pack rmsnorm_f32 --write --quick --json").succeeded();
    assert!(written.stderr.contains("nobody has signed pack"), "{written:?}");
    assert_eq!(lines(&written.stdout).len(), 3);
    assert!(!pack.join("kernels.json.sig").exists());
    let manifest: Value = serde_json::from_slice(&fs::read(pack.join("kernels.json")).unwrap()).unwrap();
    for kernel in manifest["kernels"].as_array().unwrap() {
        let benchmarks = kernel["benchmarks"].as_object().unwrap();
        let names: Vec<_> = benchmarks.keys().collect();
        if kernel["id"] == "rmsnorm_f32" {
            assert_eq!(names, ["rows_1_dim_16", "rows_1_dim_4096", "rows_64_dim_4096"]);
            number(&benchmarks["rows_64_dim_4096"], "latency_us");
            number(&benchmarks["rows_64_dim_4096"], "throughput_gflops");
        } else {
            assert!(names.is_empty(), "{names:?}");
        }
    }

    run_in(folder.path(), "sign pack --key release.key").succeeded();
    run_in(folder.path(), "verify pack --trust release.pub").succeeded();
    let signed = fs::read(pack.join("kernels.json")).unwrap();
    let refused = run_in(folder.path(), "bench pack --write --quick");
    assert!(refused.error().contains("sign after writing benchmarks"), "{refused:?}");
    assert_eq!(fs::read(pack.join("kernels.json")).unwrap(), signed);
}

#[test]
fn an_unsigned_pack_whose_modules_were_changed_is_not_run() {
    let folder = unsigned();
    crate::fixture::flip(&folder.path().join("pack/rmsnorm/rmsnorm_f32.wasm"));
    let refused = run_in(folder.path(), "bench pack --write --quick");
    assert!(refused.error().contains("pack/rmsnorm/rmsnorm_f32.wasm has the digest"), "{refused:?}");
}

#[test]
fn a_pack_that_nobody_vouches_for_is_compiled_within_limits() {
    let limited = |mib: u32| format!("compile-within pack release.pub cache --seconds 60 --mib {mib}");
    let folder = copy();
    run_in(folder.path(), &limited(1024)).succeeded();
    let compiled = fs::read_dir(folder.path().join("cache")).unwrap().count();
    assert!(compiled > 0);
    fs::remove_dir_all(folder.path().join("cache")).unwrap();
    let output = program().args(limited(1).split(' ')).current_dir(folder.path()).output().unwrap();
    assert!(!output.status.success(), "{output:?}");
}
