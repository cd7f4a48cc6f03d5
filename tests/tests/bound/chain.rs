//! Tests results, chains of calls, and the number of copied bytes. WAMR copies everything, so tests about pages run on
//! Wasmtime only.

use kernelpack_host::{Error, Tensor, error::BadCall};
use kernelpack_kernels::{kv_pack_q8, rmsnorm_f32, swiglu_f32};
use kernelpack_tests::{apply, engine::Engine, on_each_engine, pack};

use crate::{alone, core};

const ROWS: usize = 8;
const DIM: usize = 1024;

/// Returns arbitrary numbers.
pub(crate) fn values(len: usize, seed: u32) -> Vec<f32> {
    let next = |state: &mut u32| {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some((*state >> 8) as f32 / 8_388_608.0 - 1.0)
    };
    std::iter::repeat_with({
        let mut state = seed;
        move || next(&mut state).unwrap()
    })
    .take(len)
    .collect()
}

#[apply(on_each_engine)]
fn results_are_those_of_a_copying_call_bit_for_bit(engine: Engine) {
    let _alone = alone();
    let pack = core(engine);
    let kernel = pack.kernel::<rmsnorm_f32::Kernel>().unwrap();
    let x = Tensor::from_slice(&values(ROWS * DIM, 1), &[ROWS, DIM]).unwrap();
    let weight = Tensor::from_slice(&values(DIM, 2), &[DIM]).unwrap();
    let mut y = Tensor::zeros(&[ROWS, DIM]).unwrap();
    let mut expected = Tensor::on_heap(&[ROWS, DIM]).unwrap();

    let mut bound = kernel.bind(rmsnorm_f32::Args::new(x.view(), weight.view(), y.view_mut())).unwrap();
    assert_eq!(bound.copied_bytes() == 0, engine.maps_tensors());
    for eps in [1e-5, 1e-2] {
        let args = rmsnorm_f32::Args { eps, ..rmsnorm_f32::Args::new(x.view(), weight.view(), y.view_mut()) };
        bound.call(args).unwrap();
        let args = rmsnorm_f32::Args { eps, ..rmsnorm_f32::Args::new(x.view(), weight.view(), expected.view_mut()) };
        kernel.call(args).unwrap();
        let bits = |tensor: &Tensor<f32>| tensor.as_slice().iter().map(|y| y.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&y), bits(&expected));
    }
}

#[apply(on_each_engine)]
fn a_chain_of_kernels_shares_its_tensors(engine: Engine) {
    let _alone = alone();
    let pack = core(engine);
    let mut x = Tensor::from_slice(&values(ROWS * DIM, 3), &[ROWS, DIM]).unwrap();
    let weight = Tensor::from_slice(&values(DIM, 4), &[DIM]).unwrap();
    let (mut normed, mut y) = (Tensor::zeros(&[ROWS, DIM]).unwrap(), Tensor::zeros(&[ROWS, DIM]).unwrap());

    let norm = pack.kernel::<rmsnorm_f32::Kernel>().unwrap();
    let mut bound_norm = norm.bind(rmsnorm_f32::Args::new(x.view(), weight.view(), normed.view_mut())).unwrap();
    let glu = pack.kernel::<swiglu_f32::Kernel>().unwrap();
    let mut bound_glu = glu.bind(swiglu_f32::Args::new(x.view(), normed.view(), y.view_mut())).unwrap();
    for step in 0..3 {
        // The host writes to an input between calls, and the binding needs no notice of that.
        x.as_mut_slice()[step] = step as f32 + 10.0;
        bound_norm.call(rmsnorm_f32::Args::new(x.view(), weight.view(), normed.view_mut())).unwrap();
        bound_glu.call(swiglu_f32::Args::new(x.view(), normed.view(), y.view_mut())).unwrap();

        let (mut by_copy, mut end) = (Tensor::on_heap(&[ROWS, DIM]).unwrap(), Tensor::on_heap(&[ROWS, DIM]).unwrap());
        norm.call(rmsnorm_f32::Args::new(x.view(), weight.view(), by_copy.view_mut())).unwrap();
        glu.call(swiglu_f32::Args::new(x.view(), by_copy.view(), end.view_mut())).unwrap();
        assert_eq!(y.as_slice(), end.as_slice());
    }
}

#[apply(on_each_engine)]
fn what_is_not_in_a_tensor_is_copied(engine: Engine) {
    let _alone = alone();
    let pack = core(engine);
    let kernel = pack.kernel::<rmsnorm_f32::Kernel>().unwrap();
    let x = Tensor::from_slice(&values(ROWS * DIM, 5), &[ROWS, DIM]).unwrap();
    let mut weight = Tensor::on_heap(&[DIM]).unwrap();
    let (mut y, mut expected) = (Tensor::on_heap(&[ROWS, DIM]).unwrap(), Tensor::on_heap(&[ROWS, DIM]).unwrap());
    let mut bound = kernel.bind(rmsnorm_f32::Args::new(x.view(), weight.view(), y.view_mut())).unwrap();
    let mapped = if engine.maps_tensors() { ROWS * DIM } else { 0 };
    assert_eq!(bound.copied_bytes(), 4 * (2 * ROWS * DIM + DIM - mapped) as u64);
    for seed in [6, 7] {
        weight.as_mut_slice().copy_from_slice(&values(DIM, seed));
        bound.call(rmsnorm_f32::Args::new(x.view(), weight.view(), y.view_mut())).unwrap();
        kernel.call(rmsnorm_f32::Args::new(x.view(), weight.view(), expected.view_mut())).unwrap();
        assert_eq!(y.as_slice(), expected.as_slice());
    }
}

