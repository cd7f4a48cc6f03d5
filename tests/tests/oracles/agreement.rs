//! The sandbox and the native reference give the same bits for any input.
//!
//! The comparison itself is in [`crate::sandbox`].

use kernelpack_abi::TensorBuf;
use kernelpack_kernels::{
    kv_pack_q4, kv_pack_q8, kv_unpack_q4, kv_unpack_q8, lora_apply_f16, lora_apply_f32, lora_apply_f32_backward,
    rmsnorm_f16, rmsnorm_f32, rmsnorm_f32_backward, rope_f16, rope_f32, rope_f32_backward, rope_q8, swiglu_f16,
    swiglu_f32, swiglu_f32_backward,
};
use proptest::{num, option, prelude::*};

use crate::{
    sandbox::{run, run_backward},
    values::{Ranks, Wild, heads, matrix, property, ranks, wild},
};

const CASES: u32 = 24;

/// Generates scales that LoRA accepts; their absolute values are eps values that RMSNorm accepts.
fn finite() -> impl Strategy<Value = f32> {
    prop_oneof![
        Just(1e-5f32),
        0f32..2.0,
        num::f32::POSITIVE | num::f32::NEGATIVE | num::f32::NORMAL | num::f32::ZERO | num::f32::SUBNORMAL
    ]
}

fn eps() -> impl Strategy<Value = f32> {
    finite().prop_map(f32::abs)
}

#[test]
fn rmsnorm() {
    fn inputs<T: Wild>() -> impl Strategy<Value = (TensorBuf<T>, TensorBuf<T>, f32)> {
        matrix().prop_flat_map(|dims| (wild(&dims), wild(&dims[1..]), eps()))
    }
    property(CASES, inputs(), |(x, weight, eps)| {
        run::<rmsnorm_f32::Kernel>(rmsnorm_f32::Inputs { x: x.view(), weight: weight.view(), eps });
    });
    property(CASES, inputs(), |(x, weight, eps)| {
        run::<rmsnorm_f16::Kernel>(rmsnorm_f16::Inputs { x: x.view(), weight: weight.view(), eps });
    });
    let inputs = matrix().prop_flat_map(|dims| (wild(&dims), wild(&dims[1..]), wild(&dims), eps()));
    property(CASES, inputs, |(x, weight, dy, eps)| {
        let inputs = rmsnorm_f32_backward::Inputs { x: x.view(), weight: weight.view(), dy: dy.view(), eps };
        run_backward::<rmsnorm_f32::Kernel>(inputs);
    });
}

#[test]
fn swiglu() {
    fn inputs<T: Wild>() -> impl Strategy<Value = [TensorBuf<T>; 3]> {
        matrix().prop_flat_map(|dims| [wild(&dims), wild(&dims), wild(&dims)])
    }
    property(CASES, inputs(), |[gate, up, _]| {
        run::<swiglu_f32::Kernel>(swiglu_f32::Inputs::new(gate.view(), up.view()));
    });
    property(CASES, inputs(), |[gate, up, _]| {
        run::<swiglu_f16::Kernel>(swiglu_f16::Inputs::new(gate.view(), up.view()));
    });
    property(CASES, inputs(), |[gate, up, dy]| {
        let inputs = swiglu_f32_backward::Inputs::new(gate.view(), up.view(), dy.view());
        run_backward::<swiglu_f32::Kernel>(inputs);
    });
}

/// The scalars of a rotation.
#[derive(Clone, Copy, Debug)]
struct Scalars {
    theta: f32,
    position_offset: u32,
    interleaved: bool,
}

/// Generates a tensor to rotate, optionally with angles. `values` is the number of values in an element.
fn rotation<T: Wild>(values: usize) -> impl Strategy<Value = (TensorBuf<T>, Option<TensorBuf<f32>>, Scalars)> {
    // Other bases are refused, and so are smaller ones at the last positions.
    let positive = (num::f32::POSITIVE | num::f32::NORMAL).prop_map(|theta| theta.max(1e-28));
    let thetas = prop_oneof![Just(10_000f32), Just(500_000f32), 0.5f32..2.0, positive];
    let offsets = prop_oneof![Just(0u32), 0..5000u32, any::<u32>()];
    let scalars = (thetas, offsets, any::<bool>()).prop_map(|(theta, position_offset, interleaved)| Scalars {
        theta,
        position_offset,
        interleaved,
    });
    (heads(), scalars).prop_flat_map(move |([batch, seq, heads, pairs], scalars)| {
        // A block has many values, so a row has fewer blocks than it would have pairs.
        let elements = if values == 1 { 2 * pairs } else { pairs % 4 };
        let freqs = wild(&[seq, elements * values / 2]);
        (wild(&[batch, seq, heads, elements]), option::of(freqs), Just(scalars))
    })
}

