//! Tests what authors may use in a sandbox: allocation, panics, state, every kind of argument.

use kernelpack_abi::{BlockQ8_0, Kernel, KernelInfo, ParamValue, Pass, TensorBuf, TensorView, TensorViewMut};
use kernelpack_fixture_with_std::{
    MAX_SEQ, every_kind, panics, refuses, remembers, remembers_backward, rope_cached, sorts,
};
use kernelpack_fixture_without_std::panics_bare;
use kernelpack_guest::f16;
use kernelpack_host::{Error, Pack, error::KernelError};
use kernelpack_kernels::rope_f32;
use kernelpack_tests::{apply, engine::Engine, on_each_engine};

fn with_std(engine: Engine) -> Pack {
    engine.runtime().open(engine.fixture("with-std")).unwrap()
}

/// Returns the kernel's error, if the kernel failed.
fn trap<T: std::fmt::Debug>(result: Result<T, Error>) -> KernelError {
    match result.unwrap_err() {
        Error::Kernel(trapped) => trapped.error,
        other => panic!("{other}"),
    }
}

#[apply(on_each_engine)]
fn a_panic_arrives_with_its_message_and_place(engine: Engine) {
    let good = [1.0, 2.0];
    let bad = [1.0, -2.0];
    let view = |data| TensorView::new(data, &[2]).unwrap();

    let kernel = with_std(engine).kernel::<panics::Kernel>().unwrap();
    for _ in 0..3 {
        let KernelError::Returned { code: 6, message: Some(message) } =
            trap(kernel.run(panics::Inputs::new(view(&bad))))
        else {
            panic!("no message");
        };
        assert!(message.starts_with("panicked at ") && message.ends_with(": element 1 is -2"), "{message}");
        assert!(message.contains("src/lib.rs:11:9"), "{message}");
        assert_eq!(kernel.run(panics::Inputs::new(view(&good))).unwrap().y.data(), good);
    }

    let pack = engine.runtime().open(engine.fixture("without-std")).unwrap();
    let kernel = pack.kernel::<panics_bare::Kernel>().unwrap();
    let KernelError::Returned { code: 6, message: Some(message) } =
        trap(kernel.run(panics_bare::Inputs::new(view(&bad))))
    else {
        panic!("no message");
    };
    assert!(message.starts_with("panicked at ") && message.ends_with(": element 1 is -2"), "{message}");
    assert_eq!(kernel.run(panics_bare::Inputs::new(view(&good))).unwrap().y.data(), good);
}

#[apply(on_each_engine)]
fn every_status_arrives_with_its_message_and_leaves_outputs_alone(engine: Engine) {
    let kernel = with_std(engine).kernel::<refuses::Kernel>().unwrap();
    let call = |code| {
        let mut y = [7.0f32; 4];
        let result = kernel.call(refuses::Args::new(TensorViewMut::new(&mut y, &[4]).unwrap(), code));
        (result, y)
    };
    for code in [1, 2, 3, 5, 6] {
        let (result, y) = call(code);
        let message = Some(format!("asked for {code}"));
        assert_eq!(trap(result), KernelError::Returned { code: code as u32, message });
        assert_eq!(y, [7.0; 4], "a failed call must not write");
    }
    assert_eq!(trap(call(4).0), KernelError::Returned { code: 4, message: None });
    let KernelError::Returned { code: 3, message: Some(message) } = trap(call(-9).0) else { panic!("no message") };
    assert!(message.starts_with("-9 is no status: é") && message.len() <= 256, "{message}");
    let (result, y) = call(0);
    result.unwrap();
    assert_eq!(y, [1.0; 4]);
}

#[apply(on_each_engine)]
fn a_kernel_may_allocate(engine: Engine) {
    let kernel = with_std(engine).kernel::<sorts::Kernel>().unwrap();
    // Sizes go up and down, so that the host's arena and the guest's heap grow in turns.
    let (more, most) = (engine.rounds(5000), engine.rounds(200_000));
    for (round, (rows, dim)) in [(1, 10), (40, more), (2, 3), (3, most), (7, 7), (60, 2 * more)].into_iter().enumerate()
    {
        let x: Vec<i32> = (0..rows * dim).map(|i| ((i * 7919 + round) % 10_007) as i32 - 5000).collect();
        let y = kernel.run(sorts::Inputs::new(TensorView::new(&x, &[rows, dim]).unwrap())).unwrap().y;
        for (x, y) in x.chunks(dim).zip(y.data().chunks(dim)) {
            let mut expected = x.to_vec();
            expected.sort_unstable();
            assert_eq!(y, expected);
        }
    }
}

