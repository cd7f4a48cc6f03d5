//! `rope_q8` equals its three steps: dequantize, rotate in f32, quantize.

use kernelpack_abi::{BlockQ8_0, TensorBuf};
use kernelpack_guest::f16;
use kernelpack_kernels::{rope_f32, rope_q8};
use proptest::{option, prelude::*, sample::select};

use crate::{
    ggml,
    sandbox::run,
    values::{even, property, tensor, wild},
};

/// Replaces scales that are not finite by zero: C does not define how an infinity is quantized.
fn finite(blocks: &TensorBuf<BlockQ8_0>) -> TensorBuf<BlockQ8_0> {
    let mut finite = blocks.clone();
    for block in finite.data_mut() {
        block.d = if block.d.is_finite() { block.d } else { f16::ZERO };
    }
    finite
}

#[test]
fn the_three_steps_make_the_kernel() {
    let dims = (1..3usize, 0..4usize, 1..3usize, 1..4usize);
    let inputs = dims.prop_flat_map(|(batch, seq, heads, blocks)| {
        let freqs = option::of(even(&[seq, blocks * 16], &[1.0, 1000.0]));
        let scalars = (select(&[10_000f32, 100.0][..]), select(&[0u32, 9, 4000][..]), any::<bool>());
        (wild(&[batch, seq, heads, blocks]).prop_map(|x| finite(&x)), freqs, scalars)
    });
    property(64, inputs, |(x, freqs, (theta, position_offset, interleaved))| {
        let freqs = freqs.as_ref().map(TensorBuf::view);
        let y = run::<rope_q8::Kernel>(rope_q8::Inputs { x: x.view(), freqs, theta, position_offset, interleaved }).y;

        let mut dims: Vec<usize> = x.shape().dims().iter().map(|&dim| dim as usize).collect();
        dims[3] *= 32;
        let values: Vec<f32> = x.data().iter().flat_map(ggml::dequantize_q8).collect();
        let wide = tensor(&dims, &values);
        let inputs = rope_f32::Inputs { x: wide.view(), freqs, theta, position_offset, interleaved };
        let rotated = run::<rope_f32::Kernel>(inputs).y;
        let expected: Vec<BlockQ8_0> = rotated.data().as_chunks::<32>().0.iter().map(ggml::quantize_q8).collect();
        assert_eq!(y.shape(), x.shape());
        for (y, expected) in y.data().iter().zip(&expected) {
            assert_eq!((y.d.to_bits(), y.qs), (expected.d.to_bits(), expected.qs));
        }
    });
}

#[test]
fn no_angle_changes_no_value() {
    property(16, wild(&[1, 2, 2, 3]).prop_map(|x| finite(&x)), |x| {
        let freqs = TensorBuf::zeros(&[2, 48]).unwrap();
        let inputs = rope_q8::Inputs { freqs: Some(freqs.view()), ..rope_q8::Inputs::new(x.view()) };
        let y = run::<rope_q8::Kernel>(inputs).y;
        for (x, y) in x.data().iter().zip(y.data()) {
            // The scale is chosen again, unless 127 or -127 is among the values.
            let step = x.qs.iter().map(|q| f32::from(*q).abs()).fold(0.0, f32::max) / 127.0 * x.d.to_f32().abs();
            if step > 65504.0 {
                continue; // The scale for −128 is out of the range of f16.
            }
            for (x, y) in ggml::dequantize_q8(x).into_iter().zip(ggml::dequantize_q8(y)) {
                assert!((x - y).abs() <= step * (0.5 + 127.0 / 2048.0) + 127.0 * 6e-8, "{y} is not {x}");
            }
        }
    });
}
