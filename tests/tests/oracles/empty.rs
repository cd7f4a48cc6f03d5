//! Empty tensors: each extent zero in turn, and all at once. Calls succeed and write nothing.

use kernelpack_abi::{Element, TensorBuf};
use kernelpack_guest::f16;
use kernelpack_kernels::{
    kv_pack_q4, kv_pack_q8, kv_unpack_q4, kv_unpack_q8, lora_apply_f16, lora_apply_f32, lora_apply_f32_backward,
    rmsnorm_f16, rmsnorm_f32, rmsnorm_f32_backward, rope_f16, rope_f32, rope_f32_backward, rope_q8, swiglu_f16,
    swiglu_f32, swiglu_f32_backward,
};

use crate::{
    sandbox::{run, run_backward},
    values::tensor,
};

/// Returns small extents with each of them zero in turn, then with all zero.
fn with_zeros<const N: usize>(extents: [usize; N]) -> Vec<[usize; N]> {
    let one = |axis| std::array::from_fn(|i| if i == axis { 0 } else { extents[i] });
    (0..N).map(one).chain([[0; N]]).collect()
}

fn zeros<T: Element>(dims: &[usize]) -> TensorBuf<T> {
    TensorBuf::zeros(dims).unwrap()
}

#[test]
fn rows_and_columns() {
    for dims in with_zeros([3, 5]) {
        let (x, weight) = (zeros(&dims), zeros(&dims[1..]));
        assert!(run::<rmsnorm_f32::Kernel>(rmsnorm_f32::Inputs::new(x.view(), weight.view())).y.data().is_empty());
        assert!(run::<swiglu_f32::Kernel>(swiglu_f32::Inputs::new(x.view(), x.view())).y.data().is_empty());
        let inputs = swiglu_f32_backward::Inputs::new(x.view(), x.view(), x.view());
        assert!(run_backward::<swiglu_f32::Kernel>(inputs).dup.data().is_empty());
        let inputs = rmsnorm_f32_backward::Inputs::new(x.view(), weight.view(), x.view());
        // Without rows, the gradient of the weight is zero.
        assert_eq!(run_backward::<rmsnorm_f32::Kernel>(inputs).dweight.data(), vec![0.0; dims[1]]);
        let (x, weight) = (zeros(&dims), zeros(&dims[1..]));
        assert!(run::<rmsnorm_f16::Kernel>(rmsnorm_f16::Inputs::new(x.view(), weight.view())).y.data().is_empty());
        assert!(run::<swiglu_f16::Kernel>(swiglu_f16::Inputs::new(x.view(), x.view())).y.data().is_empty());
    }
}

#[test]
fn heads() {
    for dims in with_zeros([2, 3, 2, 4]) {
        let freqs = zeros(&[dims[1], dims[3] / 2]);
        let wide_freqs = zeros(&[dims[1], dims[3] * 16]);
        for given in [true, false] {
            let freqs = given.then(|| freqs.view());
            let (x, h, q) = (zeros(&dims), zeros(&dims), zeros(&dims));
            let inputs = rope_f32::Inputs { freqs, ..rope_f32::Inputs::new(x.view()) };
            assert!(run::<rope_f32::Kernel>(inputs).y.data().is_empty());
            let inputs = rope_f32_backward::Inputs { freqs, ..rope_f32_backward::Inputs::new(x.view()) };
            assert!(run_backward::<rope_f32::Kernel>(inputs).dx.data().is_empty());
            let inputs = rope_f16::Inputs { freqs, ..rope_f16::Inputs::new(h.view()) };
            assert!(run::<rope_f16::Kernel>(inputs).y.data().is_empty());
            let freqs = given.then(|| wide_freqs.view());
            let inputs = rope_q8::Inputs { freqs, ..rope_q8::Inputs::new(q.view()) };
            assert!(run::<rope_q8::Kernel>(inputs).y.data().is_empty());
        }
    }
}

#[test]
fn caches() {
    for dims in with_zeros([3, 2]) {
        let x = zeros(&[dims[0], dims[1] * 32]);
        assert!(run::<kv_pack_q8::Kernel>(kv_pack_q8::Inputs::new(x.view())).y.data().is_empty());
        assert!(run::<kv_pack_q4::Kernel>(kv_pack_q4::Inputs::new(x.view())).y.data().is_empty());
        let (q8, q4) = (zeros(&dims), zeros(&dims));
        assert!(run::<kv_unpack_q8::Kernel>(kv_unpack_q8::Inputs::new(q8.view())).y.data().is_empty());
        assert!(run::<kv_unpack_q4::Kernel>(kv_unpack_q4::Inputs::new(q4.view())).y.data().is_empty());
    }
}

/// With rows and outputs, but din or r zero, nothing is added: y is unchanged, including the sign of its zeros.
#[test]
fn adaptations() {
    for [rows, din, dout, r] in with_zeros([3, 5, 4, 2]) {
        let start = [-0.0, 1.5, -2.0, 0.0];
        let start: Vec<f32> = start.into_iter().cycle().take(rows * dout).collect();
        let (x, a, b) = (zeros(&[rows, din]), zeros(&[r, din]), zeros(&[dout, r]));
        let y = tensor(&[rows, dout], &start);
        let inputs = lora_apply_f32::Inputs::new(x.view(), a.view(), b.view(), y.view());
        let bits: Vec<u32> = run::<lora_apply_f32::Kernel>(inputs).y.data().iter().map(|y| y.to_bits()).collect();
        assert_eq!(bits, start.iter().map(|y| y.to_bits()).collect::<Vec<_>>(), "{rows} {din} {dout} {r}");

        let inputs = lora_apply_f32_backward::Inputs::new(x.view(), a.view(), b.view(), y.view());
        let outputs = run_backward::<lora_apply_f32::Kernel>(inputs);
        for gradient in [outputs.dx, outputs.da, outputs.db] {
            assert!(gradient.data().iter().all(|gradient| *gradient == 0.0));
        }

        let (x, a, b) = (zeros(&[rows, din]), zeros(&[r, din]), zeros(&[dout, r]));
        let start: Vec<f16> = start.iter().map(|y| f16::from_f32(*y)).collect();
        let y = tensor(&[rows, dout], &start);
        let inputs = lora_apply_f16::Inputs::new(x.view(), a.view(), b.view(), y.view());
        let bits: Vec<u16> = run::<lora_apply_f16::Kernel>(inputs).y.data().iter().map(|y| y.to_bits()).collect();
        assert_eq!(bits, start.iter().map(|y| y.to_bits()).collect::<Vec<_>>(), "{rows} {din} {dout} {r}");
    }
}
