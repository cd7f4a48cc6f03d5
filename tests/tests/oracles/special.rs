//! Tests infinities, NaNs, zeros, denormals, and tensors of one element.

use kernelpack_abi::{BlockQ4_0, BlockQ8_0};
use kernelpack_guest::f16;
use kernelpack_kernels::{
    kv_pack_q4, kv_pack_q8, kv_unpack_q4, kv_unpack_q8, lora_apply_f16, lora_apply_f32, lora_apply_f32_backward,
    rmsnorm_f16, rmsnorm_f32, rmsnorm_f32_backward, rope_f16, rope_f32, rope_f32_backward, rope_q8, swiglu_f16,
    swiglu_f32, swiglu_f32_backward,
};

use crate::{
    compare::wide,
    forward,
    sandbox::{run, run_backward},
    values::tensor,
};

const INF: f32 = f32::INFINITY;
const NAN: f32 = f32::NAN;

/// Asserts equal values, including the sign of zeros; any NaN equals any other.
#[track_caller]
fn same(y: &[f32], expected: &[f32]) {
    let alike = |(y, e): (&f32, &f32)| y.to_bits() == e.to_bits() || y.is_nan() && e.is_nan();
    assert!(y.len() == expected.len() && y.iter().zip(expected).all(alike), "{y:?} is not {expected:?}");
}

/// Asserts values within one or two rounding errors, including denormals.
#[track_caller]
fn near(y: &[f32], expected: &[f32]) {
    let alike = |(y, e): (&f32, &f32)| (y - e).abs() <= 3e-7 * e.abs() + 3e-45;
    assert!(y.len() == expected.len() && y.iter().zip(expected).all(alike), "{y:?} is not {expected:?}");
}

fn narrow(x: Vec<f64>) -> Vec<f32> {
    x.into_iter().map(|x| x as f32).collect()
}

fn half(x: &[f32]) -> Vec<f16> {
    x.iter().map(|x| f16::from_f32(*x)).collect()
}

fn full(x: &[f16]) -> Vec<f32> {
    x.iter().map(|x| x.to_f32()).collect()
}

/// Runs SwiGLU on one row of each input, of equal length.
fn swiglu(gate: &[f32], up: &[f32]) -> Vec<f32> {
    let dims = [1, gate.len()];
    run::<swiglu_f32::Kernel>(swiglu_f32::Inputs::new(tensor(&dims, gate).view(), tensor(&dims, up).view()))
        .y
        .into_data()
}

fn swiglu_half(gate: &[f32], up: &[f32]) -> Vec<f32> {
    let dims = [1, gate.len()];
    let (gate, up) = (tensor(&dims, &half(gate)), tensor(&dims, &half(up)));
    full(run::<swiglu_f16::Kernel>(swiglu_f16::Inputs::new(gate.view(), up.view())).y.data())
}

#[test]
fn swiglu_of_infinities_and_nans() {
    let gate = [-INF, -INF, -INF, INF, INF, INF, NAN, 1.0, 0.0, -0.0, INF];
    let up = [1.0, -2.0, INF, 1.0, -2.0, 0.0, 1.0, NAN, 1.0, 1.0, -INF];
    let expected = [-0.0, 0.0, NAN, INF, -INF, NAN, NAN, NAN, 0.0, -0.0, -INF];
    // Tests a short row, a long one, and each element alone.
    for repeat in [1, 6] {
        let [gate, up, expected] = [gate, up, expected].map(|row| row.repeat(repeat));
        same(&swiglu(&gate, &up), &expected);
        same(&swiglu_half(&gate, &up), &expected);
    }
    for i in 0..gate.len() {
        same(&swiglu(&gate[i..=i], &up[i..=i]), &expected[i..=i]);
    }
}

#[test]
fn swiglu_of_large_gates_does_not_overflow() {
    let gate = [1e30, f32::MAX, 200.0, 89.0, -1e30, f32::MIN, -200.0];
    same(&swiglu(&gate, &[1.0; 7]), &[1e30, f32::MAX, 200.0, 89.0, -0.0, -0.0, -0.0]);
    same(&swiglu_half(&[65504.0, -65504.0, 20.0, -30.0], &[1.0; 4]), &[65504.0, -0.0, 20.0, -0.0]);
    // Products beyond the range are infinite, as IEEE says.
    same(&swiglu(&[1e30, 1e30], &[1e30, -1e30]), &[INF, -INF]);
    same(&swiglu_half(&[60_000.0], &[2.0]), &[INF]);
}

