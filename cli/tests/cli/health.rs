//! `health`: running the vectors of a pack.

use std::{fs, path::Path};

use kernelpack_manifest::{Digest, Manifest};
use serde_json::json;

use crate::fixture::{built, copy, flip, run_in};

/// Changes what a vector of the pack in a folder expects, and signs the pack again.
fn expect_otherwise(folder: &Path, kernel: &str) {
    let path = folder.join("pack/kernels.json");
    let mut manifest = Manifest::parse(&fs::read(&path).unwrap()).unwrap();
    let entry = manifest.kernels.iter_mut().find(|entry| entry.id == kernel).unwrap();
    let vector = folder.join("pack").join(&entry.health[0].path);
    let mut bytes = fs::read(&vector).unwrap();
    // Expected results come last, since tensors are sorted by name.
    *bytes.last_mut().unwrap() ^= 0x80;
    entry.health[0].hash = Digest::of(&bytes);
    fs::write(vector, bytes).unwrap();
    fs::write(path, manifest.to_json()).unwrap();
    run_in(folder, "sign pack --key release.key").succeeded();
}

#[test]
fn the_core_kernels_are_healthy() {
    let text = run_in(built(), "health pack --trust release.pub").succeeded().stdout;
    assert!(text.contains("  ok  rmsnorm_f32      health/rmsnorm_f32.safetensors in "), "{text}");
    assert!(text.ends_with("healthy: 16 vectors\n"), "{text}");
    let json = run_in(built(), "health pack --trust release.pub --json").succeeded().json();
    assert_eq!((&json["healthy"], &json["unchecked"]), (&json!(true), &json!([])));
    assert_eq!(json["checked"].as_array().unwrap().len(), 16);
    assert_eq!(json["checked"][0]["vector"], "health/kv_pack_q4.safetensors");
}

#[test]
fn another_result_is_told_with_kernel_and_element() {
    let folder = copy();
    expect_otherwise(folder.path(), "swiglu_f32");
    run_in(folder.path(), "verify pack --trust release.pub").succeeded();
    let ran = run_in(folder.path(), "health pack --trust release.pub --json");
    let error = ran.error();
    assert!(error.contains("is unhealthy: kernel \"swiglu_f32\" fails its vector \"health/swiglu_f32.safe"), "{error}");
    assert!(error.contains(": element 321 of \"y\" is "), "{error}");
    let json = ran.json();
    assert_eq!((&json["healthy"], &json["kernel"]), (&json!(false), &json!("swiglu_f32")));
    assert_eq!(json["error"].as_str(), Some(error));
    assert_eq!(json["checked"].as_array().unwrap().len(), 15);

    // The other vectors are run, too, whichever fails first.
    expect_otherwise(folder.path(), "lora_apply_f32");
    let ran = run_in(folder.path(), "health pack --trust release.pub --json");
    let failed = ran.json()["failed"].clone();
    let kernels: Vec<_> = failed.as_array().unwrap().iter().map(|failed| failed["kernel"].as_str().unwrap()).collect();
    assert_eq!(kernels, ["lora_apply_f32", "swiglu_f32"]);
    for kernel in kernels {
        assert!(ran.error().contains(&format!("kernel \"{kernel}\" fails its vector ")), "{ran:?}");
    }
    let text = run_in(folder.path(), "health pack --trust release.pub").stdout;
    assert!(text.contains(" FAIL lora_apply_f32   health/lora_apply_f32.safetensors: element "), "{text}");
    assert!(text.contains("  ok  swiglu_f16 ") && text.ends_with("unhealthy: 2 of 16 vectors\n"), "{text}");
}

#[test]
fn a_pack_that_is_not_in_order_is_not_run() {
    let folder = copy();
    flip(&folder.path().join("pack/health/rmsnorm_f32.safetensors"));
    for command in ["health", "verify"] {
        let ran = run_in(folder.path(), &format!("{command} pack --trust release.pub"));
        let error = ran.error();
        assert!(
            error.contains("the health vector \"health/rmsnorm_f32.safetensors\" of kernel \"rmsnorm_f32\""),
            "{error}"
        );
    }
    let json = run_in(folder.path(), "health pack --trust other.pub --json").json();
    assert_eq!((&json["healthy"], &json["kernel"]), (&json!(false), &json!(null)));
    let verified = &run_in(folder.path(), "inspect pack --json").succeeded().json()["verified"];
    assert_eq!((&verified["vectors"], &verified["modules"]), (&json!(false), &json!(true)));
    fs::remove_file(folder.path().join("pack/kernels.json.sig")).unwrap();
    let error = run_in(folder.path(), "bench pack rmsnorm_f32 --write --quick").error().to_owned();
    assert!(error.contains("rmsnorm_f32.safetensors has the digest sha256:"), "{error}");
}

/// Runs the program with at most this many KiB of address space.
#[cfg(target_os = "linux")]
fn run_within(kilobytes: u32, folder: &Path, line: &str) -> crate::fixture::Ran {
    let program = crate::fixture::program();
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", &format!(r#"ulimit -v {kilobytes}; exec "$0" "$@""#)]).arg(program.get_program());
    limited.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited.args(line.split(' ')).current_dir(folder).output().unwrap().into()
}

/// Each instance reserves 4 GiB of address space, and there are thirteen kernels.
#[cfg(target_os = "linux")]
#[test]
fn little_address_space_is_enough_to_check_many_kernels() {
    let folder = copy();
    let ran = run_within(16_000_000, folder.path(), "health pack --trust release.pub").succeeded();
    assert!(ran.stdout.ends_with("healthy: 16 vectors\n"), "{}", ran.stdout);
    run_within(16_000_000, folder.path(), "store install store pack --trust release.pub").succeeded();
}

#[cfg(target_os = "linux")]
#[test]
fn where_address_space_is_out_nothing_is_said_of_the_pack() {
    let folder = copy();
    let ran = run_within(3_000_000, folder.path(), "health pack --trust release.pub --json");
    let error = ran.error();
    assert!(error.contains("cannot be checked here: kernel "), "{error}");
    assert!(error.contains("cannot reserve address space"), "{error}");
    assert!(!error.contains("unhealthy"), "{error}");
    assert!(ran.json().get("healthy").is_none(), "{}", ran.stdout);
    let error = run_within(3_000_000, folder.path(), "store install store pack --trust release.pub").error().to_owned();
    assert!(error.contains("cannot be checked here") && !error.contains("not healthy"), "{error}");
}
