//! Invalid calls: each is refused before the sandbox is entered, with a message that names the argument and the reason.

use kernelpack_abi::{DType, KernelSpec, ParamValue, Pass, Shape, Signature, TensorBuf, TensorView, TensorViewMut};
use kernelpack_host::{Error, error::BadCall, tensor::DynView};
use kernelpack_kernels::{rmsnorm_f32, rope_f32};
use kernelpack_tests::{apply, engine::Engine, on_both_engines};

fn said<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result.unwrap_err() {
        Error::BadCall(bad) => bad.to_string(),
        other => panic!("not the caller's fault: {other}"),
    }
}

#[apply(on_both_engines)]
fn typed_calls_with_wrong_shapes_are_refused(engine: Engine) {
    let kernel = engine.core_pack().kernel::<rmsnorm_f32::Kernel>().unwrap();
    let (x, weight) = ([1.0; 12], [1.0; 5]);
    let call = |x_dims: &[usize], weight: &[f32], y_dims: &[usize]| {
        let mut y = [0.0; 12];
        kernel.call(rmsnorm_f32::Args::new(
            TensorView::new(&x, x_dims).unwrap(),
            TensorView::new(weight, &[weight.len()]).unwrap(),
            TensorViewMut::new(&mut y, y_dims).unwrap(),
        ))
    };
    call(&[3, 4], &weight[..4], &[3, 4]).unwrap();
    assert_eq!(said(call(&[3, 4], &weight, &[3, 4])), "input \"weight\" needs dim = 4 along axis 0, not 5");
    assert_eq!(said(call(&[3, 4], &weight[..4], &[4, 3])), "output \"y\" needs rows = 3 along axis 0, not 4");
    assert_eq!(said(call(&[12], &weight[..4], &[3, 4])), "input \"x\" needs 2 axes (rows, dim), not 1");
    let too_short = TensorView::new(&x, &[3, 5]).unwrap_err();
    assert_eq!(too_short.to_string(), "a 3x5 tensor has 15 elements, but the slice given has 12");
}