#[test]
fn swiglu_keeps_denormals() {
    let (gate, up) = ([20.0, 1e-40, 1e-20, 100.0], [1e-40, 2.0, 1e-20, 1e-44]);
    near(&swiglu(&gate, &up), &narrow(forward::swiglu(&wide(&gate), &wide(&up))));
    let least = f16::from_bits(1).to_f32();
    same(&swiglu_half(&[20.0, 2.0 * least], &[least, 1.0]), &[20.0 * least, least]);
}

#[test]
fn swiglu_of_gates_whose_sigmoid_is_denormal() {
    let gate: Vec<f32> = (0..200).map(|i| -87.0 - i as f32 / 10.0).collect();
    near(&swiglu(&gate, &[1.0; 200]), &narrow(forward::swiglu(&wide(&gate), &[1.0; 200])));
}

#[test]
fn swiglu_gradients_stay_finite() {
    let dims = [1, 6];
    let gate = tensor(&dims, &[-INF, f32::MIN, -200.0, 0.0, 200.0, f32::MAX]);
    let (up, dy) = (tensor(&dims, &[2.0; 6]), tensor(&dims, &[1.0; 6]));
    let outputs =
        run_backward::<swiglu_f32::Kernel>(swiglu_f32_backward::Inputs::new(gate.view(), up.view(), dy.view()));
    assert_eq!(outputs.dgate.data(), [0.0, 0.0, 0.0, 1.0, 2.0, 2.0]);
    assert_eq!(outputs.dup.data(), [0.0, 0.0, 0.0, 0.0, 200.0, f32::MAX]);
    let nan = tensor(&dims, &[NAN; 6]);
    let outputs =
        run_backward::<swiglu_f32::Kernel>(swiglu_f32_backward::Inputs::new(gate.view(), nan.view(), dy.view()));
    assert!(outputs.dgate.data().iter().all(|dgate| dgate.is_nan()));
}

fn rmsnorm(x: &[f32], dim: usize, weight: f32, eps: f32) -> Vec<f32> {
    let (x, weight) = (tensor(&[x.len() / dim, dim], x), tensor(&[dim], &vec![weight; dim]));
    run::<rmsnorm_f32::Kernel>(rmsnorm_f32::Inputs { x: x.view(), weight: weight.view(), eps }).y.into_data()
}

fn rmsnorm_half(x: &[f32], dim: usize, weight: f32, eps: f32) -> Vec<f32> {
    let (x, weight) = (tensor(&[x.len() / dim, dim], &half(x)), tensor(&[dim], &vec![f16::from_f32(weight); dim]));
    full(run::<rmsnorm_f16::Kernel>(rmsnorm_f16::Inputs { x: x.view(), weight: weight.view(), eps }).y.data())
}

#[test]
fn rmsnorm_of_zeros_infinities_and_nans() {
    for norm in [rmsnorm, rmsnorm_half] {
        for dim in [1, 3, 128, 130] {
            let zeros: Vec<f32> = [0.0, -0.0].into_iter().cycle().take(2 * dim).collect();
            same(&norm(&zeros, dim, 2.0, 1e-5), &zeros);
            // With an eps of 0, the caller gets 0 / 0.
            same(&norm(&zeros, dim, 2.0, 0.0), &vec![NAN; 2 * dim]);
        }
        // An infinity or NaN in a row only affects that row.
        let x = [INF, 1.0, -1.0, 2.0, 2.0, -2.0, NAN, 1.0, 0.0, -INF, 3.0, INF];
        let expected = [NAN, 0.0, -0.0, 1.0, 1.0, -1.0, NAN, NAN, NAN, NAN, 0.0, NAN];
        same(&norm(&x, 3, 1.0, 0.0), &expected);
        let long: Vec<f32> = [1.0; 100].into_iter().chain([INF]).chain([-1.0; 200]).collect();
        let y = norm(&long, 301, 1.0, 1e-5);
        assert!(y[100].is_nan() && y.iter().enumerate().all(|(i, y)| i == 100 || *y == 0.0));
        // An infinity or NaN in the weight only affects its column.
        same(&norm(&[1.0, -1.0, 1.0], 3, INF, 0.0), &[INF, -INF, INF]);
        same(&norm(&[1.0, -1.0], 2, NAN, 0.0), &[NAN, NAN]);
        // A single element is normalized to its sign.
        same(&norm(&[7.0, -0.25], 1, 1.0, 0.0), &[1.0, -1.0]);
    }
}

