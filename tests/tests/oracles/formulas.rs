//! The forward passes against their formulas in f64.

use kernelpack_abi::TensorBuf;
use kernelpack_guest::f16;
use kernelpack_kernels::{
    lora_apply_f16, lora_apply_f32, rmsnorm_f16, rmsnorm_f32, rope_f16, rope_f32, swiglu_f16, swiglu_f32,
};
use proptest::{option, prelude::*, sample::select};

use crate::{
    compare::{close, close_f16, close_sums, wide},
    forward::{self, Lora, angle},
    sandbox::run,
    values::{Ranks, even, heads, matrix, narrow, property, ranks},
};

const CASES: u32 = 48;

#[test]
fn rmsnorm_f32_is_its_formula() {
    // The squares for the first three scales are denormal or 0 in f32; those for the last are infinite.
    const SCALES: &[f32] = &[1e-40, 1e-30, 1e-20, 1e-6, 1.0, 1e4, 1e30];
    let inputs = matrix()
        .prop_flat_map(|dims| (even(&dims, SCALES), even(&dims[1..], &[1.0]), select(&[0.0f32, 1e-5, 1e-30][..])));
    property(2 * CASES, inputs, |(x, weight, eps)| {
        let zero = |row: &[f32]| row.iter().all(|x| *x == 0.0);
        if eps == 0.0 && x.data().chunks(weight.data().len().max(1)).any(zero) {
            return; // 0 / 0 is tested elsewhere.
        }
        let y = run::<rmsnorm_f32::Kernel>(rmsnorm_f32::Inputs { x: x.view(), weight: weight.view(), eps }).y;
        close(y.data(), &forward::rmsnorm(&wide(x.data()), &wide(weight.data()), eps.into()), 2e-6);
    });
}

#[test]
fn rmsnorm_f16_is_its_formula() {
    let inputs = matrix().prop_flat_map(|dims| {
        (even(&dims, &[1e-3, 1.0, 60_000.0]), even(&dims[1..], &[1.0, 10.0]), select(&[1e-6f32, 1e-5][..]))
    });
    property(CASES, inputs, |(x, weight, eps)| {
        let (x, weight) = (narrow(&x), narrow(&weight));
        let y = run::<rmsnorm_f16::Kernel>(rmsnorm_f16::Inputs { x: x.view(), weight: weight.view(), eps }).y;
        close_f16(y.data(), &forward::rmsnorm(&wide(x.data()), &wide(weight.data()), eps.into()), 1e-6);
    });
}

#[test]
fn swiglu_is_its_formula() {
    let inputs = |ups| matrix().prop_flat_map(move |dims| (even(&dims, &[0.01, 1.0, 10.0, 85.0]), even(&dims, ups)));
    property(CASES, inputs(&[1e-20, 1.0, 1e20]), |(gate, up)| {
        let y = run::<swiglu_f32::Kernel>(swiglu_f32::Inputs::new(gate.view(), up.view())).y;
        close(y.data(), &forward::swiglu(&wide(gate.data()), &wide(up.data())), 2e-6);
    });
    property(CASES, inputs(&[1e-5, 1.0, 6.0]), |(gate, up)| {
        let (gate, up) = (narrow(&gate), narrow(&up));
        let y = run::<swiglu_f16::Kernel>(swiglu_f16::Inputs::new(gate.view(), up.view())).y;
        close_f16(y.data(), &forward::swiglu(&wide(gate.data()), &wide(up.data())), 1e-6);
    });
}

/// One rotation.
#[derive(Clone, Debug)]
struct Rotation {
    dims: [usize; 4],
    x: TensorBuf<f32>,
    freqs: Option<TensorBuf<f32>>,
    theta: f32,
    position_offset: u32,
    interleaved: bool,
}

impl Rotation {
    fn any(scales: &'static [f32]) -> impl Strategy<Value = Self> {
        let scalars =
            (select(&[1.0f32, 10_000.0, 500_000.0][..]), select(&[0u32, 1, 4000, 1 << 20][..]), any::<bool>());
        let tensors = heads().prop_flat_map(move |dims @ [batch, seq, heads, pairs]| {
            let freqs = option::of(even(&[seq, pairs], &[1.0, 1000.0]));
            (Just(dims), even(&[batch, seq, heads, 2 * pairs], scales), freqs)
        });
        (tensors, scalars).prop_map(|((dims, x, freqs), (theta, position_offset, interleaved))| Self {
            dims,
            x,
            freqs,
            theta,
            position_offset,
            interleaved,
        })
    }

