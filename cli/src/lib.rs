//! The command line of Kernelpack, which both programs share. Each subcommand is a file with its `Args` and its `run`.
//!
//! The contract with scripts: data goes to standard output, progress and the single error message to standard error;
//! the exit code is 0 on success, 1 when something is refused or fails, and 2 when the command line itself is wrong. It
//! is not an error if a reader closes standard output early.
#![forbid(unsafe_code)]

mod aot;
mod bench;
mod build;
mod compile_arg;
mod compile_within;
mod describe;
mod engine_arg;
mod health;
mod input;
mod inspect;
mod integrity;
mod keygen;
mod opening;
mod outcome;
mod param;
mod print;
mod replace_file;
mod results;
mod run;
mod setup;
mod sign;
mod store;
mod tensor_file;
mod trust;
mod trust_args;
mod verify;
#[cfg(feature = "wamr")]
mod wamr;
#[cfg(not(feature = "wamr"))]
#[path = "wamr_unsupported.rs"]
mod wamr;

use std::{ffi::OsString, process::ExitCode};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

/// Sandboxed, signed WebAssembly compute kernels
///
/// A kernel pack is a folder of WebAssembly modules with a signed manifest, kernels.json.
#[derive(Debug, Parser)]
#[command(name = "kernelpack", version, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Example: from a crate to a result
  kernelpack keygen release
  kernelpack build kernels --out pack --key release.key
  kernelpack verify pack --trust release.pub
  kernelpack inspect pack
  kernelpack run pack rmsnorm_f32 --trust release.pub --input x=in.safetensors \\
      --input weight=in.safetensors --param eps=1e-6 --output out.safetensors

Exit codes: 0 success, 1 refused or failed, 2 wrong usage";

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a pair of keys to sign packs with
    Keygen(keygen::Args),
    /// Build the kernels of a crate and pack them
    Build(build::Args),
    /// Sign a pack, or sign it again
    Sign(sign::Args),
    /// Compile the kernels of a pack ahead of time, and sign it again
    Aot(aot::Args),
    /// Check that a trusted key signed a pack, and that this runtime can load it
    Verify(verify::Args),
    /// Check that the kernels of a pack give the results that its health vectors expect
    Health(health::Args),
    /// Show what a pack says about itself, trusted or not
    Inspect(inspect::Args),
    /// Run a kernel on tensors from safetensors files
    Run(run::Args),
    /// Manage the file that says which keys are trusted
    Trust(trust::Args),
    /// Measure kernels in the sandbox and natively
    Bench(bench::Args),
    /// Compile a pack within limits, for other commands
    #[command(hide = true)]
    CompileWithin(compile_within::Args),
    /// Keep versions of a pack in a folder, one of them active
    Store(store::Args),
}

/// Runs the program on a command line whose first word is the program's own name.
///
/// Usage lines call the program `program`.
///
/// # Example: a wrong command line
/// ```
/// use std::process::ExitCode;
///
/// let code = kernelpack_cli::run("kernelpack", ["kernelpack", "fly"].map(Into::into));
/// assert_eq!(code, ExitCode::from(2));
/// ```
pub fn run(program: &'static str, args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let matches = Cli::command().bin_name(program).try_get_matches_from(args);
    let cli = match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(usage) => {
            // Help and versions also get here; if standard output is closed, nobody reads them.
            let _ = usage.print();
            return ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(2));
        }
    };
    let outcome = match &cli.command {
        Command::Keygen(args) => keygen::run(args),
        Command::Build(args) => build::run(args),
        Command::Sign(args) => sign::run(args),
        Command::Aot(args) => aot::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Health(args) => health::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Run(args) => run::run(args),
        Command::Trust(args) => trust::run(args),
        Command::Bench(args) => bench::run(args),
        Command::CompileWithin(args) => compile_within::run(args),
        Command::Store(args) => store::run(args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => match error.downcast_ref::<clap::Error>() {
            // These arguments cannot be combined.
            Some(usage) => {
                let _ = usage.print();
                ExitCode::from(2)
            }
            None => {
                print::note(format_args!("error: {}", print::message(&*error)));
                ExitCode::FAILURE
            }
        },
    }
}

#[cfg(test)]
mod tests;
