//! `kernelpack run`: makes one call of one kernel, from files to a file.

use std::{
    error::Error,
    path::PathBuf,
    time::{Duration, Instant},
};

use kernelpack_host::{DynKernel, abi::Role, error::BadCall, tensor::DynView};

use crate::{
    compile_arg::CompileArg, engine_arg::EngineArg, input::InputArg, opening::Opening, outcome::Outcome,
    param::ParamArg, print, results, trust_args::TrustArgs,
};

/// The arguments of `kernelpack run`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Types in files: f32, f16, i8, u8, i32 and u32 stay as they are. Blocks (q8_0 of 34 bytes, q4_0 of 18 bytes, for 32 values \
each) are U8 tensors whose last axis counts bytes: q8_0 [rows, blocks] is U8 [rows, blocks * 34].

A tensor that the kernel both reads and writes gets its initial value from --input and is among the outputs. \
`kernelpack inspect` shows what a kernel takes.

Example: pass the tensors x and weight of in.safetensors to the inputs of the same names
  kernelpack run pack rmsnorm_f32 --trust release.pub \\
      --input x=in.safetensors --input weight=in.safetensors \\
      --param eps=1e-6 --output out.safetensors

Example: pass a weight by its name in a model
  --input weight=model.safetensors:model.layers.0.input_layernorm.weight

Example: run native code that is compiled here, with nobody trusted for native code
  --engine wamr-aot --compile-native")]
pub(crate) struct Args {
    /// Folder of the pack
    #[arg(value_name = "PACK_DIR")]
    pack: PathBuf,
    /// Id of the kernel
    #[arg(value_name = "KERNEL")]
    kernel: String,
    #[command(flatten)]
    trust: TrustArgs,
    /// Tensor for the input NAME; without TENSOR, the one with the input's name or else the only one in the file
    #[arg(long = "input", value_name = "NAME=FILE.safetensors[:TENSOR]")]
    inputs: Vec<InputArg>,
    /// Value of the scalar parameter NAME; omitted ones have their defaults
    #[arg(long = "param", value_name = "NAME=VALUE")]
    params: Vec<ParamArg>,
    /// File to write the outputs to, each under its name; written whole or not at all
    #[arg(long, value_name = "OUT.safetensors")]
    output: PathBuf,
    /// Stop the kernel after N ticks of 10 ms, unless its own limit stops it earlier
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_ticks: Option<u32>,
    /// Engine to run the kernel in
    #[arg(long, value_enum, default_value_t = EngineArg::Wasmtime)]
    engine: EngineArg,
    #[command(flatten)]
    compile: CompileArg,
    #[command(flatten)]
    opening: Opening,
}

/// Runs the kernel.
pub(crate) fn run(args: &Args) -> Outcome {
    args.compile.check(&[args.engine])?;
    let start = Instant::now();
    let setup = args.compile.apply(args.trust.setup(args.engine)?);
    let pack = args.opening.open(&args.pack, &setup)?;
    let mut kernel = pack.kernel_named(&args.kernel)?;
    if let Some(ticks) = args.max_ticks {
        kernel = kernel.with_budget(Duration::from_millis(10) * ticks);
    }
    let opened = start.elapsed();

    let params = params(&kernel, &args.params)?;
    let inputs = inputs(&kernel, &args.inputs)?;
    let views: Vec<_> = inputs
        .iter()
        .map(|(name, input)| (*name, DynView { dtype: input.dtype, shape: input.shape, bytes: &input.bytes }))
        .collect();
    let start = Instant::now();
    let results = kernel.run(&views, &params)?;
    let called = start.elapsed();

    results::write(&args.output, &results)?;
    let described: Vec<_> =
        results.iter().map(|result| format!("{} {} {}", result.name, result.shape, result.dtype)).collect();
    print::note(format_args!(
        "ran {} in {called:.1?} (pack opened in {opened:.1?}): {}",
        kernel.id(),
        described.join(", ")
    ));
    print::note(format_args!("wrote {}", args.output.display()));
    Ok(())
}

fn params<'a>(
    kernel: &DynKernel,
    args: &'a [ParamArg],
) -> Result<Vec<(&'a str, kernelpack_host::abi::ParamValue)>, Box<dyn Error>> {
    let known = &kernel.signature().params;
    args.iter()
        .map(|arg| match known.iter().find(|param| param.name == arg.name) {
            Some(param) => Ok((arg.name.as_str(), arg.value(param.ty)?)),
            None => Err(unknown(kernel, "parameter", &arg.name, known.iter().map(|param| &param.name))),
        })
        .collect()
}

fn inputs<'a>(kernel: &DynKernel, args: &'a [InputArg]) -> Result<Vec<(&'a str, crate::input::Input)>, Box<dyn Error>> {
    let tensors = &kernel.signature().tensors;
    let known = || tensors.iter().filter(|tensor| matches!(tensor.role, Role::In | Role::InOut));
    args.iter()
        .map(|arg| match known().find(|tensor| tensor.name == arg.name) {
            Some(tensor) => Ok((arg.name.as_str(), arg.read(tensor.dtype)?)),
            None => Err(unknown(kernel, "input", &arg.name, known().map(|tensor| &tensor.name))),
        })
        .collect()
}

/// Returns the host's error for a name that the kernel does not have.
fn unknown<'a>(
    kernel: &DynKernel,
    what: &'static str,
    name: &str,
    known: impl Iterator<Item = &'a String>,
) -> Box<dyn Error> {
    let (kernel, name, known) = (kernel.id().to_owned(), name.to_owned(), known.cloned().collect());
    BadCall::UnknownArgument { kernel, what, name, known }.into()
}
