//! Tests features that only WAMR has, and the defaults of `Runtime::embedded`, with small stacks and short deadlines.
//! Other tests cover features that both engines have, on both.

#[cfg(unix)]
#[path = "../deadlines/fixtures.rs"]
mod fixtures;
mod native;
#[cfg(unix)]
mod own;
#[path = "../pool/stub.rs"]
#[allow(dead_code, reason = "the stub does more than these tests need")]
mod stub;
#[path = "../end_to_end/wat_kernel.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod wat_kernel;

use kernelpack_abi::ResourceLimits;
use kernelpack_host::{
    Error, Pack, Runtime, RuntimeBuilder, Tensor, TypedKernel,
    engine::{Execution, Interruption, Wamr},
    error::{ConfigError, KernelError, StartError},
    policy::{BreakerPolicy, FallbackPolicy},
};
use kernelpack_tests::{
    engine::POOL,
    pack::{self, key},
};

use crate::{
    stub::{Args, Forward, SPIN, TRAP, honest, square},
    wat_kernel::{Parts, SPEC},
};

/// Returns WAMR with the pool that all tests of this program share.
fn wamr(execution: Execution) -> Wamr {
    Wamr::new().execution(execution).pool_bytes(POOL)
}

fn embedded() -> RuntimeBuilder {
    let runtime = Runtime::builder(wamr(Execution::Interpreted)).trust(key().public());
    runtime.fallback(FallbackPolicy::Never).breaker(BreakerPolicy::Never)
}

fn kernel(parts: &Parts) -> (Pack, TypedKernel<Forward>) {
    let pack = embedded().build().unwrap().open(honest(parts).path()).unwrap();
    let kernel = pack.kernel::<Forward>().unwrap();
    (pack, kernel)
}

fn call(kernel: &TypedKernel<Forward>, mode: i32) -> Result<Vec<f32>, Error> {
    let (x, mut y) = (Tensor::from_slice(&[1.0, 2.0, 3.0, 4.0], &[4]).unwrap(), Tensor::zeros(&[4]).unwrap());
    kernel.call(Args { x: x.view(), y: y.view_mut(), mode })?;
    Ok(y.as_slice().to_vec())
}

fn trap(result: Result<Vec<f32>, Error>) -> KernelError {
    match result {
        Err(Error::Kernel(trapped)) => trapped.error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn calls_give_results_and_a_trap_or_a_deadline_costs_nothing_but_its_instance() {
    let (_pack, kernel) = kernel(&square(SPEC.limits));
    assert_eq!(kernel.interruption(), Interruption::Epoch);
    for round in 0..3 {
        assert_eq!(call(&kernel, round).unwrap(), [1.0, 4.0, 9.0, 16.0].map(|square| square + round as f32));
        assert_eq!(trap(call(&kernel, TRAP)), KernelError::Unreachable);
        assert_eq!(trap(call(&kernel, SPIN)), KernelError::EpochDeadline);
    }
    assert_eq!(call(&kernel, 0).unwrap(), [1.0, 4.0, 9.0, 16.0]);
}

#[test]
fn a_tensor_that_memory_or_pool_has_no_room_for_is_refused() {
    let limits = ResourceLimits { max_memory_pages: 64, ..SPEC.limits };
    let (_pack, kernel) = kernel(&square(limits));
    let call = |floats: usize| {
        let (x, mut y) = (Tensor::<f32>::zeros(&[floats]).unwrap(), Tensor::zeros(&[floats]).unwrap());
        kernel.call(Args { x: x.view(), y: y.view_mut(), mode: 0 })
    };
    call(400_000).unwrap();
    assert!(matches!(call(600_000), Err(Error::BadCall(_))));
}

#[test]
fn a_pack_whose_kernels_need_simd_alone_is_refused() {
    let copy = pack::Copy::of(pack::core());
    let mut manifest = copy.manifest();
    for kernel in &mut manifest.kernels {
        let features = kernel.platforms["wasmtime"].features.clone();
        let wamr = kernel.platforms.get_mut("wamr").unwrap();
        std::fs::remove_file(copy.path().join(wamr.module.take().unwrap().path)).unwrap();
        wamr.features = features;
    }
    copy.sign(&manifest.to_json());
    let refused = embedded().build().unwrap().open(copy.path()).unwrap_err().to_string();
    assert!(refused.contains("needs the WebAssembly feature \"simd\""), "{refused}");
}

#[test]
fn what_one_runtime_cannot_have_is_said() {
    let runtime = embedded().build().unwrap();
    assert_eq!(runtime.compatibility().engine, "wamr");
    let other = embedded().engine(wamr(Execution::Interpreted).pool_bytes(POOL * 2)).build().unwrap_err().to_string();
    assert!(other.contains("choose one size"), "{other}");
    let paged = embedded().engine(wamr(Execution::Interpreted).interruption(Interruption::PageProtection));
    let paged = paged.build().unwrap_err();
    assert!(matches!(paged, Error::Config(ConfigError::Start(StartError::Settings(_)))), "{paged}");
}

#[test]
fn an_empty_function_is_called() {
    embedded().build().unwrap().raw_call().unwrap().repeat(1000).unwrap();
}