#[apply(on_both_engines)]
fn dynamic_calls_with_wrong_names_types_and_sizes_are_refused(engine: Engine) {
    let pack = engine.core_pack();
    let kernel = pack.kernel_named("rmsnorm_f32").unwrap();
    let x = TensorBuf::<f32>::zeros(&[2, 4]).unwrap();
    let weight = TensorBuf::<f32>::zeros(&[4]).unwrap();
    let halves = TensorBuf::<u8>::zeros(&[2, 4]).unwrap();
    let good: [(&str, DynView<'_>); 2] = [("x", (&x).into()), ("weight", (&weight).into())];
    kernel.run(&good, &[]).unwrap();

    assert_eq!(said(kernel.run(&good[..1], &[])), "input \"weight\" is missing");
    assert_eq!(
        said(kernel.run(&[good[0], ("wieght", good[1].1)], &[])),
        "kernel \"rmsnorm_f32\" has no input \"wieght\"; it has x, weight"
    );
    assert_eq!(said(kernel.run(&[good[0], good[1], good[0]], &[])), "input \"x\" is given twice");
    assert_eq!(
        said(kernel.run(&[("x", (&halves).into()), good[1]], &[])),
        "input \"x\" holds f32, but the tensor given holds u8"
    );
    let short = DynView { bytes: &good[0].1.bytes[..31], ..good[0].1 };
    assert_eq!(
        said(kernel.run(&[("x", short), good[1]], &[])),
        "input \"x\" needs 2x4 f32 (32 bytes), but the tensor given has 31 bytes"
    );
    assert_eq!(
        said(kernel.run(&good, &[("epsilon", ParamValue::F32(1.0))])),
        "kernel \"rmsnorm_f32\" has no parameter \"epsilon\"; it has eps"
    );
    assert_eq!(
        said(kernel.run(&good, &[("eps", ParamValue::U32(1))])),
        "parameter \"eps\" is f32, but the value given is u32"
    );
    // An output is not an input.
    assert_eq!(
        said(kernel.run(&[good[0], good[1], ("y", good[0].1)], &[])),
        "kernel \"rmsnorm_f32\" has no input \"y\"; it has x, weight"
    );
    assert_eq!(
        said(pack.kernel_named("kv_pack_q8").unwrap().backward(&good, &[])),
        "kernel \"kv_pack_q8\" has no backward pass"
    );
    let fixture = engine.runtime().open(engine.fixture("with-std")).unwrap();
    let remembers = fixture.kernel_named("every_kind").unwrap();
    assert_eq!(said(remembers.run(&[], &[])), "parameter \"offset\" (i32) has no default and is missing");
    assert_eq!(said(remembers.run(&[], &[("offset", ParamValue::I32(1))])), "in-out tensor \"counts\" is missing");
}

#[apply(on_both_engines)]
fn unknown_kernels_and_foreign_stubs_are_refused(engine: Engine) {
    let pack = engine.core_pack();
    let message = said(pack.kernel_named("softmax"));
    assert!(message.starts_with("the pack has no kernel \"softmax\"; it has kv_pack_q4, kv_pack_q8, "), "{message}");
    assert!(said(pack.kernel::<kernelpack_fixture_with_std::panics::Kernel>()).contains("no kernel \"panics\""));

    /// A stub of an earlier `rmsnorm_f32` that had no `eps`.
    struct Old;
    impl Pass for Old {
        const SIGNATURE: Signature<'static> = Signature { params: &[], ..rmsnorm_f32::SIGNATURE };
        type Args<'a> = ();
        type Params = ();
        fn reborrow(_: &mut ()) {}
        fn lend<R>(_: (), f: impl FnOnce(&mut [kernelpack_abi::TensorArg<'_>], &[u8]) -> R) -> R {
            f(&mut [], &[])
        }

        fn give<'a>(_: (), _: impl FnMut(kernelpack_abi::TensorArg<'a>), scalars: impl FnOnce(&[u8])) {
            scalars(&[]);
        }
        fn reference(_: ()) -> kernelpack_abi::Result<()> {
            Ok(())
        }
        fn reference_on(_: &mut [kernelpack_abi::TensorArg<'_>], _: &[u8]) -> kernelpack_abi::Result<()> {
            Ok(())
        }
    }
    impl kernelpack_abi::Kernel for Old {
        const SPEC: KernelSpec<'static> = KernelSpec { forward: Self::SIGNATURE, ..rmsnorm_f32::SPEC };
        type Backward = kernelpack_abi::NoBackward;
    }
    let refused = pack.kernel::<Old>().unwrap_err();
    assert!(matches!(&refused, Error::BadCall(bad) if matches!(**bad, BadCall::StubDisagrees { .. })), "{refused}");
    assert!(refused.to_string().contains("eps"), "{refused}");
}

#[apply(on_both_engines)]
fn a_call_over_the_memory_limit_names_both_numbers(engine: Engine) {
    let small = engine.builder().max_memory_pages(40).build().unwrap();
    let kernel = small.open(engine.core()).unwrap().kernel::<rope_f32::Kernel>().unwrap();
    let x = TensorBuf::<f32>::zeros(&[1, 512, 32, 128]).unwrap();
    let message = said(kernel.run(rope_f32::Inputs::new(x.view())));
    assert!(message.starts_with("kernel \"rope_f32\" would need ") && message.contains("its limit is 40"), "{message}");
    // The specification's benchmark fits the manifest's own limits.
    engine.core_pack().kernel::<rope_f32::Kernel>().unwrap().run(rope_f32::Inputs::new(x.view())).unwrap();
}

#[apply(on_both_engines)]
fn extents_that_overflow_are_refused(engine: Engine) {
    let kernel = engine.core_pack().kernel_named("swiglu_f32").unwrap();
    // 2^31 elements of 4 bytes do not fit linear memory, and no buffer can have that many bytes.
    let shape = Shape::new(&[1 << 16, 1 << 15]).unwrap();
    let huge = DynView { dtype: DType::F32, shape, bytes: &[] };
    let message = said(kernel.run(&[("gate", huge), ("up", huge)], &[]));
    assert!(message.contains("8589934592 bytes"), "{message}");
    // An output whose shape follows from the inputs is checked before it is allocated.
    let unpack = engine.core_pack().kernel_named("kv_unpack_q4").unwrap();
    let blocks = vec![0; 18 << 18];
    let shape = Shape::new(&[1, 1 << 18]).unwrap();
    let small = engine.builder().max_memory_pages(250).build().unwrap();
    let view = DynView { dtype: DType::Q4_0, shape, bytes: &blocks };
    unpack.run(&[("x", view)], &[]).unwrap();
    let unpack = small.open(engine.core()).unwrap().kernel_named("kv_unpack_q4").unwrap();
    assert_eq!(
        said(unpack.run(&[("x", view)], &[])),
        "kernel \"kv_unpack_q4\" would need 512 pages of 64 KiB for these tensors, but its limit is 250; make the call \
         smaller, or raise the runtime's max_memory_pages"
    );
}
