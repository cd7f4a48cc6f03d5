//! Compares the backward passes with central differences of the forward formulas in f64.

use kernelpack_abi::TensorBuf;
use kernelpack_kernels::{
    lora_apply_f32, lora_apply_f32_backward, rmsnorm_f32, rmsnorm_f32_backward, rope_f32, rope_f32_backward,
    swiglu_f32, swiglu_f32_backward,
};
use proptest::{option, prelude::*, sample::select};

use crate::{
    compare::{close, close_sums, rms, wide},
    forward::{self, Lora, angle},
    sandbox::run_backward,
    values::{Ranks, even, property},
};

const CASES: u32 = 32;
/// Relative to max(|ref|, rms).
const BOUND: f64 = 1e-5;

/// The gradient of Σ dy · f(x) at x, by central differences.
fn differences(x: &[f64], dy: &[f64], f: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
    let scale = rms(x).max(1e-9);
    let mut at = x.to_vec();
    let mut gradient = Vec::new();
    for i in 0..x.len() {
        // The error is of the order of h² and of ε / h, so h is near the cube root of ε.
        let h = 6e-6 * x[i].abs().max(scale);
        let mut loss = |x| {
            at[i] = x;
            f(&at).iter().zip(dy).map(|(y, dy)| y * dy).sum::<f64>()
        };
        let (above, below) = (x[i] + h, x[i] - h);
        gradient.push((loss(above) - loss(below)) / (above - below));
        at[i] = x[i];
    }
    gradient
}

#[test]
fn rmsnorm() {
    let inputs = (1..4usize, 1..40usize).prop_flat_map(|(rows, dim)| {
        let dims = [rows, dim];
        let eps = select(&[1e-5f32, 1e-2, 1.0][..]);
        (even(&dims, &[0.1, 1.0, 50.0]), even(&[dim], &[1.0, 4.0]), even(&dims, &[1e-3, 1.0]), eps)
    });
    property(CASES, inputs, |(x, weight, dy, eps)| {
        let inputs = rmsnorm_f32_backward::Inputs { x: x.view(), weight: weight.view(), dy: dy.view(), eps };
        let outputs = run_backward::<rmsnorm_f32::Kernel>(inputs);
        let [x, weight, dy] = [x, weight, dy].map(|tensor| wide(tensor.data()));
        let dx = differences(&x, &dy, |x| forward::rmsnorm(x, &weight, eps.into()));
        let dweight = differences(&weight, &dy, |weight| forward::rmsnorm(&x, weight, eps.into()));
        let rms = rms(&dx);
        let dim = weight.len();
        for (row, x) in x.chunks_exact(dim).enumerate() {
            // weight · dy / sqrt(mean(x²) + eps) may almost cancel out, for example with one column.
            let scale = (x.iter().map(|x| x * x).sum::<f64>() / dim as f64 + f64::from(eps)).sqrt().recip();
            let whole = (0..dim).map(|i| (weight[i] * dy[row * dim + i] * scale).abs()).fold(0.0, f64::max);
            for at in row * dim..(row + 1) * dim {
                let (dx, expected) = (f64::from(outputs.dx.data()[at]), dx[at]);
                let allowed = BOUND * expected.abs().max(rms) + 1e-6 * whole;
                assert!((dx - expected).abs() <= allowed, "[{at}]: {dx:e} is not {expected:e}");
            }
        }
        let abs = |data: &[f64]| data.iter().map(|x| x.abs()).collect::<Vec<_>>();
        let terms = differences(&weight, &abs(&dy), |weight| forward::rmsnorm(&abs(&x), weight, eps.into()));
        close_sums(outputs.dweight.data(), &dweight, &terms, BOUND);
    });
}

