//! Kernels that are bound by their tensors' names.

use kernelpack_host::{
    Error, Tensor,
    abi::{DType, ParamValue, Shape},
    error::BadCall,
    tensor::{DynTensor, DynView, DynViewMut},
};
use kernelpack_kernels::{lora_apply_f32, rmsnorm_f32};
use kernelpack_tests::pack;

use crate::{alone, chain::values};

const ROWS: usize = 4;
const DIM: usize = 1024;

fn tensor(dims: &[usize], seed: u32) -> Tensor<f32> {
    Tensor::from_slice(&values(dims.iter().product(), seed), dims).unwrap()
}

#[track_caller]
fn is_refused(result: Result<impl Sized, Error>, fits: impl FnOnce(&BadCall) -> bool) {
    match result.map(|_| ()) {
        Err(Error::BadCall(bad)) => assert!(fits(&bad), "{bad}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn results_are_those_of_a_typed_call_and_nothing_is_copied() {
    let _alone = alone();
    let pack = pack::runtime().open(pack::core()).unwrap();
    let (typed, named) = (pack.kernel::<rmsnorm_f32::Kernel>().unwrap(), pack.kernel_named("rmsnorm_f32").unwrap());
    let (mut x, weight) = (tensor(&[ROWS, DIM], 1), tensor(&[DIM], 2));
    let (mut y, mut expected) =
        (Tensor::<f32>::zeros(&[ROWS, DIM]).unwrap(), Tensor::<f32>::on_heap(&[ROWS, DIM]).unwrap());
    // Names may be in any order, and missing scalars have their defaults.
    let inputs = [("weight", (&weight).into()), ("x", (&x).into())];
    let mut bound = named.bind(&inputs, &mut [("y", (&mut y).into())], &[("eps", ParamValue::F32(0.5))]).unwrap();
    assert_eq!((bound.copied_bytes(), bound.threads()), (0, 1));
    for (step, eps) in [None, Some(0.25), None].into_iter().enumerate() {
        x.as_mut_slice()[step] += 1.0;
        let params = eps.map(|eps| ("eps", ParamValue::F32(eps)));
        let inputs = [("x", (&x).into()), ("weight", (&weight).into())];
        bound.call(&inputs, &mut [("y", (&mut y).into())], params.as_slice()).unwrap();
        let args = rmsnorm_f32::Args::new(x.view(), weight.view(), expected.view_mut());
        typed.call(rmsnorm_f32::Args { eps: eps.unwrap_or(args.eps), ..args }).unwrap();
        assert_eq!(y.as_slice(), expected.as_slice());
    }
}

#[test]
fn in_out_tensors_are_outputs_and_optional_ones_stay_out() {
    let _alone = alone();
    let pack = pack::runtime().open(pack::core()).unwrap();
    let signature = pack.kernel_named("lora_apply_f32").unwrap().signature().clone();
    let (typed, named) =
        (pack.kernel::<lora_apply_f32::Kernel>().unwrap(), pack.kernel_named("lora_apply_f32").unwrap());
    let names: Vec<&str> = signature.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    assert_eq!(names[..4], ["x", "a", "b", "y"], "{names:?}");
    let (x, a, b) = (tensor(&[2, 64], 3), tensor(&[4, 64], 4), tensor(&[32, 4], 5));
    let (mut y, mut expected) = (tensor(&[2, 32], 6), tensor(&[2, 32], 6));
    let inputs = [("x", (&x).into()), ("a", (&a).into()), ("b", (&b).into())];
    let mut bound = named.bind(&inputs, &mut [("y", (&mut y).into())], &[]).unwrap();
    for _ in 0..2 {
        bound.call(&inputs, &mut [("y", (&mut y).into())], &[]).unwrap();
        typed.call(lora_apply_f32::Args::new(x.view(), a.view(), b.view(), expected.view_mut())).unwrap();
        assert_eq!(y.as_slice(), expected.as_slice());
    }
    is_refused(
        bound.call(&inputs[..2], &mut [("y", (&mut y).into())], &[]),
        |bad| matches!(bad, BadCall::MissingTensor { name, .. } if name == "b"),
    );
}

#[test]
fn tensors_of_the_program_are_copied() {
    let _alone = alone();
    let pack = pack::runtime().open(pack::core()).unwrap();
    let kernel = pack.kernel_named("rmsnorm_f32").unwrap();
    let (x, weight) = (tensor(&[ROWS, DIM], 7), tensor(&[DIM], 8));
    let inputs: [(&str, DynView<'_>); 2] = [("x", (&x).into()), ("weight", (&weight).into())];
    let expected = kernel.run(&inputs, &[]).unwrap().remove(0);
    let mut y = DynTensor { bytes: vec![0; expected.bytes.len()], ..expected.clone() };
    let mut bound = kernel.bind(&inputs, &mut [("y", (&mut y).into())], &[]).unwrap();
    assert_eq!(bound.copied_bytes(), (4 * ROWS * DIM) as u64);
    bound.call(&inputs, &mut [("y", (&mut y).into())], &[]).unwrap();
    assert_eq!(y, expected);
    // Another tensor of the same shape is accepted, since it is copied as well.
    let mut other = DynTensor { bytes: vec![0; expected.bytes.len()], ..expected.clone() };
    bound.call(&inputs, &mut [("y", (&mut other).into())], &[]).unwrap();
    assert_eq!(other, expected);
}

#[test]
fn a_binding_takes_its_own_tensors_only() {
    let _alone = alone();
    let pack = pack::runtime().open(pack::core()).unwrap();
    let kernel = pack.kernel_named("rmsnorm_f32").unwrap();
    let (x, other, weight) = (tensor(&[2, 8], 9), tensor(&[2, 8], 10), tensor(&[8], 11));
    let mut y = Tensor::<f32>::zeros(&[2, 8]).unwrap();
    let inputs: [(&str, DynView<'_>); 2] = [("x", (&x).into()), ("weight", (&weight).into())];
    let mut bound = kernel.bind(&inputs, &mut [("y", (&mut y).into())], &[]).unwrap();
    let mut call = |x: DynView<'_>, y: DynViewMut<'_>| bound.call(&[("x", x), inputs[1]], &mut [("y", y)], &[]);
    is_refused(
        call((&other).into(), (&mut y).into()),
        |bad| matches!(bad, BadCall::NotBound { name, .. } if name == "x"),
    );
    let flat = DynView { shape: Shape::new(&[1, 16]).unwrap(), ..(&x).into() };
    is_refused(call(flat, (&mut y).into()), |bad| matches!(bad, BadCall::Shape { .. }));
    // The same bytes with another element type.
    let typed = DynView { dtype: DType::I32, ..(&x).into() };
    is_refused(call(typed, (&mut y).into()), |bad| matches!(bad, BadCall::DType { name, .. } if name == "x"));
    call((&x).into(), (&mut y).into()).unwrap();

    let refuses = |inputs: &[(&str, DynView<'_>)],
                   outputs: &[(&'static str, usize)],
                   params: &[_],
                   fits: fn(&BadCall) -> bool| {
        let (shape, mut bytes) = (Shape::new(&[2, 8]).unwrap(), [[0; 64]; 2]);
        let view = |((name, len), bytes): (&(&'static str, usize), _)| {
            let bytes: &mut [u8; 64] = bytes;
            (*name, DynViewMut { dtype: DType::F32, shape, bytes: &mut bytes[..*len] })
        };
        let mut outputs: Vec<_> = outputs.iter().zip(&mut bytes).map(view).collect();
        is_refused(kernel.bind(inputs, &mut outputs, params), fits);
    };
    let y = ("y", 64);
    refuses(&inputs[..1], &[y], &[], |bad| matches!(bad, BadCall::MissingTensor { name, .. } if name == "weight"));
    refuses(&inputs, &[], &[], |bad| matches!(bad, BadCall::MissingTensor { name, .. } if name == "y"));
    refuses(&inputs, &[("x", 64)], &[], |bad| matches!(bad, BadCall::UnknownArgument { what: "output", .. }));
    refuses(&[inputs[0], ("y", (&x).into())], &[y], &[], |bad| {
        matches!(bad, BadCall::UnknownArgument { what: "input", .. })
    });
    refuses(&inputs, &[y], &[("epsilon", ParamValue::F32(0.0))], |bad| {
        matches!(bad, BadCall::UnknownArgument { what: "parameter", .. })
    });
    refuses(&inputs, &[y, y], &[], |bad| matches!(bad, BadCall::RepeatedArgument { what: "output", .. }));
    refuses(&inputs, &[y], &[("eps", ParamValue::U32(0))], |bad| matches!(bad, BadCall::ParamType { .. }));
    refuses(&inputs, &[("y", 60)], &[], |bad| matches!(bad, BadCall::Size { .. }));
    assert_eq!(kernel.occupancy().bound, 1, "the one that is bound");
}