    fn rotate(&self, x: &[f64]) -> Vec<f64> {
        let [_, seq, _, pairs] = self.dims;
        let angles = match &self.freqs {
            Some(freqs) => freqs.data().to_vec(),
            None => (0..seq * pairs)
                .map(|at| angle(at / pairs, at % pairs, 2 * pairs, self.theta, self.position_offset))
                .collect(),
        };
        forward::rope(x, &angles, self.dims, self.interleaved)
    }
}

#[test]
fn rope_is_its_formula() {
    property(CASES, Rotation::any(&[1e-30, 1.0, 1e30]), |case| {
        let Rotation { theta, position_offset, interleaved, .. } = case;
        let freqs = case.freqs.as_ref().map(TensorBuf::view);
        let inputs = rope_f32::Inputs { x: case.x.view(), freqs, theta, position_offset, interleaved };
        close(run::<rope_f32::Kernel>(inputs).y.data(), &case.rotate(&wide(case.x.data())), 4e-6);
    });
    property(CASES, Rotation::any(&[1e-4, 1.0, 4e4]), |case| {
        let Rotation { theta, position_offset, interleaved, .. } = case;
        let (x, freqs) = (narrow(&case.x), case.freqs.as_ref().map(TensorBuf::view));
        let inputs = rope_f16::Inputs { x: x.view(), freqs, theta, position_offset, interleaved };
        close_f16(run::<rope_f16::Kernel>(inputs).y.data(), &case.rotate(&wide(x.data())), 1e-6);
    });
}

#[test]
fn lora_is_its_formula() {
    let inputs = || {
        ranks().prop_flat_map(|ranks @ Ranks { rows, din, dout, r }| {
            let factors =
                [even(&[rows, din], &[0.1, 1.0, 8.0]), even(&[r, din], &[0.1, 1.0]), even(&[dout, r], &[1.0])];
            (Just(ranks), factors, even(&[rows, dout], &[0.01, 1.0, 100.0]), select(&[1.0f32, -0.5, 2.0][..]))
        })
    };
    property(CASES, inputs(), |(ranks, [x, a, b], y, scale)| {
        let inputs = lora_apply_f32::Inputs { x: x.view(), a: a.view(), b: b.view(), y: y.view(), scale };
        let reference = Lora { x: wide(x.data()), a: wide(a.data()), b: wide(b.data()), y: wide(y.data()) };
        let terms = reference.abs().apply(ranks, f64::from(scale).abs());
        let y = run::<lora_apply_f32::Kernel>(inputs).y;
        close_sums(y.data(), &reference.apply(ranks, scale.into()), &terms, 1e-5);
    });
    property(CASES, inputs(), |(ranks, factors, y, scale)| {
        let ([x, a, b], y) = (factors.map(|factor| narrow(&factor)), narrow(&y));
        let inputs = lora_apply_f16::Inputs { x: x.view(), a: a.view(), b: b.view(), y: y.view(), scale };
        let reference = Lora { x: wide(x.data()), a: wide(a.data()), b: wide(b.data()), y: wide(y.data()) };
        close_f16(run::<lora_apply_f16::Kernel>(inputs).y.data(), &reference.apply(ranks, scale.into()), 2e-5);
    });
}

#[test]
fn every_f16_goes_through_the_kernels_unharmed() {
    // A rotation by zero and a weight of one leave each number unchanged, including denormals and infinities.
    let all: Vec<f16> = (0..=u16::MAX).map(f16::from_bits).filter(|x| x.is_finite()).collect();
    let x = crate::values::tensor(&[1, 1, 1, all.len()], &all);
    let freqs = TensorBuf::zeros(&[1, all.len() / 2]).unwrap();
    let inputs = rope_f16::Inputs { freqs: Some(freqs.view()), ..rope_f16::Inputs::new(x.view()) };
    let y = run::<rope_f16::Kernel>(inputs).y;
    // x · 1 − y · 0 may be +0 for −0, which compares equal.
    assert_eq!(y.data(), all);
}