#[apply(on_each_engine)]
fn a_binding_takes_its_own_tensors_only(engine: Engine) {
    let _alone = alone();
    let pack = core(engine);
    let kernel = pack.kernel::<rmsnorm_f32::Kernel>().unwrap();
    let (x, other) = (Tensor::zeros(&[2, 8]).unwrap(), Tensor::<f32>::zeros(&[2, 8]).unwrap());
    let (weight, mut y) = (Tensor::zeros(&[8]).unwrap(), Tensor::zeros(&[2, 8]).unwrap());
    let mut bound = kernel.bind(rmsnorm_f32::Args::new(x.view(), weight.view(), y.view_mut())).unwrap();
    let called = bound.call(rmsnorm_f32::Args::new(other.view(), weight.view(), y.view_mut()));
    if engine.maps_tensors() {
        assert_eq!(
            called.unwrap_err().to_string(),
            "bad call: input \"x\" is not the one that the kernel is bound to; bind the kernel to each set of tensors"
        );
    } else {
        // A copied tensor may move between calls.
        called.unwrap();
    }
    // The same memory in another shape counts as another tensor.
    let flat = kernelpack_host::abi::TensorView::new(x.as_slice(), &[1, 16]).unwrap();
    let refused = bound.call(rmsnorm_f32::Args::new(flat, weight.view(), y.view_mut())).unwrap_err();
    assert!(matches!(refused, Error::BadCall(bad) if matches!(*bad, BadCall::Shape { .. })));
    // A part of a tensor counts as another tensor, too.
    let mut row = Tensor::zeros(&[1, 8]).unwrap();
    let first = kernelpack_host::abi::TensorView::new(&x.as_slice()[..8], &[1, 8]).unwrap();
    assert_eq!(
        bound.call(rmsnorm_f32::Args::new(first, weight.view(), row.view_mut())).unwrap_err().to_string(),
        "bad call: input \"x\" is 1x8, but the kernel is bound to a 2x8 tensor; bind it to the new shape as well"
    );
    bound.call(rmsnorm_f32::Args::new(x.view(), weight.view(), y.view_mut())).unwrap();
}

#[test]
fn pages_of_a_tensor_are_mapped_by_themselves() {
    let _alone = alone();
    let pack = pack::runtime().open(pack::core()).unwrap();
    let kernel = pack.kernel::<rmsnorm_f32::Kernel>().unwrap();
    // A cache of two slots of one page each, and another that starts within a page.
    let cache = Tensor::from_slice(&values(2 * DIM, 8), &[2, DIM]).unwrap();
    let (weight, mut y) = (Tensor::from_slice(&values(DIM, 9), &[DIM]).unwrap(), Tensor::zeros(&[1, DIM]).unwrap());
    let slot = kernelpack_host::abi::TensorView::new(&cache.as_slice()[DIM..], &[1, DIM]).unwrap();
    let mut bound = kernel.bind(rmsnorm_f32::Args::new(slot, weight.view(), y.view_mut())).unwrap();
    assert_eq!(bound.copied_bytes(), 0);
    bound.call(rmsnorm_f32::Args::new(slot, weight.view(), y.view_mut())).unwrap();
    let mut expected = Tensor::on_heap(&[1, DIM]).unwrap();
    kernel.call(rmsnorm_f32::Args::new(slot, weight.view(), expected.view_mut())).unwrap();
    assert_eq!(y.as_slice(), expected.as_slice());

    let within = kernelpack_host::abi::TensorView::new(&cache.as_slice()[4..DIM + 4], &[1, DIM]).unwrap();
    let bound = kernel.bind(rmsnorm_f32::Args::new(within, weight.view(), y.view_mut())).unwrap();
    assert_eq!(bound.copied_bytes(), 4 * DIM as u64, "its pages hold other elements as well");
}

#[apply(on_each_engine)]
fn quantized_caches_are_written_in_place(engine: Engine) {
    let _alone = alone();
    let pack = core(engine);
    let kernel = pack.kernel::<kv_pack_q8::Kernel>().unwrap();
    let x = Tensor::from_slice(&values(ROWS * DIM, 10), &[ROWS, DIM]).unwrap();
    let inputs = kv_pack_q8::Inputs::new(x.view());
    let expected = kernel.run(inputs).unwrap();
    let mut y = Tensor::zeros(&[ROWS, DIM / 32]).unwrap();
    let mut bound = kernel.bind(kv_pack_q8::Args::new(x.view(), y.view_mut())).unwrap();
    bound.call(kv_pack_q8::Args::new(x.view(), y.view_mut())).unwrap();
    assert_eq!(y.as_slice(), expected.y.data());
}
