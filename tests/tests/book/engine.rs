//! The examples of `docs/src/engine-developer.md`, word for word. Those that need no file of their own are run.

use std::{error::Error as StdError, time::Duration};

use kernelpack_host::{
    Error, Pack, PublicKey, Runtime, Tensor, TypedKernel,
    abi::{ParamValue, view, view_mut},
    engine::{NativeCompiler, Wamr, Wasmtime},
    manager::KernelManager,
    policy::{BreakerPolicy, FallbackPolicy, Placement, PoolPolicy, WhenFull},
    trust::read_trust_store,
};
use kernelpack_kernels::{rmsnorm_f32, swiglu_f32};
use kernelpack_tests::engine::Engine;

type Result<T = ()> = std::result::Result<T, Box<dyn StdError>>;

#[expect(dead_code, reason = "it is compiled, not run: its folder is the reader's")]
fn settings(key: PublicKey) -> Result<Runtime> {
    let engine = Wasmtime::new().compile_cache("/var/cache/my-engine");
    let runtime = Runtime::builder(engine)
        .trust(key)
        .max_budget(Duration::from_secs(2)) // no call runs longer, whatever a manifest says
        .max_memory_pages(1024) // 64 MiB an instance
        .pool(PoolPolicy::new().size(8).when_full(WhenFull::Fail))
        .build()?;
    Ok(runtime)
}

fn verbs(pack: &Pack) -> Result {
    let rmsnorm = pack.kernel::<rmsnorm_f32::Kernel>()?; // the stub is compared with the manifest here, once
    let (x, weight) = ([3.0, -4.0, 6.0, 8.0], [1.0, 1.0]);
    let inputs = rmsnorm_f32::Inputs::new(view(&x, [2, 2])?, view(&weight, [2])?);
    let outputs = rmsnorm.run(inputs)?;
    println!("{:?}", outputs.y.data());

    // Scalars have their defaults unless they are set.
    let inputs = rmsnorm_f32::Inputs { eps: 1e-6, ..inputs };
    let mut y = [0.0; 4];
    rmsnorm.call(rmsnorm_f32::Args::new(inputs.x, inputs.weight, view_mut(&mut y, [2, 2])?))?;
    assert_eq!(y, *outputs.y.data());
    Ok(())
}

fn by_name(pack: &Pack) -> Result {
    let rmsnorm = pack.kernel_named("rmsnorm_f32")?;
    let x = Tensor::from_slice(&[3.0_f32, -4.0], &[1, 2])?;
    let weight = Tensor::from_slice(&[1.0_f32, 1.0], &[2])?;
    let inputs = [("x", (&x).into()), ("weight", (&weight).into())];
    let results = rmsnorm.run(&inputs, &[("eps", ParamValue::F32(1e-6))])?;
    println!("{:?}", results[0].to_vec::<f32>()?);

    let mut y = Tensor::<f32>::zeros(&[1, 2])?;
    rmsnorm.call(&inputs, &mut [("y", (&mut y).into())], &[])?;
    assert_eq!(results[0].to_vec::<f32>()?.len(), 2);
    Ok(())
}

fn batch(
    rmsnorm: &TypedKernel<rmsnorm_f32::Kernel>,
    rows: &[Tensor<f32>],
    weight: &Tensor<f32>,
    mut normed: Vec<Tensor<f32>>,
) -> Result<Vec<Tensor<f32>>> {
    let args = rows.iter().zip(&mut normed).map(|(x, y)| rmsnorm_f32::Args::new(x.view(), weight.view(), y.view_mut()));
    rmsnorm.call_batch(args)?;
    Ok(normed)
}

fn bound(
    rmsnorm: &TypedKernel<rmsnorm_f32::Kernel>,
    swiglu: &TypedKernel<swiglu_f32::Kernel>,
    weights: Vec<f32>,
    tokens: &[Vec<f32>],
) -> Result {
    let mut x = Tensor::<f32>::zeros(&[64, 4096])?;
    let (weight, mut normed) = (Tensor::from_slice(&weights, &[4096])?, Tensor::zeros(&[64, 4096])?);
    let (gate, mut y) = (Tensor::zeros(&[64, 4096])?, Tensor::zeros(&[64, 4096])?);

    let mut norm = rmsnorm.bind(rmsnorm_f32::Args::new(x.view(), weight.view(), normed.view_mut()))?;
    let mut glu = swiglu.bind(swiglu_f32::Args::new(gate.view(), normed.view(), y.view_mut()))?;
    for token in tokens {
        x.as_mut_slice().copy_from_slice(token); // tensors are the host's between calls
        norm.call(rmsnorm_f32::Args::new(x.view(), weight.view(), normed.view_mut()))?;
        glu.call(swiglu_f32::Args::new(gate.view(), normed.view(), y.view_mut()))?;
    }
    assert_eq!((norm.copied_bytes(), glu.copied_bytes()), (0, 0));
    Ok(())
}