/// The arguments of `every_kind`, with two rows of 64.
struct Arguments {
    bytes: Vec<u8>,
    signed: Vec<i8>,
    blocks: Vec<BlockQ8_0>,
    halves: Vec<f16>,
    counts: Vec<u32>,
}

impl Arguments {
    fn new() -> Self {
        let block = |k: i8| BlockQ8_0 { d: f16::from_f32(0.5), qs: std::array::from_fn(|i| i as i8 * 2 - k) };
        Self {
            bytes: (0..6).collect(),
            signed: vec![-100, 100],
            blocks: (0..4).map(block).collect(),
            halves: (0..128).map(|i| f16::from_f32(i as f32 / 8.0)).collect(),
            counts: vec![40, 50],
        }
    }

    fn inputs(&self) -> every_kind::Inputs<'_> {
        every_kind::Inputs {
            signed: Some(TensorView::new(&self.signed, &[2]).unwrap()),
            negate: false,
            ..every_kind::Inputs::new(
                TensorView::new(&self.bytes, &[2, 3]).unwrap(),
                TensorView::new(&self.blocks, &[2, 2]).unwrap(),
                TensorView::new(&self.halves, &[128]).unwrap(),
                TensorView::new(&self.counts, &[2]).unwrap(),
                -3,
            )
        }
    }
}

#[apply(on_each_engine)]
fn every_kind_of_argument_crosses_the_boundary(engine: Engine) {
    let arguments = Arguments::new();
    let pack = with_std(engine);
    for signed in [arguments.inputs().signed, None] {
        let inputs = every_kind::Inputs { signed, ..arguments.inputs() };
        let outputs = pack.kernel::<every_kind::Kernel>().unwrap().run(inputs).unwrap();
        assert_eq!(outputs.counts.data(), [40 + 7 + 2, 50 + 7 + 5]);
        for (index, &y) in outputs.y.data().iter().enumerate() {
            let (row, i) = (index / 64, index % 64);
            let block = arguments.blocks[row * 2 + i / 32];
            let value = 0.5 * f32::from(block.qs[i % 32]);
            let signed = if signed.is_some() { f32::from(arguments.signed[row]) } else { 0.0 };
            assert_eq!(y, core::f32::consts::PI * value + signed - 3.0 + 8.0, "{row} {i}");
        }

        let mut named = vec![
            ("bytes", inputs.bytes.into()),
            ("blocks", inputs.blocks.into()),
            ("halves", inputs.halves.into()),
            ("counts", inputs.counts.into()),
        ];
        named.extend(signed.map(|signed| ("signed", signed.into())));
        let params = [("negate", ParamValue::Bool(false)), ("offset", ParamValue::I32(-3))];
        let results = pack.kernel_named("every_kind").unwrap().run(&named, &params).unwrap();
        let names: Vec<&str> = results.iter().map(|result| result.name.as_str()).collect();
        assert_eq!(names, ["counts", "y"]);
        let y: Vec<u8> = outputs.y.data().iter().flat_map(|y| y.to_le_bytes()).collect();
        assert_eq!(results[1].bytes, y);
    }
}

