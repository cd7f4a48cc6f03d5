//! `kernelpack bench`: how long kernels take in the sandbox, and the same bodies outside of it.

mod cold_start;
mod family;
mod figures;
mod native;
mod shape_arg;
mod stopwatch;
mod tensor;
mod unsigned;
mod workload;

use std::{error::Error, path::PathBuf};

use kernelpack_host::{DynKernel, Pack};

use self::{
    figures::{Figures, Row},
    shape_arg::ShapeArg,
    stopwatch::{Budget, medians},
    workload::Workload,
};
use crate::{Outcome, opening::Opening, print, trust_args::TrustArgs};

/// The arguments of `kernelpack bench`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Each figure is the median of many samples of at least a millisecond, those of one kernel taken in turns in one process:
  call       a call from and to this program's memory: checks, copies, the kernel
  sandboxed  the kernel alone, with its data in the sandbox's memory
  native     the same body compiled into this program, for its baseline instruction set; scratch tensors are allocated
             in it. Only for kernels that this program has compiled in and whose signature is the pack's
GB/s counts inputs and outputs once, GFLOP/s the operations of the textbook formula; both are those of sandboxed; ratio is sandboxed to native.

Kernels that are not compiled in are called by name, which allocates their results within the call. In-out tensors go \
on from call to call.

Example: everything, on the usual shapes
  kernelpack bench pack --trust release.pub

Example: one kernel, for scripts, one object a line
  kernelpack bench pack rmsnorm_f32 --trust release.pub --shape 64x4096 --json
  {\"kernel\":\"rmsnorm_f32\",\"engine\":\"wasmtime\",\"shape\":\"64x4096\",\"sandboxed_ns\":...,\"call_ns\":...,
   \"native_ns\":...,\"ratio\":(sandboxed to native),\"call_ratio\":(call to native),\"gb_per_s\":...,\"gflop_per_s\":...}

Example: from nothing to kernels that can be called, medians
  kernelpack bench pack --trust release.pub --open

Example: measure before signing
  kernelpack build kernels --out pack --unsigned-for release.pub
  kernelpack bench pack --write
  kernelpack sign pack --key release.key")]
pub(crate) struct Args {
    /// Folder of the pack
    #[arg(value_name = "PACK_DIR")]
    pack: PathBuf,
    /// Id of the kernel; all of the pack if none is given
    #[arg(value_name = "KERNEL")]
    kernel: Option<String>,
    #[command(flatten)]
    trust: TrustArgs,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    /// Fill "benchmarks" in the manifest of a pack that is not signed yet. Nobody vouches for such a pack, so that its
    /// sandbox is all that protects from it
    #[arg(long, group = "trusted")]
    write: bool,
    /// Shape to measure instead of the usual ones: rowsxdim, for RoPE seqxwidth, for LoRA rowsxdinxdout, or the values
    /// of all symbols; repeat it for several
    #[arg(long = "shape", value_name = "AxB", requires = "kernel")]
    shapes: Vec<ShapeArg>,
    /// Measure for milliseconds rather than seconds: the figures are rough
    #[arg(long)]
    quick: bool,
    /// Measure how long opening the pack takes instead: without compile cache, with an empty one, with a full one
    #[arg(long, conflicts_with_all = ["kernel", "write", "cache", "no_cache"])]
    open: bool,
    #[command(flatten)]
    opening: Opening,
}

/// Measures the kernels.
pub(crate) fn run(args: &Args) -> Outcome {
    if args.open {
        return cold_start::run(&args.pack, &args.trust.builder()?, args.quick, args.json);
    }
    let (pack, unsigned) = if args.write {
        let (pack, manifest) = unsigned::open(&args.pack)?;
        print::note(format_args!("nobody has signed {}: it runs on the sandbox's word alone", args.pack.display()));
        (pack, Some(manifest))
    } else {
        (args.opening.open(&args.pack, args.trust.builder()?)?, None)
    };
    let ids: Vec<&str> = args.kernel.as_deref().map_or_else(|| pack.kernel_ids().collect(), |id| vec![id]);
    let kernels = ids.iter().map(|id| pack.kernel_named(id)).collect::<Result<Vec<_>, _>>()?;
    let names = ids.iter().map(|id| id.len()).max().unwrap_or_default();

    let budget = if args.quick { Budget::QUICK } else { Budget::FULL };
    let mut measured = Vec::new();
    if !args.json {
        print::data(Row { names, figures: None })?;
    }
    for kernel in &kernels {
        for workload in Workload::all(kernel, &args.shapes)? {
            let figures = measure(&pack, kernel, &workload, budget)
                .map_err(|error| format!("{} at {}: {}", kernel.id(), workload.shape, print::message(&*error)))?;
            match args.json {
                true => print::json_line(&figures)?,
                false => print::data(Row { names, figures: Some(&figures) })?,
            }
            measured.push((workload.name(), figures));
        }
    }
    if let Some(manifest) = unsigned {
        unsigned::write(&args.pack, manifest, &measured)?;
        print::note(format_args!("wrote {} benchmarks to {}", measured.len(), args.pack.display()));
    }
    Ok(())
}

/// Measures one kernel on one workload.
fn measure(pack: &Pack, kernel: &DynKernel, workload: &Workload, budget: Budget) -> Result<Figures, Box<dyn Error>> {
    let inputs: Vec<_> = workload.tensors().iter().map(|tensor| (tensor.name.as_str(), tensor.dynamic())).collect();
    let params: Vec<_> = workload.params.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let mut prepared = kernel.prepare(&inputs, &params)?;
    let mut sandboxed = || Ok(prepared.enter()?);
    let (times, native) = match native::find(pack, kernel.id(), workload)? {
        Some(both) => {
            // Both ways borrow it, but never at once.
            let both = std::cell::RefCell::new(both);
            let mut call = || both.borrow_mut().sandboxed();
            let mut native = || both.borrow_mut().native();
            let times = medians(budget, &mut [&mut call, &mut sandboxed, &mut native])?;
            let native = times.last().copied();
            (times, native)
        }
        None => {
            let mut call = || kernel.call(&inputs, &params).map(drop).map_err(Into::into);
            (medians(budget, &mut [&mut call, &mut sandboxed])?, None)
        }
    };
    Ok(Figures::new(kernel.id(), workload, times[0], times[1], native))
}