#[test]
fn rmsnorm_of_any_magnitude() {
    // The squares of these values are out of the range of f32: too large or too small.
    for x in [3e38, 1e30, 1e20, 1e-20, 1e-25, 1e-30, 1e-37, 1e-39, 1e-44] {
        for dim in [1, 2, 128, 200] {
            let row: Vec<f32> = [x, -x].into_iter().cycle().take(dim).collect();
            let expected: Vec<f32> = [1.0, -1.0].into_iter().cycle().take(dim).collect();
            near(&rmsnorm(&row, dim, 1.0, 0.0), &expected);
        }
    }
    // With the usual eps, denormals stay small but do not vanish.
    let x = [1e-40, -1e-42];
    near(&rmsnorm(&x, 2, 1.0, 1e-5), &narrow(forward::rmsnorm(&wide(&x), &[1.0; 2], f64::from(1e-5f32))));
    // A denormal among normal numbers.
    let x = [1e-40, 1.0, -2.0, 1.0];
    near(&rmsnorm(&x, 4, 1.0, 0.0), &narrow(forward::rmsnorm(&wide(&x), &[1.0; 4], 0.0)));
    let least = f16::from_bits(1).to_f32();
    near(&rmsnorm_half(&[least, -least, 3.0 * least, -3.0 * least], 2, 1.0, 0.0), &[1.0, -1.0, 1.0, -1.0]);
    same(&rmsnorm_half(&[65504.0; 200], 200, 1.0, 1e-5), &[1.0; 200]);
}

#[test]
fn rmsnorm_gradients_of_extreme_rows() {
    let gradients = |x: [f32; 4], weight: f32, dy: [f32; 4], eps: f32| {
        let (x, weight, dy) = (tensor(&[1, 4], &x), tensor(&[4], &[weight; 4]), tensor(&[1, 4], &dy));
        let inputs = rmsnorm_f32_backward::Inputs { x: x.view(), weight: weight.view(), dy: dy.view(), eps };
        let outputs = run_backward::<rmsnorm_f32::Kernel>(inputs);
        (outputs.dx.into_data(), outputs.dweight.into_data())
    };
    // A row of zeros: dx = weight · dy / sqrt(eps).
    let (dx, dweight) = gradients([0.0; 4], 2.0, [1.0, -1.0, 0.0, 3.0], 0.25);
    same(&dx, &[4.0, -4.0, 0.0, 12.0]);
    same(&dweight, &[0.0; 4]);
    for x in [1e30f32, 1e-30] {
        let (dx, dweight) = gradients([x, x, -x, x], 1e10, [1e10, 1.0, 1.0, 1.0], 0.0);
        // The first element keeps three quarters of its weight · dy, the others a quarter with the sign of their x.
        let expected = [0.75, -0.25, 0.25, -0.25].map(|share| share * (1e20 / x));
        for (dx, expected) in dx.iter().zip(expected) {
            assert!((dx - expected).abs() <= 1e-6 * expected.abs() || dx == &expected, "{dx:e} is not {expected:e}");
        }
        near(&dweight, &[1e10, 1.0, -1.0, 1.0]);
    }
    let (dx, dweight) = gradients([1.0, NAN, 1.0, 1.0], 1.0, [1.0; 4], 1e-5);
    assert!(dx.iter().chain(&dweight).all(|gradient| gradient.is_nan()));
}

