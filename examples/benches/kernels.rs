//! Measures how long kernels take: as native functions, called in the sandbox, and bound to tensors.
//!
//! To measure a kernel of your own, copy this file, open your pack, and write one [`measure`] for it.

use std::{error::Error, fs};

use criterion::{Criterion, Throughput};
use kernelpack_host::{
    Pack, PublicKey, Runtime, Tensor,
    abi::{BlockQ8_0, Kernel},
};
use kernelpack_kernels::{kv_pack_q8, kv_unpack_q8, lora_apply_f32, rmsnorm_f32, rope_f32, swiglu_f32};

/// Measures a kernel in three ways. `args` makes the arguments of a call from `tensors`.
fn measure<K: Kernel, T>(
    criterion: &mut Criterion,
    pack: &Pack,
    (shape, elements): (&str, usize),
    mut tensors: T,
    args: for<'a> fn(&'a mut T) -> K::Args<'a>,
) -> Result<(), Box<dyn Error>> {
    let kernel = pack.kernel::<K>()?;
    let mut bound = kernel.bind(args(&mut tensors))?;
    if bound.copied_bytes() > 0 {
        eprintln!("{}: a bound call copies {} bytes on this system", kernel.id(), bound.copied_bytes());
    }
    let mut group = criterion.benchmark_group(format!("{}/{shape}", kernel.id()));
    group.throughput(Throughput::Elements(elements as u64));
    group.bench_function("native", |bencher| bencher.iter(|| K::reference(args(&mut tensors)).expect("it succeeds")));
    group.bench_function("bound", |bencher| bencher.iter(|| bound.call(args(&mut tensors)).expect("it succeeds")));
    group.bench_function("copied", |bencher| bencher.iter(|| kernel.call(args(&mut tensors)).expect("it succeeds")));
    group.finish();
    Ok(())
}

/// Returns a tensor of ordinary numbers.
fn numbers(dims: &[usize]) -> Result<Tensor<f32>, kernelpack_host::Error> {
    let data: Vec<f32> = (0..dims.iter().product()).map(|i: usize| (i % 251) as f32 / 125.0 - 1.0).collect();
    Tensor::from_slice(&data, dims)
}

pub(crate) fn measure_all(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let _release = kernelpack_examples::release("kernels", "core-pack")?; // not needed where both are
    let key = PublicKey::from_pem(&fs::read_to_string("release.pub")?)?;
    let pack = Runtime::server().trust(key).build()?.open("core-pack")?;

    let (rope, elements) = ([1, 512, 32, 128], 512 * 32 * 128);
    let tensors = (numbers(&rope)?, numbers(&rope)?);
    measure::<rope_f32::Kernel, _>(criterion, &pack, ("1x512x32x128", elements), tensors, |(x, y)| {
        rope_f32::Args::new(x.view(), y.view_mut())
    })?;

    let (rows, dim, rank) = (512, 4096, 16);
    let (matrix, size) = ([rows, dim], ("512x4096", rows * dim));
    let tensors = (numbers(&matrix)?, numbers(&[dim])?, numbers(&matrix)?);
    measure::<rmsnorm_f32::Kernel, _>(criterion, &pack, size, tensors, |(x, weight, y)| {
        rmsnorm_f32::Args::new(x.view(), weight.view(), y.view_mut())
    })?;
    let tensors = (numbers(&matrix)?, numbers(&matrix)?, numbers(&matrix)?);
    measure::<swiglu_f32::Kernel, _>(criterion, &pack, size, tensors, |(gate, up, y)| {
        swiglu_f32::Args::new(gate.view(), up.view(), y.view_mut())
    })?;
    let tensors = (numbers(&matrix)?, Tensor::<BlockQ8_0>::zeros(&[rows, dim / 32])?);
    measure::<kv_pack_q8::Kernel, _>(criterion, &pack, size, tensors, |(x, y)| {
        kv_pack_q8::Args::new(x.view(), y.view_mut())
    })?;
    let tensors = (Tensor::<BlockQ8_0>::zeros(&[rows, dim / 32])?, numbers(&matrix)?);
    measure::<kv_unpack_q8::Kernel, _>(criterion, &pack, size, tensors, |(x, y)| {
        kv_unpack_q8::Args::new(x.view(), y.view_mut())
    })?;
    let tensors = (numbers(&matrix)?, numbers(&[rank, dim])?, numbers(&[dim, rank])?, numbers(&matrix)?);
    measure::<lora_apply_f32::Kernel, _>(criterion, &pack, size, tensors, |(x, a, b, y)| {
        lora_apply_f32::Args::new(x.view(), a.view(), b.view(), y.view_mut())
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut criterion = Criterion::default().configure_from_args();
    measure_all(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}
