//! `kernelpack bench`: measures kernels in the sandbox and the same functions natively.

mod cold_start;
mod family;
mod figures;
mod measure;
mod shape_arg;
mod stopwatch;
mod subject;
mod tensor;
mod unsigned;
mod ways;
mod workload;

use std::path::PathBuf;

use self::{
    figures::Row, measure::measure, shape_arg::ShapeArg, stopwatch::Budget, subject::Subject, workload::Workload,
};
use crate::{
    compile_arg::CompileArg, engine_arg::EngineArg, opening::Opening, outcome::Outcome, print, trust_args::TrustArgs,
};

/// The arguments of `kernelpack bench`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Each figure is the median of many samples of at least a millisecond; one process takes those of one kernel in turns:
  call      a call with tensors in this program's memory: checks, copies and the kernel
  bound     a call of a kernel that uses this program's tensors in place; it has a deadline, too
  native    the same function compiled into this program, for a baseline CPU; allocates its scratch
  x raw     bound relative to a call of an empty function by the engine alone
  x native  bound relative to native
  deadline  bound relative to bound in a runtime that never stops calls
  GB/s      throughput of bound; inputs and outputs count once
  copy      GB/s relative to a plain copy of the first tensor; only if it is larger than caches

Kernels that are not compiled into this program are called by name, which allocates their results within the call. They \
have no native figures, and their bound is the kernel alone with its data already in the sandbox. In-out tensors keep \
their values from call to call.

Example: everything, on the usual shapes
  kernelpack bench pack --trust release.pub

Example: one kernel, for scripts: one object per line, with null for what was not measured
  kernelpack bench pack rmsnorm_f32 --trust release.pub --shape 64x4096 --json
  {\"kernel\":\"rmsnorm_f32\",\"engine\":\"wasmtime\",\"shape\":\"64x4096\",
   \"elements\":(values of the first tensor),\"raw_call_ns\":...,\"typed_call_ns\":...,
   \"bound_call_ns\":...,\"bound_no_deadline_ns\":...,\"native_ns\":...,
   \"named_call_ns\":(by name),\"prepared_ns\":(alone),\"typed_to_raw\":...,\"bound_to_raw\":...,
   \"typed_to_native\":...,\"bound_to_native\":...,\"deadline_cost\":...,\"gb_per_s\":...,
   \"gflop_per_s\":(textbook operations of bound),\"copy_gb_per_s\":...,\"copy_share\":...}

Example: compare an interpreter with the compiler
  kernelpack bench pack rmsnorm_f32 --trust release.pub --shape 1x4096 \\
      --engine wasmtime --engine wamr

Example: compare native code by WAMR's compiler, compiled here, with Wasmtime's
  kernelpack bench pack --trust release.pub --engine wasmtime --engine wamr-aot --compile-native

Example: the median times until kernels can be called
  kernelpack bench pack --trust release.pub --open

Example: measure before signing
  kernelpack build kernels --out pack --unsigned-for release.pub
  kernelpack bench pack --write
  kernelpack sign pack --key release.key")]
pub(crate) struct Args {
    /// Folder of the pack
    #[arg(value_name = "PACK_DIR")]
    pack: PathBuf,
    /// Id of the kernel; all kernels of the pack if omitted
    #[arg(value_name = "KERNEL")]
    kernel: Option<String>,
    #[command(flatten)]
    trust: TrustArgs,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
    /// Fill in "benchmarks" in the manifest of a pack that is not signed yet. Nobody vouches for such a pack, so only
    /// the sandbox protects from it
    #[arg(long, group = "trusted")]
    write: bool,
    /// Shape to measure instead of the usual ones: rowsxdim, for RoPE seqxwidth, for LoRA rowsxdinxdout, or the values
    /// of all symbols; repeat for several
    #[arg(long = "shape", value_name = "AxB", requires = "kernel")]
    shapes: Vec<ShapeArg>,
    /// Measure for milliseconds rather than seconds, and skip usual shapes larger than caches: the figures are rough
    #[arg(long)]
    quick: bool,
    /// Measure instead how long it takes to open the pack: without a compile cache, with an empty and with a full one
    #[arg(long, conflicts_with_all = ["kernel", "write", "cache", "no_cache"])]
    open: bool,
    /// Engine to measure in; repeat to compare several, kernel by kernel
    #[arg(long = "engine", value_enum, default_value = "wasmtime", conflicts_with_all = ["open", "write"])]
    engines: Vec<EngineArg>,
    #[command(flatten)]
    compile: CompileArg,
    #[command(flatten)]
    opening: Opening,
}

impl Args {
    /// Opens the pack in this engine.
    fn subject(&self, engine: EngineArg) -> Result<Subject, Box<dyn std::error::Error>> {
        let setup = self.compile.apply(self.trust.setup(engine)?);
        let (runtime, setup) = self.opening.runtime(&Subject::setup(setup))?;
        Subject::new(engine, &runtime, setup, |runtime| self.opening.open_in(runtime, &self.pack))
    }
}

/// Measures the kernels.
pub(crate) fn run(args: &Args) -> Outcome {
    args.compile.check(&args.engines)?;
    if args.open {
        return cold_start::run(&args.pack, &args.trust.setup(EngineArg::Wasmtime)?, args.quick, args.json);
    }
    let (mut subjects, unsigned) = if args.write {
        let (subject, manifest) = unsigned::open(&args.pack)?;
        print::note(format_args!("nobody has signed {}: only the sandbox protects from it", args.pack.display()));
        (vec![subject], Some(manifest))
    } else {
        (args.engines.iter().map(|engine| args.subject(*engine)).collect::<Result<Vec<_>, _>>()?, None)
    };
    let pack = subjects[0].pack.clone();
    let ids: Vec<&str> = args.kernel.as_deref().map_or_else(|| pack.kernel_ids().collect(), |id| vec![id]);
    let kernels = ids.iter().map(|id| pack.kernel_named(id)).collect::<Result<Vec<_>, _>>()?;
    let several = subjects.len() > 1;
    let engines = subjects.iter().map(|subject| subject.engine.name().len() + 1).max().filter(|_| several);
    let names = ids.iter().map(|id| id.len()).max().unwrap_or_default() + engines.unwrap_or_default();

    let budget = if args.quick { Budget::QUICK } else { Budget::FULL };
    let mut measured = Vec::new();
    if !args.json {
        print::data(Row { names, several, figures: None })?;
    }
    for kernel in &kernels {
        let usual = || Workload::usual(kernel, !args.quick);
        let shapes = if args.shapes.is_empty() { usual() } else { args.shapes.clone() };
        for shape in &shapes {
            let workload = Workload::of(kernel, shape)?;
            let budget = if workload.is_in_memory() { budget.in_memory() } else { budget };
            for subject in &mut subjects {
                let figures = measure(subject, kernel.id(), &workload, budget)
                    .map_err(|error| format!("{} at {shape}: {}", kernel.id(), print::message(&*error)))?;
                match args.json {
                    true => print::json_line(&figures)?,
                    false => print::data(Row { names, several, figures: Some(&figures) })?,
                }
                measured.push((workload.name(), figures));
            }
        }
    }
    if let Some(manifest) = unsigned {
        unsigned::write(&args.pack, manifest, &measured)?;
        print::note(format_args!("wrote {} benchmarks to {}", measured.len(), args.pack.display()));
    }
    Ok(())
}