#[test]
fn rope_of_special_values() {
    // The second position rotates by nearly a quarter turn, the first not at all.
    let angles = tensor(&[2, 1], &[0.0, core::f32::consts::FRAC_PI_2]);
    let rotate = |x: [f32; 4]| {
        let x = tensor(&[1, 2, 1, 2], &x);
        let inputs = rope_f32::Inputs { freqs: Some(angles.view()), ..rope_f32::Inputs::new(x.view()) };
        let y = run::<rope_f32::Kernel>(inputs).y.into_data();
        let inputs =
            rope_f32_backward::Inputs { freqs: Some(angles.view()), ..rope_f32_backward::Inputs::new(x.view()) };
        (y, run_backward::<rope_f32::Kernel>(inputs).dx.into_data())
    };
    let (y, dx) = rotate([1e-40, -1e-44, 1e-40, 3e-41]);
    near(&y, &[1e-40, -1e-44, -3e-41, 1e-40]);
    near(&dx, &[1e-40, -1e-44, 3e-41, -1e-40]);
    // inf · 0 is NaN; the other pair is not affected.
    same(&rotate([INF, 1.0, 0.0, 0.0]).0[..2], &[INF, NAN]);
    same(&rotate([1.0, -0.0, NAN, 1.0]).0, &[1.0, 0.0, NAN, NAN]);
    let (y, _) = rotate([0.0, 0.0, INF, -1.0]);
    // cos of the nearest f32 to π/2 is slightly below 0.
    same(&y[2..], &[-INF, INF]);

    let angles = tensor(&[1, 2], &[INF, 0.0]);
    let x = tensor(&[1, 1, 1, 4], &[1.0, 2.0, 3.0, 4.0]);
    let inputs = rope_f32::Inputs { freqs: Some(angles.view()), ..rope_f32::Inputs::new(x.view()) };
    same(run::<rope_f32::Kernel>(inputs).y.data(), &[NAN, 2.0, NAN, 4.0]);
    let least = f16::from_bits(1);
    let x = tensor(&[1, 1, 1, 4], &[least, f16::INFINITY, f16::ONE, f16::NAN]);
    let inputs = rope_f16::Inputs { freqs: Some(angles.view()), interleaved: true, ..rope_f16::Inputs::new(x.view()) };
    same(&full(run::<rope_f16::Kernel>(inputs).y.data()), &[NAN, NAN, NAN, NAN]);
    let inputs = rope_f16::Inputs { interleaved: true, ..rope_f16::Inputs::new(x.view()) };
    same(&full(run::<rope_f16::Kernel>(inputs).y.data()), &[NAN, INF, NAN, NAN]);
}

/// Tests a NaN in each of the lanes that are computed together.
#[test]
fn a_nan_in_a_block_of_rope_stays_in_its_pair() {
    const DIM: usize = 128;
    let rotated = |x: &[f32]| {
        let x = tensor(&[1, 1, 1, DIM], &half(x));
        let inputs = rope_f16::Inputs { position_offset: 7, ..rope_f16::Inputs::new(x.view()) };
        full(run::<rope_f16::Kernel>(inputs).y.data())
    };
    let numbers: Vec<_> = (0..DIM).map(|i| i as f32 / 16.0 - 3.0).collect();
    let expected = rotated(&numbers);
    for at in 0..DIM {
        let (mut x, mut expected) = (numbers.clone(), expected.clone());
        x[at] = NAN;
        (expected[at % (DIM / 2)], expected[at % (DIM / 2) + DIM / 2]) = (NAN, NAN);
        same(&rotated(&x), &expected);
    }
}

#[test]
fn blocks_with_special_scales_unpack() {
    let least = f16::from_bits(1);
    for (d, expected) in [
        (least, [-8.0 * least.to_f32(), 0.0, 7.0 * least.to_f32()]),
        (-least, [8.0 * least.to_f32(), -0.0, -7.0 * least.to_f32()]),
        (f16::INFINITY, [-INF, NAN, INF]),
        (f16::NAN, [NAN; 3]),
        (f16::ZERO, [-0.0, 0.0, 0.0]),
        (f16::MAX, [-8.0 * 65504.0, 0.0, 7.0 * 65504.0]),
    ] {
        let [low, middle, high] = expected;
        let q8 = BlockQ8_0 { d, qs: std::array::from_fn(|i| [-8, 0, 7][i % 3]) };
        let y = run::<kv_unpack_q8::Kernel>(kv_unpack_q8::Inputs::new(tensor(&[1, 1], &[q8]).view())).y;
        same(&y.data()[..6], &[low, middle, high, low, middle, high]);
        let q4 = BlockQ4_0 { d, qs: [0xf0; 16].map(|q: u8| q) };
        let y = run::<kv_unpack_q4::Kernel>(kv_unpack_q4::Inputs::new(tensor(&[1, 1], &[q4]).view())).y;
        same(y.data(), &[[low; 16], [high; 16]].concat());
        let q4 = BlockQ4_0 { d, qs: [0x88; 16] };
        let y = run::<kv_unpack_q4::Kernel>(kv_unpack_q4::Inputs::new(tensor(&[1, 1], &[q4]).view())).y;
        same(y.data(), &[middle; 32]);
        // A rotation must handle blocks with these scales too.
        run::<rope_q8::Kernel>(rope_q8::Inputs::new(tensor(&[1, 1, 1, 1], &[q8]).view()));
    }
}

