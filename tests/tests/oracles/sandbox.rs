//! Runs a call in [every engine](pack::engines) and natively, and requires the same bits.

use kernelpack_abi::{DType, Infer, Kernel, TensorData};
use kernelpack_guest::f16;
use kernelpack_host::Error;
use kernelpack_tests::pack;

/// Runs a kernel both ways and returns its results.
pub(crate) fn run<'i, K>(inputs: K::Inputs<'i>) -> K::Outputs
where
    K: Kernel + Infer,
    K::Inputs<'i>: Copy,
{
    let mut called = None;
    for (engine, pack) in pack::engines() {
        let kernel = pack.kernel::<K>().unwrap();
        let results = both::<K>(engine, inputs, |args| kernel.call(args));
        called.get_or_insert((kernel, results));
    }
    let (kernel, mut called) = called.unwrap();
    let mut allocated = kernel.run(inputs).unwrap();
    assert_eq!(bits::<K>(inputs, &mut called), bits::<K>(inputs, &mut allocated), "call and run");
    called
}

/// Runs the backward pass of a kernel both ways and returns its results.
pub(crate) fn run_backward<'i, K>(inputs: <K::Backward as Infer>::Inputs<'i>) -> <K::Backward as Infer>::Outputs
where
    K: Kernel,
    K::Backward: Infer,
    <K::Backward as Infer>::Inputs<'i>: Copy,
{
    let kernels = pack::engines().iter().map(|(engine, pack)| (engine, pack.kernel::<K>().unwrap()));
    let mut results = kernels.map(|(engine, kernel)| both::<K::Backward>(engine, inputs, |args| kernel.backward(args)));
    let first = results.next().unwrap();
    results.for_each(drop);
    first
}

/// Runs a pass both ways, compares the results, and returns those of the sandbox.
fn both<'i, P>(engine: &str, inputs: P::Inputs<'i>, enter: impl FnOnce(P::Args<'_>) -> Result<(), Error>) -> P::Outputs
where
    P: Infer,
    P::Inputs<'i>: Copy,
{
    let [mut sandboxed, mut native] = [0xa5, 0x5a].map(|garbage| {
        let mut outputs = P::allocate(&inputs).unwrap();
        litter::<P>(inputs, &mut outputs, garbage);
        outputs
    });
    enter(P::join(inputs, &mut sandboxed)).unwrap();
    P::reference(P::join(inputs, &mut native)).unwrap();
    let tensors = bits::<P>(inputs, &mut sandboxed).into_iter().zip(bits::<P>(inputs, &mut native));
    for (index, (sandboxed, native)) in tensors.enumerate() {
        let differs = sandboxed.iter().zip(&native).position(|(sandboxed, native)| sandboxed != native);
        if let Some(at) = differs {
            let (sandboxed, native) = (&sandboxed[at], &native[at]);
            panic!("result {index} [{at}]: {sandboxed:x?} in the sandbox of {engine}, {native:x?} natively");
        }
        assert_eq!(sandboxed.len(), native.len());
    }
    sandboxed
}

/// Fills the outputs with garbage, so that elements which a pass does not write are noticed.
fn litter<'i, P: Infer>(inputs: P::Inputs<'i>, outputs: &mut P::Outputs, garbage: u8) {
    P::lend(P::join(inputs, outputs), |tensors, _| {
        for tensor in tensors {
            if let TensorData::Out(bytes) = &mut tensor.data {
                bytes.fill(garbage);
            }
        }
    });
}

/// Returns the elements of the results, tensor by tensor; all NaNs are made equal.
///
/// WebAssembly lets the engine choose the sign and the payload of a NaN.
fn bits<'i, P: Infer>(inputs: P::Inputs<'i>, outputs: &mut P::Outputs) -> Vec<Vec<Vec<u8>>> {
    P::lend(P::join(inputs, outputs), |tensors, _| {
        let mut all = Vec::new();
        for tensor in tensors {
            if let TensorData::Out(bytes) | TensorData::InOut(bytes) = &tensor.data {
                let elements = bytes.chunks_exact(tensor.dtype.size() as usize);
                all.push(elements.map(|element| canonical(tensor.dtype, element)).collect());
            }
        }
        all
    })
}

fn canonical(dtype: DType, element: &[u8]) -> Vec<u8> {
    let mut bytes = element.to_vec();
    if dtype == DType::F32 {
        if f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]).is_nan() {
            bytes.copy_from_slice(&f32::NAN.to_le_bytes());
        }
    } else if f16::from_le_bytes([bytes[0], bytes[1]]).is_nan() {
        // The NaN is an f16, or the scale at the start of a block.
        bytes[..2].copy_from_slice(&f16::NAN.to_le_bytes());
    }
    bytes
}
