//! Measures how much two or more cores speed up bound calls: `cargo run --release --example cores [THREADS]`.
//!
//! Whole and divided calls alternate in one process, several of a kind in a row, as an engine makes them; the table has
//! the medians.

use std::{num::NonZeroUsize, time::Instant};

use kernelpack_host::{Error, Pack, Runtime, Tensor};
use kernelpack_kernels::{lora_apply_f32, rmsnorm_f32, swiglu_f32};
use kernelpack_tests::pack;

const ROWS: usize = 256;
const DIM: usize = 4096;
const RANK: usize = 16;
const ROUNDS: usize = 50;
/// The number of calls of one kind in a row.
const ROW: usize = 8;

type Call = Box<dyn FnMut() -> Result<(), Error>>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let threads = std::env::args().nth(1).map_or(Ok(NonZeroUsize::new(2).expect("2 is not 0")), |text| text.parse())?;
    let key = pack::key().public();
    let whole = Runtime::server().trust(key).build()?.open(pack::core())?;
    let divided = Runtime::server().threads(threads).trust(key).build()?.open(pack::core())?;
    println!("| kernel, {ROWS}x{DIM} | one thread | {threads} threads | speed-up |\n|---|---|---|---|");
    for (name, bind) in KERNELS {
        let mut calls = [bind(&whole)?, bind(&divided)?];
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (call, times) in calls.iter_mut().zip(&mut times) {
                for _ in 0..ROW {
                    let start = Instant::now();
                    call()?;
                    times.push(start.elapsed().as_secs_f64() * 1e6);
                }
            }
        }
        let [whole, divided] = times.map(|mut times| {
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        });
        println!("| {name} | {whole:.1} µs | {divided:.1} µs | {:.2} |", whole / divided);
    }
    Ok(())
}

type Bind = fn(&Pack) -> Result<Call, Error>;
const KERNELS: [(&str, Bind); 3] = [("rmsnorm_f32", rmsnorm), ("swiglu_f32", swiglu), ("lora_apply_f32, r = 16", lora)];

fn ones(dims: &[usize]) -> Result<Tensor<f32>, Error> {
    let mut tensor = Tensor::zeros(dims)?;
    tensor.as_mut_slice().fill(1.0);
    Ok(tensor)
}

fn rmsnorm(pack: &Pack) -> Result<Call, Error> {
    let (x, weight, mut y) = (ones(&[ROWS, DIM])?, ones(&[DIM])?, ones(&[ROWS, DIM])?);
    let kernel = pack.kernel::<rmsnorm_f32::Kernel>()?;
    let mut bound = kernel.bind(rmsnorm_f32::Args::new(x.view(), weight.view(), y.view_mut()))?;
    Ok(Box::new(move || bound.call(rmsnorm_f32::Args::new(x.view(), weight.view(), y.view_mut()))))
}

fn swiglu(pack: &Pack) -> Result<Call, Error> {
    let (gate, up, mut y) = (ones(&[ROWS, DIM])?, ones(&[ROWS, DIM])?, ones(&[ROWS, DIM])?);
    let kernel = pack.kernel::<swiglu_f32::Kernel>()?;
    let mut bound = kernel.bind(swiglu_f32::Args::new(gate.view(), up.view(), y.view_mut()))?;
    Ok(Box::new(move || bound.call(swiglu_f32::Args::new(gate.view(), up.view(), y.view_mut()))))
}

fn lora(pack: &Pack) -> Result<Call, Error> {
    let (x, a, b) = (ones(&[ROWS, DIM])?, ones(&[RANK, DIM])?, ones(&[DIM, RANK])?);
    let mut y = ones(&[ROWS, DIM])?;
    let kernel = pack.kernel::<lora_apply_f32::Kernel>()?;
    let mut bound = kernel.bind(lora_apply_f32::Args::new(x.view(), a.view(), b.view(), y.view_mut()))?;
    Ok(Box::new(move || bound.call(lora_apply_f32::Args::new(x.view(), a.view(), b.view(), y.view_mut()))))
}
