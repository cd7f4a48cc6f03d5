//! Compares with candle's operators on the same tensors.
//!
//! Candle computes in f32 and sums in its own order, so both sides have errors; 1e-5 covers both.

use candle_core::{
    D, Device, Result, Tensor,
    quantized::{GgmlDType, QStorage, QTensor},
};
use kernelpack_abi::TensorBuf;
use kernelpack_kernels::{
    kv_pack_q4, kv_pack_q8, kv_unpack_q4, kv_unpack_q8, rmsnorm_f32, rope_f32, rope_f32_backward, swiglu_f32,
};
use proptest::prelude::*;
use zerocopy::IntoBytes;

use crate::{
    compare::{close, wide},
    sandbox::{run, run_backward},
    values::{even, heads, matrix, property, wild},
};

const CASES: u32 = 32;
const BOUND: f64 = 1e-5;

fn theirs(tensor: &TensorBuf<f32>) -> Tensor {
    let dims: Vec<usize> = tensor.shape().dims().iter().map(|&dim| dim as usize).collect();
    Tensor::from_slice(tensor.data(), dims, &Device::Cpu).unwrap()
}

/// Returns the elements, row-major.
fn elements(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// Returns whether a tensor is empty: candle refuses empty extents or divides by them, and other tests cover our
/// kernels.
fn is_empty(tensor: &TensorBuf<f32>) -> bool {
    tensor.data().is_empty()
}

#[test]
fn rmsnorm() {
    let inputs = matrix().prop_flat_map(|dims| (even(&dims, &[1e-3, 1.0, 1e4]), even(&dims[1..], &[1.0])));
    property(CASES, inputs, |(x, weight)| {
        if is_empty(&x) {
            return;
        }
        let reference = candle_nn::ops::rms_norm(&theirs(&x), &theirs(&weight), 1e-5).unwrap();
        let y = run::<rmsnorm_f32::Kernel>(rmsnorm_f32::Inputs::new(x.view(), weight.view())).y;
        close(y.data(), &wide(&elements(&reference)), BOUND);
    });
}

#[test]
fn silu_times_up() {
    let inputs = matrix().prop_flat_map(|dims| [even(&dims, &[1.0, 10.0, 80.0]), even(&dims, &[1.0, 100.0])]);
    property(CASES, inputs, |[gate, up]| {
        if is_empty(&gate) {
            return;
        }
        let y = run::<swiglu_f32::Kernel>(swiglu_f32::Inputs::new(gate.view(), up.view())).y;
        let reference = (candle_nn::ops::silu(&theirs(&gate)).unwrap() * theirs(&up)).unwrap();
        close(y.data(), &wide(&elements(&reference)), BOUND);
        // Candle's fused operator takes both halves as one tensor.
        let joined = Tensor::cat(&[theirs(&gate), theirs(&up)], D::Minus1).unwrap();
        close(y.data(), &wide(&elements(&candle_nn::ops::swiglu(&joined).unwrap())), BOUND);
    });
}

/// Rotates with candle, whose axes are \[batch, heads, seq, dim\] where ours are \[batch, seq, heads, dim\].
fn rotate(x: &TensorBuf<f32>, angles: &Tensor, direction: f64, interleaved: bool) -> Result<Vec<f32>> {
    let x = theirs(x).transpose(1, 2)?.contiguous()?;
    let (cos, sin) = (angles.cos()?, (angles.sin()? * direction)?);
    let rotate = if interleaved { candle_nn::rotary_emb::rope_i } else { candle_nn::rotary_emb::rope };
    Ok(elements(&rotate(&x, &cos, &sin)?.transpose(1, 2)?.contiguous()?))
}

#[test]
fn rope() {
    let inputs = heads().prop_flat_map(|[batch, seq, heads, pairs]| {
        let angles = even(&[seq, pairs], &[1.0, 500.0]);
        (even(&[batch, seq, heads, 2 * pairs], &[1.0, 1e3]), angles, any::<bool>())
    });
    property(CASES, inputs, |(x, angles, interleaved)| {
        if is_empty(&x) {
            return;
        }
        let freqs = Some(angles.view());
        let y = run::<rope_f32::Kernel>(rope_f32::Inputs { freqs, interleaved, ..rope_f32::Inputs::new(x.view()) }).y;
        let reference = rotate(&x, &theirs(&angles), 1.0, interleaved).unwrap();
        close(y.data(), &wide(&reference), BOUND);

        let inputs = rope_f32_backward::Inputs { freqs, interleaved, ..rope_f32_backward::Inputs::new(x.view()) };
        let dx = run_backward::<rope_f32::Kernel>(inputs).dx;
        close(dx.data(), &wide(&rotate(&x, &theirs(&angles), -1.0, interleaved).unwrap()), BOUND);
    });
}

#[test]
fn rope_without_angles() {
    // Like the tables of candle's transformers, at positions where f32 is accurate enough for the angle.
    let (seq, pairs) = (7, 16);
    let frequencies: Vec<f32> = (0..pairs).map(|i| 1.0 / 10_000f32.powf(2.0 * i as f32 / (2 * pairs) as f32)).collect();
    let frequencies = Tensor::new(frequencies, &Device::Cpu).unwrap().reshape((1, pairs)).unwrap();
    let positions = Tensor::arange(3f32, 3.0 + seq as f32, &Device::Cpu).unwrap().reshape((seq, 1)).unwrap();
    let angles = positions.matmul(&frequencies).unwrap();
    property(8, (even(&[2, seq, 3, 2 * pairs], &[1.0]), any::<bool>()), |(x, interleaved)| {
        let inputs = rope_f32::Inputs { position_offset: 3, interleaved, ..rope_f32::Inputs::new(x.view()) };
        let y = run::<rope_f32::Kernel>(inputs).y;
        close(y.data(), &wide(&rotate(&x, &angles, 1.0, interleaved).unwrap()), BOUND);
    });
}

/// Quantizes with candle, whose quantizers match ggml's reference to the byte on finite values: the same order of
/// operations in f32, the first of equal magnitudes, ties away from zero (Q8_0), 8.5 added before truncation (Q4_0).
/// They differ only where C has undefined behaviour: casts saturate, and a NaN counts as 0.
fn quantize(x: &TensorBuf<f32>, dtype: GgmlDType) -> Vec<u8> {
    QTensor::quantize(&theirs(x), dtype).unwrap().data().unwrap().into_owned()
}

/// Returns the values of blocks.
fn dequantize(blocks: &[u8], dtype: GgmlDType, dims: (usize, usize)) -> Vec<f32> {
    let storage = QStorage::from_data(blocks.into(), &Device::Cpu, dtype).unwrap();
    elements(&QTensor::new(storage, dims).unwrap().dequantize(&Device::Cpu).unwrap())
}

#[test]
fn packing() {
    let scales = &[1e-6, 1.0, 127.0, 1e5, 3e38];
    let inputs = (1..4usize, 1..5usize).prop_flat_map(|(rows, blocks)| even(&[rows, blocks * 32], scales));
    property(CASES, inputs, |x| {
        let y = run::<kv_pack_q8::Kernel>(kv_pack_q8::Inputs::new(x.view())).y;
        assert_eq!(y.data().as_bytes(), quantize(&x, GgmlDType::Q8_0));
        let y = run::<kv_pack_q4::Kernel>(kv_pack_q4::Inputs::new(x.view())).y;
        assert_eq!(y.data().as_bytes(), quantize(&x, GgmlDType::Q4_0));
    });
}

#[test]
fn unpacking() {
    fn bits(values: &[f32]) -> Vec<u32> {
        values.iter().map(|x| if x.is_nan() { f32::NAN.to_bits() } else { x.to_bits() }).collect()
    }
    let blocks = (1..4usize, 1..5usize).prop_flat_map(|(rows, blocks)| (wild(&[rows, blocks]), wild(&[rows, blocks])));
    property(CASES, blocks, |(q8, q4)| {
        let dims = |shape: kernelpack_abi::Shape| (shape.dims()[0] as usize, shape.dims()[1] as usize * 32);
        let y = run::<kv_unpack_q8::Kernel>(kv_unpack_q8::Inputs::new(q8.view())).y;
        let reference = dequantize(q8.data().as_bytes(), GgmlDType::Q8_0, dims(q8.shape()));
        assert_eq!(bits(y.data()), bits(&reference));
        let y = run::<kv_unpack_q4::Kernel>(kv_unpack_q4::Inputs::new(q4.view())).y;
        let reference = dequantize(q4.data().as_bytes(), GgmlDType::Q4_0, dims(q4.shape()));
        assert_eq!(bits(y.data()), bits(&reference));
    });
}
