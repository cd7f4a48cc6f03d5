//! Compares all thirteen kernels of the specification with the golden files, through the sandbox.

use kernelpack_abi::{BlockQ8_0, DType, ParamValue};
use kernelpack_guest::f16;
use kernelpack_host::{
    Pack,
    tensor::{DynTensor, DynView},
};
use kernelpack_tests::{apply, engine::Engine, golden::Golden, on_each_engine, pack};

const ALL: [&str; 13] = [
    "kv_pack_q4",
    "kv_pack_q8",
    "kv_unpack_q4",
    "kv_unpack_q8",
    "lora_apply_f16",
    "lora_apply_f32",
    "rmsnorm_f16",
    "rmsnorm_f32",
    "rope_f16",
    "rope_f32",
    "rope_q8",
    "swiglu_f16",
    "swiglu_f32",
];

#[apply(on_each_engine)]
fn the_pack_holds_the_thirteen_kernels_in_the_layout_of_the_specification(engine: Engine) {
    let pack = engine.core_pack();
    assert_eq!(pack.kernel_ids().collect::<Vec<_>>(), ALL);
    for kernel in &pack.manifest().kernels {
        let family = kernel.id.split('_').next().unwrap();
        assert_eq!(kernel.path, format!("{family}/{}.wasm", kernel.id));
    }
    let fallbacks = &pack.manifest().fallbacks;
    assert_eq!(fallbacks["rope_f32"], "rope_reference");
    assert_eq!(fallbacks["rmsnorm_f32"], "rmsnorm_reference");
    assert_eq!(fallbacks.len(), 13);
}

/// Runs a kernel on the tensors of a golden file, which `inputs` maps to the kernel's inputs.
///
/// All engines give the same bits.
fn run(kernel: &str, golden: &Golden, inputs: &[(&str, &str)], params: &[(&str, ParamValue)]) -> DynTensor {
    let mut first: Option<DynTensor> = None;
    for (engine, pack) in pack::engines() {
        let result = run_in(pack, kernel, golden, inputs, params);
        let first = first.get_or_insert_with(|| result.clone());
        assert!(*first == result, "{kernel} in {engine} on {}", golden.name);
    }
    first.unwrap()
}

fn run_in(
    pack: &Pack,
    kernel: &str,
    golden: &Golden,
    inputs: &[(&str, &str)],
    params: &[(&str, ParamValue)],
) -> DynTensor {
    let kernel = pack.kernel_named(kernel).unwrap();
    let tensors: Vec<(&str, DynTensor)> = inputs
        .iter()
        .map(|(input, tensor)| {
            let spec = kernel.signature().tensors.iter().find(|spec| spec.name == *input).unwrap();
            (*input, golden.dynamic(tensor, spec.dtype))
        })
        .collect();
    let views: Vec<(&str, DynView<'_>)> = tensors
        .iter()
        .map(|(name, tensor)| (*name, DynView { dtype: tensor.dtype, shape: tensor.shape, bytes: &tensor.bytes }))
        .collect();
    kernel.run(&views, params).unwrap().remove(0)
}

fn values(y: &DynTensor) -> Vec<f64> {
    match y.dtype {
        DType::F32 => y.bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes).into()).collect(),
        DType::F16 => y.bytes.as_chunks::<2>().0.iter().map(|bytes| f16::from_le_bytes(*bytes).into()).collect(),
        other => panic!("{other} has no values of its own"),
    }
}

fn rms(reference: &[f64]) -> f64 {
    (reference.iter().map(|r| r * r).sum::<f64>() / reference.len() as f64).sqrt()
}

/// Returns one unit in the last place of an f16 at this value.
fn ulp(value: f64) -> f64 {
    let exponent = value.abs().max(2f64.powi(-14)).log2().floor() as i32;
    2f64.powi(exponent - 10)
}

/// Checks a result within the required bounds: relative to max(|ref|, rms) for f32; for f16 one ulp more than `bound` ·
/// rms.
fn check(golden: &Golden, y: &DynTensor, bound: f64) {
    let (y, reference) = (values(y), golden.f64("y"));
    let f16 = golden.name.contains("_f16");
    assert_eq!(y.len(), reference.len());
    for (i, (y, r)) in y.iter().zip(&reference).enumerate() {
        let allowed = match f16 {
            true => ulp(*r) + bound * rms(&reference),
            false => bound * r.abs().max(rms(&reference)),
        };
        assert!((y - r).abs() <= allowed, "{} [{i}]: {y} is not {r}", golden.name);
    }
}