#[test]
fn swiglu() {
    let inputs = (0..4usize, 0..70usize).prop_flat_map(|(rows, dim)| {
        let dims = [rows, dim];
        (even(&dims, &[0.1, 1.0, 10.0, 40.0]), even(&dims, &[1.0, 30.0]), even(&dims, &[1e-3, 1.0]))
    });
    property(CASES, inputs, |(gate, up, dy)| {
        let inputs = swiglu_f32_backward::Inputs::new(gate.view(), up.view(), dy.view());
        let outputs = run_backward::<swiglu_f32::Kernel>(inputs);
        let [gate, up, dy] = [gate, up, dy].map(|tensor| wide(tensor.data()));
        // The slope of silu changes its sign near -1.28.
        let terms: Vec<f64> = up.iter().zip(&dy).map(|(up, dy)| up * dy).collect();
        let dgate = differences(&gate, &dy, |gate| forward::swiglu(gate, &up));
        close_sums(outputs.dgate.data(), &dgate, &terms, BOUND);
        close(outputs.dup.data(), &differences(&up, &dy, |up| forward::swiglu(&gate, up)), BOUND);
    });
}

#[test]
fn rope() {
    let inputs = (1..3usize, 0..4usize, 1..3usize, 0..20usize).prop_flat_map(|(batch, seq, heads, pairs)| {
        let dims = [batch, seq, heads, 2 * pairs];
        let freqs = option::of(even(&[seq, pairs], &[1.0, 100.0]));
        let scalars = (select(&[10_000f32, 3.0][..]), select(&[0u32, 1000][..]), any::<bool>());
        (Just([batch, seq, heads, pairs]), [even(&dims, &[1.0]), even(&dims, &[1.0, 1e3])], freqs, scalars)
    });
    property(CASES, inputs, |(dims, [x, dy], freqs, (theta, position_offset, interleaved))| {
        let [_, seq, _, pairs] = dims;
        let inputs = rope_f32_backward::Inputs {
            dy: dy.view(),
            freqs: freqs.as_ref().map(TensorBuf::view),
            theta,
            position_offset,
            interleaved,
        };
        let outputs = run_backward::<rope_f32::Kernel>(inputs);
        let angles: Vec<f32> = match &freqs {
            Some(freqs) => freqs.data().to_vec(),
            None => {
                (0..seq * pairs).map(|at| angle(at / pairs, at % pairs, 2 * pairs, theta, position_offset)).collect()
            }
        };
        let rotate = |x: &[f64]| forward::rope(x, &angles, dims, interleaved);
        close(outputs.dx.data(), &differences(&wide(x.data()), &wide(dy.data()), rotate), BOUND);
    });
}

#[test]
fn lora() {
    let inputs = (0..4usize, 0..24usize, 0..24usize, 0..7usize).prop_flat_map(|(rows, din, dout, r)| {
        let factors = [even(&[rows, din], &[0.1, 1.0]), even(&[r, din], &[1.0, 5.0]), even(&[dout, r], &[1.0])];
        let scale = select(&[1.0f32, -0.5, 16.0][..]);
        (Just(Ranks { rows, din, dout, r }), factors, even(&[rows, dout], &[1e-3, 1.0]), scale)
    });
    property(CASES, inputs, |(ranks, [x, a, b], dy, scale)| {
        let inputs = lora_apply_f32_backward::Inputs { x: x.view(), a: a.view(), b: b.view(), dy: dy.view(), scale };
        let outputs = run_backward::<lora_apply_f32::Kernel>(inputs);
        let [x, a, b, dy] = [x, a, b, dy].map(|tensor| wide(tensor.data()));
        let y = vec![0.0; dy.len()];
        let lora = Lora { x, a, b, y };
        let gradients = |lora: &Lora, dy: &[f64], scale: f64| {
            let apply = |lora: Lora| lora.apply(ranks, scale);
            [
                differences(&lora.x, dy, |x| apply(Lora { x: x.to_vec(), ..lora.clone() })),
                differences(&lora.a, dy, |a| apply(Lora { a: a.to_vec(), ..lora.clone() })),
                differences(&lora.b, dy, |b| apply(Lora { b: b.to_vec(), ..lora.clone() })),
            ]
        };
        let references = gradients(&lora, &dy, scale.into());
        let magnitudes: Vec<f64> = dy.iter().map(|dy| dy.abs()).collect();
        let terms = gradients(&lora.abs(), &magnitudes, f64::from(scale).abs());
        for ((y, reference), terms) in [outputs.dx, outputs.da, outputs.db].iter().zip(&references).zip(&terms) {
            close_sums(y.data(), reference, terms, BOUND);
        }
    });
}
