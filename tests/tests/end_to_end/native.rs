//! Tests the registry of kernels that are compiled into this program; no engine is involved.

use kernelpack_abi::{
    BlockQ8_0, DType, Kernel, Pass, Shape, Status, TensorArg, TensorData, TensorView, TensorViewMut,
    native::NativeKernel,
};
use kernelpack_guest::f16;
use kernelpack_kernels::{kv_pack_q8, rmsnorm_f32, swiglu_f32};
use zerocopy::IntoBytes as _;

fn find(id: &str) -> &'static NativeKernel {
    NativeKernel::all().find(|kernel| kernel.spec.id == id && kernel.package == "kernelpack-kernels").unwrap()
}

#[test]
fn the_kernels_of_a_linked_crate_are_registered() {
    let ids: Vec<&str> = NativeKernel::all()
        .filter(|kernel| kernel.package == "kernelpack-kernels")
        .map(|kernel| kernel.spec.id)
        .collect();
    assert_eq!(ids.len(), 13, "{ids:?}");
    assert_eq!(*find("rmsnorm_f32").spec, rmsnorm_f32::Kernel::SPEC);
    assert!(find("rmsnorm_f32").backward.is_some());
    assert!(find("rmsnorm_f16").backward.is_none());
}

#[test]
fn bytes_lead_to_the_same_result_as_types() {
    let x: Vec<f32> = (0..192).map(|i| (i as f32 - 90.0) / 7.0).collect();
    let weight: Vec<f32> = (0..64).map(|i| i as f32 / 64.0).collect();
    let (mut typed, mut erased) = (vec![0.0f32; 192], vec![0.0f32; 192]);
    fn args<'a>(x: &'a [f32], weight: &'a [f32], y: &'a mut [f32]) -> rmsnorm_f32::Args<'a> {
        rmsnorm_f32::Args {
            x: TensorView::new(x, &[3, 64]).unwrap(),
            weight: TensorView::new(weight, &[64]).unwrap(),
            y: TensorViewMut::new(y, &[3, 64]).unwrap(),
            eps: 1e-3,
        }
    }
    rmsnorm_f32::Kernel::reference(args(&x, &weight, &mut typed)).unwrap();
    rmsnorm_f32::Kernel::lend(args(&x, &weight, &mut erased), |tensors, scalars| {
        (find("rmsnorm_f32").forward)(tensors, scalars).unwrap();
    });
    assert_eq!(typed, erased);
    assert!(typed.iter().any(|y| *y != 0.0));

    let mut blocks = [BlockQ8_0 { d: f16::ZERO, qs: [0; 32] }; 6];
    let y = TensorViewMut::new(&mut blocks, &[3, 2]).unwrap();
    let args = kv_pack_q8::Args { x: TensorView::new(&x, &[3, 64]).unwrap(), y };
    kv_pack_q8::Kernel::lend(args, |tensors, scalars| (find("kv_pack_q8").forward)(tensors, scalars).unwrap());
    assert!(blocks.iter().any(|block| block.qs != [0; 32]));
}

#[test]
fn rows_that_are_not_the_signatures_are_refused() {
    let words = [0u128; 5];
    let shape = Shape::new(&[2, 4]).unwrap();
    let input = |bytes| TensorArg { dtype: DType::F32, shape, data: TensorData::In(bytes) };
    let refused = |rows: &mut [TensorArg<'_>]| (find("swiglu_f32").forward)(rows, &[]).unwrap_err();
    let (bytes, mut y) = (words.as_bytes(), [0u128; 2]);

    let error = refused(&mut [input(&bytes[..32]), input(&bytes[..32])]);
    assert_eq!(
        (error.status(), error.message()),
        (Status::InvalidParams, "the call has 2 tensors, but the kernel has 3")
    );
    let error = refused(&mut [input(&bytes[..32]), input(&bytes[..32]), input(&bytes[..32])]);
    assert_eq!(error.message(), "a tensor of f32 was passed in another role than the kernel declares");
    let mut out = |first| {
        let y = TensorArg { dtype: DType::F32, shape, data: TensorData::Out(y.as_mut_bytes()) };
        refused(&mut [first, input(&bytes[..32]), y]).message().to_owned()
    };
    assert_eq!(out(input(&bytes[1..33])), "32 bytes are not whole and aligned elements of f32");
    assert_eq!(out(input(&bytes[..36])), "a 2x4 tensor has 8 elements, but the slice given has 9");
    assert_eq!(
        out(TensorArg { dtype: DType::F16, shape, data: TensorData::In(&bytes[..16]) }),
        "a tensor of f16 was passed for one of f32"
    );
    assert_eq!(
        (find("rmsnorm_f32").forward)(&mut [], &[]).unwrap_err().message(),
        "the params block has 0 bytes of scalars, too few"
    );
    assert_eq!(swiglu_f32::Kernel::SPEC.id, "swiglu_f32");
}