#[test]
fn blocks_of_infinities_and_nans_are_packed_somehow() {
    for x in [NAN, INF, -INF, f32::from_bits(1), 1e-39] {
        let x = tensor(&[1, 32], &[[1.0; 31].as_slice(), &[x]].concat());
        run::<kv_pack_q8::Kernel>(kv_pack_q8::Inputs::new(x.view()));
        run::<kv_pack_q4::Kernel>(kv_pack_q4::Inputs::new(x.view()));
    }
    // An infinity shows in the scale.
    let x = tensor(&[1, 32], &[INF; 32]);
    assert_eq!(run::<kv_pack_q8::Kernel>(kv_pack_q8::Inputs::new(x.view())).y.data()[0].d, f16::INFINITY);
    assert_eq!(run::<kv_pack_q4::Kernel>(kv_pack_q4::Inputs::new(x.view())).y.data()[0].d, f16::NEG_INFINITY);
}

/// Computes y + scale · (x aᵀ) bᵀ with extents of 2, but r = 1.
fn lora(x: [f32; 4], a: [f32; 2], b: [f32; 2], y: [f32; 4]) -> [Vec<f32>; 2] {
    let dims = [[2, 2], [1, 2], [2, 1], [2, 2]];
    let tensors = [&x[..], &a, &b, &y];
    let [x, a, b, y]: [_; 4] = std::array::from_fn(|i| tensor(&dims[i], tensors[i]));
    let inputs = lora_apply_f32::Inputs::new(x.view(), a.view(), b.view(), y.view());
    let f32 = run::<lora_apply_f32::Kernel>(inputs).y.into_data();
    let [x, a, b, y]: [_; 4] = std::array::from_fn(|i| tensor(&dims[i], &half(tensors[i])));
    let inputs = lora_apply_f16::Inputs::new(x.view(), a.view(), b.view(), y.view());
    [f32, full(run::<lora_apply_f16::Kernel>(inputs).y.data())]
}

#[test]
fn lora_of_special_values() {
    for y in lora([1.0, NAN, 1.0, 1.0], [1.0, 1.0], [1.0, 0.0], [1.0, 2.0, 3.0, 4.0]) {
        same(&y, &[NAN, NAN, 5.0, 4.0]);
    }
    for y in lora([1.0, INF, 0.0, 1.0], [1.0, 1.0], [1.0, -1.0], [1.0, 2.0, 3.0, 4.0]) {
        same(&y, &[INF, -INF, 4.0, 3.0]);
    }
    for y in lora([1.0; 4], [0.0; 2], [1.0; 2], [INF, NAN, -INF, 1.0]) {
        same(&y, &[INF, NAN, -INF, 1.0]);
    }
    let [y, _] = lora([1.0, 1.0, 2.0, 2.0], [1e-30, 1e-30], [1e-10, -1e-11], [1e-42, 0.0, 0.0, 1e-42]);
    near(&y, &[2.01e-40, -2e-41, 4e-40, -3.9e-41]);
    let least = f16::from_bits(1).to_f32();
    let [_, y] = lora([1.0, 1.0, 2.0, 0.0], [least, least], [1.0, -1.0], [least, 0.0, -0.0, least]);
    same(&y, &[3.0 * least, -2.0 * least, 2.0 * least, -least]);
}

#[test]
fn one_element_is_enough() {
    let one = |x: f32| tensor(&[1, 1], &[x]);
    let (x, a, b, y) = (one(2.0), one(3.0), one(5.0), one(7.0));
    let inputs =
        lora_apply_f32::Inputs { scale: 0.5, ..lora_apply_f32::Inputs::new(x.view(), a.view(), b.view(), y.view()) };
    same(run::<lora_apply_f32::Kernel>(inputs).y.data(), &[22.0]);
    let inputs = lora_apply_f32_backward::Inputs::new(x.view(), a.view(), b.view(), y.view());
    let outputs = run_backward::<lora_apply_f32::Kernel>(inputs);
    same(&[outputs.dx, outputs.da, outputs.db].map(|gradient| gradient.data()[0]), &[105.0, 70.0, 42.0]);
    near(&swiglu(&[1.0], &[2.0]), &[1.462_117_2]);
    let x = tensor(&[1, 1, 1, 2], &[1.0f32, 2.0]);
    for interleaved in [false, true] {
        let inputs = rope_f32::Inputs { position_offset: 1, interleaved, ..rope_f32::Inputs::new(x.view()) };
        near(run::<rope_f32::Kernel>(inputs).y.data(), &[-1.142_639_7, 1.922_075_6]);
    }
}
