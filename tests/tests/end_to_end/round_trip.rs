//! Checks that every way of calling gives the right results.

use kernelpack_abi::{DType, Infer, Kernel, ParamValue, Pass, TensorBuf, TensorView};
use kernelpack_host::{
    Error,
    tensor::{DynView, DynViewMut},
};
use kernelpack_kernels::{rmsnorm_f32, rope_f32, swiglu_f32};
use kernelpack_tests::{
    apply,
    engine::Engine,
    golden::{Golden, largest_error},
    on_each_engine,
};
use zerocopy::IntoBytes as _;

/// Runs a kernel typed, dynamic and natively; all three agree bit for bit, and with the reference within the bound.
fn agree<'a, K>(
    engine: Engine,
    golden: &Golden,
    bound: f64,
    inputs: K::Inputs<'a>,
    named: &[(&str, DynView<'_>)],
    params: &[(&str, ParamValue)],
    result: impl Fn(&K::Outputs) -> &TensorBuf<f32>,
) where
    K: Kernel + Infer,
    K::Inputs<'a>: Copy,
{
    let pack = engine.core_pack();
    let typed = pack.kernel::<K>().unwrap().run(inputs).unwrap();
    let typed = result(&typed);

    let mut native = K::allocate(&inputs).unwrap();
    K::reference(K::join(inputs, &mut native)).unwrap();
    let bits = |tensor: &TensorBuf<f32>| tensor.data().iter().map(|y| y.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(typed), bits(result(&native)), "{}: sandbox and native", golden.name);

    let dynamic = pack.kernel_named(K::SPEC.id).unwrap().run(named, params).unwrap();
    let bytes: Vec<u8> = typed.data().iter().flat_map(|y| y.to_le_bytes()).collect();
    assert_eq!((dynamic.len(), dynamic[0].name.as_str(), dynamic[0].shape), (1, "y", typed.shape()));
    assert_eq!(dynamic[0].bytes, bytes, "{}: typed and dynamic", golden.name);

    let mut y = vec![f32::NAN; typed.data().len()];
    let shape = typed.shape();
    let view = DynViewMut { dtype: DType::F32, shape, bytes: y.as_mut_bytes() };
    pack.kernel_named(K::SPEC.id).unwrap().call(named, &mut [("y", view)], params).unwrap();
    assert_eq!(y.as_bytes(), bytes, "{}: into the caller's output", golden.name);
    let same: Vec<u32> = dynamic[0].to_vec::<f32>().unwrap().into_iter().map(f32::to_bits).collect();
    assert_eq!(same, bits(typed));
    let other = dynamic[0].to_vec::<u32>().unwrap_err().to_string();
    assert_eq!(other, "bad call: tensor \"y\" holds f32, so it cannot be read as u32");

    let error = largest_error(typed.data(), &golden.f64("y"));
    assert!(error <= bound, "{}: {error:e} is over {bound:e}", golden.name);
}

#[apply(on_each_engine)]
fn rmsnorm_matches_its_golden_files(engine: Engine) {
    for golden in Golden::of("rmsnorm_f32") {
        let (x, weight, eps) = (golden.f32("x"), golden.f32("weight"), golden.param("eps"));
        let inputs = rmsnorm_f32::Inputs { x: x.view(), weight: weight.view(), eps };
        let named = [("x", (&x).into()), ("weight", (&weight).into())];
        let params = [("eps", ParamValue::F32(eps))];
        agree::<rmsnorm_f32::Kernel>(engine, &golden, 2e-6, inputs, &named, &params, |outputs| &outputs.y);
    }
}

#[apply(on_each_engine)]
fn swiglu_matches_its_golden_files(engine: Engine) {
    for golden in Golden::of("swiglu_f32") {
        let (gate, up) = (golden.f32("gate"), golden.f32("up"));
        let inputs = swiglu_f32::Inputs::new(gate.view(), up.view());
        let named = [("up", (&up).into()), ("gate", (&gate).into())];
        agree::<swiglu_f32::Kernel>(engine, &golden, 2e-6, inputs, &named, &[], |outputs| &outputs.y);
    }
}

#[apply(on_each_engine)]
fn rope_matches_its_golden_files_with_and_without_angles(engine: Engine) {
    for golden in Golden::of("rope_f32") {
        let (x, freqs) = (golden.f32("x"), golden.f32("freqs"));
        let (theta, position_offset) = (golden.param("theta"), golden.param("position_offset"));
        let interleaved = golden.param::<String>("layout") == "interleaved";
        let inputs = rope_f32::Inputs { theta, position_offset, interleaved, ..rope_f32::Inputs::new(x.view()) };
        let params = [
            ("theta", ParamValue::F32(theta)),
            ("position_offset", ParamValue::U32(position_offset)),
            ("interleaved", ParamValue::Bool(interleaved)),
        ];
        let named = [("x", (&x).into()), ("freqs", (&freqs).into())];
        agree::<rope_f32::Kernel>(engine, &golden, 4e-6, inputs, &named[..1], &params, |outputs| &outputs.y);
        let inputs = rope_f32::Inputs { freqs: Some(freqs.view()), ..inputs };
        agree::<rope_f32::Kernel>(engine, &golden, 4e-6, inputs, &named, &params, |outputs| &outputs.y);
    }
}

#[apply(on_each_engine)]
fn special_values_propagate(engine: Engine) {
    let pack = engine.core_pack();
    let gate = [f32::NEG_INFINITY, f32::INFINITY, f32::NAN, -1e30, 1e30, 0.0];
    let up = [1.0; 6];
    let view = |data| TensorView::new(data, &[1, 6]).unwrap();
    let swiglu = pack.kernel::<swiglu_f32::Kernel>().unwrap();
    let y = swiglu.run(swiglu_f32::Inputs::new(view(&gate), view(&up))).unwrap().y;
    assert_eq!(y.data()[0], 0.0);
    assert_eq!(y.data()[1], f32::INFINITY);
    assert!(y.data()[2].is_nan());
    assert_eq!(&y.data()[3..], &[-0.0, 1e30, 0.0]);

    let rmsnorm = pack.kernel::<rmsnorm_f32::Kernel>().unwrap();
    let norm = |x: &[f32; 4]| {
        let (x, weight) = (TensorView::new(x, &[1, 4]).unwrap(), TensorView::new(&[1.0; 4], &[4]).unwrap());
        rmsnorm.run(rmsnorm_f32::Inputs::new(x, weight)).unwrap().y.into_data()
    };
    assert_eq!(norm(&[0.0; 4]), [0.0; 4]);
    assert!(norm(&[f32::NAN, 1.0, 1.0, 1.0]).iter().all(|y| y.is_nan()));
    // The squares exceed the range of f32, but their mean does not exceed that of f64.
    assert_eq!(norm(&[1e30; 4]), [1.0; 4]);
}

#[apply(on_each_engine)]
fn empty_tensors_and_odd_extents_work(engine: Engine) {
    let pack = engine.core_pack();
    let rmsnorm = pack.kernel::<rmsnorm_f32::Kernel>().unwrap();
    for (rows, dim) in [(0, 4), (4, 0), (0, 0), (1, 1), (3, 7), (2, 129), (5, 257)] {
        let x: Vec<f32> = (0..rows * dim).map(|i| (i as f32).sin()).collect();
        let weight = vec![0.5; dim];
        let inputs = rmsnorm_f32::Inputs::new(
            TensorView::new(&x, &[rows, dim]).unwrap(),
            TensorView::new(&weight, &[dim]).unwrap(),
        );
        let y = rmsnorm.run(inputs).unwrap().y;
        let mut native = rmsnorm_f32::Kernel::allocate(&inputs).unwrap();
        rmsnorm_f32::Kernel::reference(rmsnorm_f32::Kernel::join(inputs, &mut native)).unwrap();
        assert_eq!(y, native.y, "{rows}x{dim}");
    }
    let rope = pack.kernel::<rope_f32::Kernel>().unwrap();
    for (dims, interleaved) in
        [([1, 3, 2, 2], true), ([2, 1, 1, 34], true), ([2, 5, 1, 50], false), ([1, 0, 2, 8], false)]
    {
        let x: Vec<f32> = (0..dims.iter().product()).map(|i| (i as f32).cos()).collect();
        let inputs = rope_f32::Inputs { interleaved, ..rope_f32::Inputs::new(TensorView::new(&x, &dims).unwrap()) };
        let y = rope.run(inputs).unwrap().y;
        let mut native = rope_f32::Kernel::allocate(&inputs).unwrap();
        rope_f32::Kernel::reference(rope_f32::Kernel::join(inputs, &mut native)).unwrap();
        assert_eq!(y, native.y, "{dims:?}");
    }
    let odd = rope.run(rope_f32::Inputs::new(TensorView::new(&[1.0; 3], &[1, 1, 1, 3]).unwrap())).unwrap_err();
    assert!(matches!(&odd, Error::Kernel(_)));
    assert!(odd.to_string().contains("dim must be even"), "{odd}");
}

#[apply(on_each_engine)]
fn many_threads_call_one_kernel(engine: Engine) {
    let kernel = engine.core_pack().kernel::<swiglu_f32::Kernel>().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let kernel = &kernel;
            scope.spawn(move || {
                let gate: Vec<f32> = (0..300).map(|i| (i + 1000 * thread) as f32 / 100.0 - 10.0).collect();
                let view = || TensorView::new(&gate, &[3, 100]).unwrap();
                let inputs = swiglu_f32::Inputs::new(view(), view());
                let mut expected = swiglu_f32::Kernel::allocate(&inputs).unwrap();
                swiglu_f32::Kernel::reference(swiglu_f32::Kernel::join(inputs, &mut expected)).unwrap();
                for _ in 0..engine.rounds(200) {
                    assert_eq!(kernel.run(inputs).unwrap(), expected);
                }
            });
        }
    });
}
