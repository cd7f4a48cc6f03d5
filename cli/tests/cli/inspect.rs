//! `inspect`: a pack's description of itself, and the checks without a key.

use std::fs;

use serde_json::{Value, json};

use crate::fixture::{built, copy, flip, run_in};

#[test]
fn the_fields_of_the_manifest_are_at_the_top() {
    let json = run_in(built(), "inspect pack --json").succeeded().json();
    let mut manifest: Value = serde_json::from_slice(&fs::read(built().join("pack/kernels.json")).unwrap()).unwrap();
    manifest["verified"] = json!({
        "signature": false, "signed_by_named_key": true,
        "files": true, "hashes": true, "modules": true, "vectors": true, "faults": [],
    });
    assert_eq!(json, manifest);
    for kernel in json["kernels"].as_array().unwrap() {
        assert!(kernel["id"].is_string());
        assert!(!kernel["inputs"].as_array().unwrap().is_empty());
        assert!(!kernel["outputs"].as_array().unwrap().is_empty());
    }
}

#[test]
fn kernels_read_like_functions() {
    let text = run_in(built(), "inspect pack").succeeded().stdout;
    for part in [
        "kernelpack-core-kernels ",
        "rope_f32: Rotary Position Embedding (FP32)\n",
        "    fn rope_f32(\n        #[shape(batch, seq, heads, dim)] x: &[f32],\n        \
         #[shape(seq, dim/2)] freqs: Option<&[f32]>,\n",
        "#[scratch(len = seq*dim)] table: &mut [f32],\n",
        "#[param(default = 1e-5)] eps: f32,\n",
        "#[param(default = false)] interleaved: bool,\n",
        "    limits    1 GiB of memory, 512 KiB of stack, 10s per call, ",
        " simd\n",
        "    engine    wamr 2.4.3 or newer with ",
        "    module    rope/rope_f32.wasm\n    hash      sha256:",
        "    module    rope/rope_f32.scalar.wasm for wamr\n    hash      sha256:",
        "    health    health/rope_f32-full.safetensors to the bit\n",
        "only `kernelpack verify` can tell",
    ] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
}

#[test]
fn problems_are_shown_rather_than_refused() {
    let folder = copy();
    let pack = folder.path().join("pack");
    flip(&pack.join("rmsnorm/rmsnorm_f32.wasm"));
    fs::write(pack.join("extra"), "").unwrap();
    let json = run_in(folder.path(), "inspect pack --json").succeeded().json();
    let verified = &json["verified"];
    assert_eq!(verified["signed_by_named_key"], true);
    assert_eq!((&verified["files"], &verified["hashes"]), (&json!(false), &json!(false)));
    let faults = verified["faults"].to_string();
    assert!(faults.contains("extra") && faults.contains("rmsnorm/rmsnorm_f32.wasm"), "{faults}");

    flip(&pack.join("swiglu/swiglu_f32.scalar.wasm"));
    let faults = run_in(folder.path(), "inspect pack --json").succeeded().json()["verified"]["faults"].to_string();
    assert!(faults.contains("swiglu/swiglu_f32.scalar.wasm"), "{faults}");

    fs::remove_file(pack.join("rope/rope_f32.wasm")).unwrap();
    fs::remove_file(pack.join("kernels.json.sig")).unwrap();
    let text = run_in(folder.path(), "inspect pack").succeeded().stdout;
    for part in [
        "signature   NOT of the key above",
        "files       NOT as",
        "hashes      NOT as",
        "modules     NOT as",
        "not signed",
        "no file \"rope/rope_f32.wasm\"",
    ] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
}

#[test]
fn a_broken_manifest_is_refused() {
    let folder = copy();
    let path = folder.path().join("pack/kernels.json");
    let text = fs::read_to_string(&path).unwrap();
    for broken in ["", "{}", &text.replacen("\"inputs\"", "\"imputs\"", 1), &text.replacen("\"f32\"", "\"f99\"", 1)] {
        fs::write(&path, broken).unwrap();
        let ran = run_in(folder.path(), "inspect pack --json");
        assert!(ran.error().contains("manifest"), "{ran:?}");
        assert_eq!(ran.stdout, "");
    }
}