async fn future(
    rmsnorm: &TypedKernel<rmsnorm_f32::Kernel>,
    (x, weight, y): (Tensor<f32>, Tensor<f32>, Tensor<f32>),
) -> Result {
    let ((_, _, y), called) = rmsnorm
        .call_async((x, weight, y), |(x, weight, y)| rmsnorm_f32::Args::new(x.view(), weight.view(), y.view_mut()))
        .await;
    called?;
    println!("{:?}", y.as_slice());
    Ok(())
}

fn errors(rmsnorm: &TypedKernel<rmsnorm_f32::Kernel>, inputs: rmsnorm_f32::Inputs<'_>) -> Result {
    match rmsnorm.run(inputs) {
        Ok(outputs) => println!("{:?}", outputs.y.data()),
        Err(Error::Kernel(failure)) if failure.error.is_refusal() => println!("refused: {failure}"),
        Err(Error::Kernel(failure)) => println!("{failure}; it was at {}", failure.backtrace),
        Err(Error::OutOfService(kernel)) => println!("{kernel}"),
        Err(other) => return Err(other.into()),
    }
    Ok(())
}

fn recovery(key: PublicKey) -> Result<Runtime> {
    let runtime = Runtime::server()
        .trust(key)
        .fallback(FallbackPolicy::OnTrap) // the default; Never, or Always, which covers overrun budgets and stacks too
        .breaker(BreakerPolicy::after(10, Duration::from_secs(30)))
        .placement("rope_f32", Placement::Native) // gives up the sandbox for this kernel, and says so in the log
        .build()?;
    Ok(runtime)
}

#[expect(dead_code, reason = "it is compiled, not run: its trust store is the reader's")]
fn trust() -> Result {
    let runtime = Runtime::server().trust_store(read_trust_store("trust.json")?).build()?;
    let pack = runtime.open("my-pack")?;
    // Later, without a restart. Packs that are loaded go on working until they are dropped.
    runtime.replace_trust_store(read_trust_store("trust.json")?);
    if runtime.check_trust(&pack).is_err() {
        println!("replace the pack");
    }
    Ok(())
}

#[expect(dead_code, reason = "it is compiled, not run: its packs are the reader's")]
fn replacing(runtime: Runtime) -> Result {
    let manager = KernelManager::builder(runtime).store("packs").build()?; // starts with what was active last
    manager.upgrade("my-pack")?; // verified, compiled, healthy, swapped in; else all is as it was
    let rmsnorm = manager.follow::<rmsnorm_f32::Kernel>()?; // always the active pack's
    let watch = manager.watch("inbox").start()?; // upgrades to packs that are renamed into this folder
    manager.rollback()?; // to the pack before
    drop((rmsnorm, watch));
    Ok(())
}

#[expect(dead_code, reason = "it is compiled, not run: its folder is the reader's")]
fn native(key: PublicKey) -> Result<Runtime> {
    let engine = Wamr::new()
        .compile_native(NativeCompiler::find()) // or NativeCompiler::at("/usr/lib/my-engine/kernelpack-wamrc")
        .compile_cache("/var/cache/my-engine");
    let runtime = Runtime::builder(engine).trust(key).build()?;
    Ok(runtime)
}

fn rows() -> (Vec<Tensor<f32>>, Tensor<f32>) {
    let tensor = |data: &[f32], dims: &[usize]| Tensor::from_slice(data, dims).unwrap();
    (vec![tensor(&[3.0, -4.0], &[1, 2]), tensor(&[6.0, 8.0], &[1, 2])], tensor(&[1.0, 1.0], &[2]))
}

#[test]
fn calls_of_every_kind_work() {
    let pack = Engine::Wasmtime.core_pack();
    verbs(pack).unwrap();
    by_name(pack).unwrap();
    let kernel = pack.kernel::<rmsnorm_f32::Kernel>().unwrap();
    let (x, weight) = rows();
    let zeros = || Tensor::zeros(&[1, 2]).unwrap();
    let normed = batch(&kernel, &x, &weight, vec![zeros(), zeros()]).unwrap();
    for (x, normed) in x.iter().zip(&normed) {
        let expected = kernel.run(rmsnorm_f32::Inputs::new(x.view(), weight.view())).unwrap();
        assert_eq!(normed.as_slice(), expected.y.data());
    }
    errors(&kernel, rmsnorm_f32::Inputs::new(x[0].view(), weight.view())).unwrap();
    errors(&kernel, rmsnorm_f32::Inputs { eps: -1.0, ..rmsnorm_f32::Inputs::new(x[0].view(), weight.view()) }).unwrap();
    let x = x.into_iter().next().unwrap();
    futures_lite::future::block_on(future(&kernel, (x, weight, zeros()))).unwrap();
}

#[test]
fn bound_calls_copy_nothing() {
    let pack = Engine::Wasmtime.core_pack();
    let (norm, glu) = (pack.kernel::<rmsnorm_f32::Kernel>().unwrap(), pack.kernel::<swiglu_f32::Kernel>().unwrap());
    bound(&norm, &glu, vec![1.0; 4096], &[vec![1.0; 64 * 4096], vec![2.0; 64 * 4096]]).unwrap();
}

#[test]
fn a_runtime_starts_with_these_policies() {
    recovery(kernelpack_tests::pack::key().public()).unwrap();
}