#[test]
fn rope() {
    property(CASES, rotation(1), |(x, freqs, Scalars { theta, position_offset, interleaved })| {
        let freqs = freqs.as_ref().map(TensorBuf::view);
        run::<rope_f32::Kernel>(rope_f32::Inputs { x: x.view(), freqs, theta, position_offset, interleaved });
    });
    property(CASES, rotation(1), |(x, freqs, Scalars { theta, position_offset, interleaved })| {
        let freqs = freqs.as_ref().map(TensorBuf::view);
        run::<rope_f16::Kernel>(rope_f16::Inputs { x: x.view(), freqs, theta, position_offset, interleaved });
    });
    property(CASES, rotation(32), |(x, freqs, Scalars { theta, position_offset, interleaved })| {
        let freqs = freqs.as_ref().map(TensorBuf::view);
        run::<rope_q8::Kernel>(rope_q8::Inputs { x: x.view(), freqs, theta, position_offset, interleaved });
    });
    property(CASES, rotation(1), |(dy, freqs, Scalars { theta, position_offset, interleaved })| {
        let freqs = freqs.as_ref().map(TensorBuf::view);
        let dy = dy.view();
        let inputs = rope_f32_backward::Inputs { dy, freqs, theta, position_offset, interleaved };
        run_backward::<rope_f32::Kernel>(inputs);
    });
}

#[test]
fn kv() {
    let blocks = || (0..4usize, 0..5usize);
    let packing = || blocks().prop_flat_map(|(rows, blocks)| wild::<f32>(&[rows, blocks * 32]));
    property(CASES, packing(), |x| {
        run::<kv_pack_q8::Kernel>(kv_pack_q8::Inputs::new(x.view()));
    });
    property(CASES, packing(), |x| {
        run::<kv_pack_q4::Kernel>(kv_pack_q4::Inputs::new(x.view()));
    });
    property(CASES, blocks().prop_flat_map(|(rows, blocks)| wild(&[rows, blocks])), |x| {
        run::<kv_unpack_q8::Kernel>(kv_unpack_q8::Inputs::new(x.view()));
    });
    property(CASES, blocks().prop_flat_map(|(rows, blocks)| wild(&[rows, blocks])), |x| {
        run::<kv_unpack_q4::Kernel>(kv_unpack_q4::Inputs::new(x.view()));
    });
}

#[test]
fn lora() {
    /// Generates x, a, b, and y or its gradient.
    fn inputs<T: Wild>() -> impl Strategy<Value = ([TensorBuf<T>; 4], f32)> {
        ranks().prop_flat_map(|Ranks { rows, din, dout, r }| {
            ([wild(&[rows, din]), wild(&[r, din]), wild(&[dout, r]), wild(&[rows, dout])], finite())
        })
    }
    property(CASES, inputs(), |([x, a, b, y], scale)| {
        let inputs = lora_apply_f32::Inputs { x: x.view(), a: a.view(), b: b.view(), y: y.view(), scale };
        run::<lora_apply_f32::Kernel>(inputs);
    });
    property(CASES, inputs(), |([x, a, b, y], scale)| {
        let inputs = lora_apply_f16::Inputs { x: x.view(), a: a.view(), b: b.view(), y: y.view(), scale };
        run::<lora_apply_f16::Kernel>(inputs);
    });
    property(CASES, inputs(), |([x, a, b, dy], scale)| {
        let inputs = lora_apply_f32_backward::Inputs { x: x.view(), a: a.view(), b: b.view(), dy: dy.view(), scale };
        run_backward::<lora_apply_f32::Kernel>(inputs);
    });
}