#[test]
fn the_manifest_describes_every_kind() {
    let pack = with_std(Engine::Wasmtime);
    let entry = pack.manifest().kernel("every_kind").unwrap();
    assert_eq!(
        (entry.path.as_str(), entry.entry_point.as_str(), entry.name.as_str()),
        ("odd/every_kind.wasm", "go", "Every kind")
    );
    let names = |tensors: &[kernelpack_manifest::Tensor]| {
        tensors.iter().map(|tensor| tensor.name.clone()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(&entry.inputs), "bytes signed blocks halves counts");
    assert_eq!(names(&entry.outputs), "counts y");
    assert_eq!(entry.scratch[0].len.to_string(), "rows*(dim+1)");
    assert!(!pack.manifest().fallbacks.contains_key("every_kind"));
    assert_eq!(pack.manifest().fallbacks["panics"], "panics_reference");
}

#[apply(on_each_engine)]
fn lifecycle_and_backward_work(engine: Engine) {
    let kernel = with_std(engine).kernel::<remembers::Kernel>().unwrap();
    // The native function lacks the state that `init` makes in an instance, so it never replaces the kernel.
    assert_eq!(kernel.reference_name(), None);
    let x = TensorBuf::zeros(&[4]).map(|mut x: TensorBuf<f32>| {
        x.data_mut().copy_from_slice(&[1.0, 2.0, 3.0, 4.0]);
        x
    });
    let x = x.unwrap();
    assert_eq!(kernel.run(remembers::Inputs::new(x.view())).unwrap().y.data(), [30.0, 60.0, 90.0, 120.0]);
    let mut dx = TensorBuf::zeros(&[4]).unwrap();
    kernel.backward(remembers_backward::Args::new(x.view(), dx.view_mut())).unwrap();
    assert_eq!(dx.data(), [30.0, 60.0, 90.0, 120.0]);
    // The reference of a backward pass is the author's native function as well.
    let mut native = TensorBuf::zeros(&[4]).unwrap();
    remembers_backward::Backward::reference(remembers_backward::Args::new(x.view(), native.view_mut())).unwrap();
    assert_eq!(native, dx);
    let dynamic = with_std(engine).kernel_named("remembers").unwrap().backward(&[("dy", (&x).into())], &[]).unwrap();
    assert_eq!((dynamic[0].name.as_str(), dynamic[0].bytes.len()), ("dx", 16));
}

#[apply(on_each_engine)]
fn a_cache_of_rotations_is_built_once_and_serves_every_call(engine: Engine) {
    let kernel = with_std(engine).kernel::<rope_cached::Kernel>().unwrap();
    let rotated = engine.core_pack().kernel::<rope_f32::Kernel>().unwrap();
    let x: Vec<f32> = (0..MAX_SEQ * 64).map(|i| ((i * 7919) % 2003) as f32 / 1000.0 - 1.0).collect();
    // Each call finds the state of the previous calls: a new instance would start counting again, or refuse.
    for (calls, seq) in (1u32..).zip([1, MAX_SEQ, 3, 100]) {
        let (flat, heads) =
            (TensorView::new(&x[..seq * 64], &[seq, 64]), TensorView::new(&x[..seq * 64], &[1, seq, 1, 64]));
        let outputs = kernel.run(rope_cached::Inputs::new(flat.unwrap())).unwrap();
        assert_eq!(outputs.calls.data(), [calls]);
        let expected = rotated.run(rope_f32::Inputs::new(heads.unwrap())).unwrap().y;
        for (y, expected) in outputs.y.data().iter().zip(expected.data()) {
            assert!((y - expected).abs() <= 1e-6, "{y} is not {expected}");
        }
    }
    // A refusal leaves the instance unchanged.
    let zeros = vec![0.0; (MAX_SEQ + 1) * 64];
    let long = rope_cached::Inputs::new(TensorView::new(&zeros, &[MAX_SEQ + 1, 64]).unwrap());
    let message = "seq must be at most 512, for which there are rotations; it is 513".to_owned();
    assert_eq!(trap(kernel.run(long)), KernelError::Returned { code: 1, message: Some(message) });
    let short = rope_cached::Inputs::new(TensorView::new(&zeros[..64], &[1, 64]).unwrap());
    let KernelError::Returned { code: 3, .. } = trap(kernel.run(rope_cached::Inputs { theta: 2.0, ..short })) else {
        panic!("another theta was taken");
    };
    assert_eq!(kernel.run(short).unwrap().calls.data(), [5]);
}

#[apply(on_each_engine)]
fn kernel_info_says_what_the_manifest_says(engine: Engine) {
    let pack = with_std(engine);
    for id in ["every_kind", "remembers"] {
        let (info, name) = pack.kernel_named(id).unwrap().info().unwrap();
        let spec = if id == "remembers" { remembers::Kernel::SPEC } else { every_kind::Kernel::SPEC };
        assert_eq!((info.abi_version, name.as_deref()), (kernelpack_abi::ABI_VERSION, Some(id)));
        assert_eq!(info.tensor_count as usize, spec.forward.tensors.len());
        assert_eq!(info.param_count as usize, spec.forward.params.len());
        let all = KernelInfo::HAS_INIT | KernelInfo::HAS_BACKWARD | KernelInfo::HAS_CLEANUP;
        let optional = if id == "remembers" { all } else { 0 };
        assert_eq!(info.flags, KernelInfo::HAS_FORWARD_BATCH | optional);
    }
}