fn rope_params(golden: &Golden) -> [(&'static str, ParamValue); 3] {
    [
        ("theta", ParamValue::F32(golden.param("theta"))),
        ("position_offset", ParamValue::U32(golden.param("position_offset"))),
        ("interleaved", ParamValue::Bool(golden.param::<String>("layout") == "interleaved")),
    ]
}

#[test]
fn normalization_activation_and_rotation_are_within_their_bounds() {
    for kernel in ["rmsnorm_f32", "rmsnorm_f16"] {
        for golden in Golden::of(kernel) {
            let params = [("eps", ParamValue::F32(golden.param("eps")))];
            let y = run(kernel, &golden, &[("x", "x"), ("weight", "weight")], &params);
            check(&golden, &y, if kernel == "rmsnorm_f32" { 2e-6 } else { 1e-6 });
        }
    }
    for kernel in ["swiglu_f32", "swiglu_f16"] {
        for golden in Golden::of(kernel) {
            let y = run(kernel, &golden, &[("gate", "gate"), ("up", "up")], &[]);
            check(&golden, &y, if kernel == "swiglu_f32" { 2e-6 } else { 1e-6 });
        }
    }
    for kernel in ["rope_f32", "rope_f16"] {
        for golden in Golden::of(kernel) {
            for inputs in [&[("x", "x"), ("freqs", "freqs")][..], &[("x", "x")]] {
                let y = run(kernel, &golden, inputs, &rope_params(&golden));
                check(&golden, &y, if kernel == "rope_f32" { 4e-6 } else { 1e-6 });
            }
        }
    }
}

#[test]
fn lora_is_within_its_bounds() {
    for kernel in ["lora_apply_f32", "lora_apply_f16"] {
        for golden in Golden::of(kernel) {
            let inputs = [("x", "x"), ("a", "a"), ("b", "b"), ("y", "base")];
            let y = run(kernel, &golden, &inputs, &[("scale", ParamValue::F32(golden.param("scale")))]);
            check(&golden, &y, if kernel == "lora_apply_f32" { 1e-5 } else { 2e-5 });
        }
    }
}

#[test]
fn quantization_is_that_of_ggml_to_the_bit() {
    for (pack, unpack) in [("kv_pack_q8", "kv_unpack_q8"), ("kv_pack_q4", "kv_unpack_q4")] {
        for golden in Golden::of(pack) {
            let packed = run(pack, &golden, &[("x", "x")], &[]);
            assert_eq!(packed.bytes, golden.dynamic("packed", packed.dtype).bytes, "{}", golden.name);
            let unpacked = run(unpack, &golden, &[("x", "packed")], &[]);
            let expected = golden.dynamic("unpacked", DType::F32);
            assert_eq!((unpacked.shape, &unpacked.bytes), (expected.shape, &expected.bytes), "{}", golden.name);
        }
    }
}

#[test]
fn rotated_blocks_are_within_half_a_step() {
    for golden in Golden::of("rope_q8") {
        for inputs in [&[("x", "x"), ("freqs", "freqs")][..], &[("x", "x")]] {
            let y = run("rope_q8", &golden, inputs, &rope_params(&golden));
            let reference = golden.f64("y");
            let blocks: Vec<BlockQ8_0> = y
                .bytes
                .as_chunks::<34>()
                .0
                .iter()
                .map(|bytes| BlockQ8_0 {
                    d: f16::from_le_bytes([bytes[0], bytes[1]]),
                    qs: std::array::from_fn(|i| bytes[2 + i] as i8),
                })
                .collect();
            assert_eq!(blocks.len() * 32, reference.len());
            for (block, reference) in blocks.iter().zip(reference.chunks(32)) {
                let d = f64::from(block.d);
                for (q, r) in block.qs.iter().zip(reference) {
                    // Allows half a rounding step, plus the error from rounding the scale itself at 127 steps.
                    let allowed = d * (0.5 + 127.0 / 2048.0) + 1e-6;
                    assert!(
                        (d * f64::from(*q) - r).abs() <= allowed,
                        "{}: {} is not {r}",
                        golden.name,
                        d * f64::from(*q)
                    );
                }
            }
        }
    }
}

#[apply(on_each_engine)]
fn a_dim_that_is_no_multiple_of_the_block_is_named(engine: Engine) {
    for kernel in ["kv_pack_q8", "kv_pack_q4"] {
        let kernel = engine.core_pack().kernel_named(kernel).unwrap();
        let x = kernelpack_abi::TensorBuf::<f32>::zeros(&[2, 33]).unwrap();
        let refused = kernel.run(&[("x", (&x).into())], &[]).unwrap_err();
        assert_eq!(refused.to_string(), "bad call: output \"y\" needs dim to be a multiple of 32, not 33");
    }
}

#[test]
fn each_kernel_says_over_which_symbols_its_calls_may_be_split() {
    for kernel in pack::Copy::of(pack::core()).manifest().kernels {
        // RoPE counts positions along its sequence axis, so only its batch can be divided.
        let symbol = if kernel.id.starts_with("rope") { "batch" } else { "rows" };
        assert_eq!(kernel.split, [symbol], "{}", kernel.id);
    }
}
