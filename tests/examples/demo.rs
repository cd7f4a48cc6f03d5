//! Runs the kernels of a pack on golden tensors through their typed stubs, and prints their accuracy and speed.
//!
//! Usage: `demo PACK_DIR PATH.pub`; `make demo` makes both first.

use std::{error::Error, fs, hint::black_box, time::Instant};

use kernelpack_guest::abi::{Infer, Kernel, TensorBuf};
use kernelpack_host::{Pack, PublicKey, Runtime, TypedKernel};
use kernelpack_kernels::{rmsnorm_f32, rope_f32, swiglu_f32};
use kernelpack_tests::golden::{Golden, largest_error};

fn main() -> Result<(), Box<dyn Error>> {
    let [pack, key] = &std::env::args().skip(1).collect::<Vec<_>>()[..] else {
        return Err("usage: demo PACK_DIR PATH.pub".into());
    };
    let key = PublicKey::from_pem(&fs::read_to_string(key)?)?;
    let runtime = Runtime::server().trust(key).build()?;
    let pack = runtime.open(pack)?;
    println!(
        "{:<12} {:<12} {:>13} {:>12} {:>12} {:>6}",
        "kernel", "shape", "largest error", "sandbox", "native", "ratio"
    );
    rmsnorm(&pack)?;
    swiglu(&pack)?;
    rope(&pack)
}

fn rmsnorm(pack: &Pack) -> Result<(), Box<dyn Error>> {
    let kernel = pack.kernel::<rmsnorm_f32::Kernel>()?;
    for golden in Golden::of("rmsnorm_f32") {
        let (x, weight, eps) = (golden.f32("x"), golden.f32("weight"), golden.param("eps"));
        let inputs = rmsnorm_f32::Inputs { x: x.view(), weight: weight.view(), eps };
        report(&kernel, &golden, 2e-6, inputs, |outputs| &outputs.y)?;
    }
    Ok(())
}

fn swiglu(pack: &Pack) -> Result<(), Box<dyn Error>> {
    let kernel = pack.kernel::<swiglu_f32::Kernel>()?;
    for golden in Golden::of("swiglu_f32") {
        let (gate, up) = (golden.f32("gate"), golden.f32("up"));
        let inputs = swiglu_f32::Inputs { gate: gate.view(), up: up.view() };
        report(&kernel, &golden, 2e-6, inputs, |outputs| &outputs.y)?;
    }
    Ok(())
}

fn rope(pack: &Pack) -> Result<(), Box<dyn Error>> {
    let kernel = pack.kernel::<rope_f32::Kernel>()?;
    for golden in Golden::of("rope_f32") {
        let (x, freqs) = (golden.f32("x"), golden.f32("freqs"));
        let interleaved = golden.param::<String>("layout") == "interleaved";
        let inputs = rope_f32::Inputs { freqs: Some(freqs.view()), interleaved, ..rope_f32::Inputs::new(x.view()) };
        report(&kernel, &golden, 4e-6, inputs, |outputs| &outputs.y)?;
    }
    Ok(())
}

/// Runs a kernel in the sandbox and natively, compares the result with the reference, and prints a row.
fn report<'a, K>(
    kernel: &TypedKernel<K>,
    golden: &Golden,
    bound: f64,
    inputs: K::Inputs<'a>,
    result: impl Fn(&K::Outputs) -> &TensorBuf<f32>,
) -> Result<(), Box<dyn Error>>
where
    K: Kernel + Infer,
    K::Inputs<'a>: Copy,
{
    let mut outputs = kernel.run(inputs)?;
    let (shape, error) = (result(&outputs).shape(), largest_error(result(&outputs).data(), &golden.f64("y")));
    if error > bound {
        return Err(format!("{}: the largest error is {error:.1e}, the bound is {bound:.1e}", golden.name).into());
    }
    let sandbox = median_ns(|| kernel.call(K::join(inputs, &mut outputs)).is_ok());
    let native = median_ns(|| K::reference(K::join(inputs, &mut outputs)).is_ok());
    println!(
        "{:<12} {:<12} {error:>13.1e} {:>9.2} us {:>9.2} us {:>5.2}x",
        kernel.id(),
        shape.to_string(),
        sandbox / 1e3,
        native / 1e3,
        sandbox / native
    );
    Ok(())
}

/// Returns the median time of a call, in nanoseconds.
fn median_ns(mut call: impl FnMut() -> bool) -> f64 {
    const CALLS: u32 = 20;
    let mut times: Vec<f64> = (0..51)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..CALLS {
                black_box(call());
            }
            start.elapsed().as_nanos() as f64 / f64::from(CALLS)
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
