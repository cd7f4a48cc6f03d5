//! `kernelpack aot`: adding native code to a pack.

use std::{path::PathBuf, time::Duration};

use kernelpack_manifest::AotTarget;
use kernelpack_packer::{AotCompiler, AotOptions, aot, load_public_key, load_secret_key};

use crate::{outcome::Outcome, print};

/// The arguments of `kernelpack aot`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Verifies the pack, compiles each kernel with kernelpack-wamrc, which puts checks of bounds, stack and termination into \
the code, and signs the pack again. Hosts load native code only if they trust the key for it (`kernelpack trust add \
--native`), and otherwise use the modules. For targets without SIMD, the modules for WAMR are compiled. Prints the path \
and digest of each file to standard output.

Example: for a server and a microcontroller
  kernelpack aot pack --target x86_64 --target thumbv7em --key release.key")]
pub(crate) struct Args {
    /// Folder of the pack
    #[arg(value_name = "PACK_DIR")]
    pack: PathBuf,
    /// Machine to compile for: x86_64, aarch64, thumbv7em or thumbv7; repeat for several
    #[arg(long = "target", value_name = "TARGET", required = true)]
    targets: Vec<AotTarget>,
    /// Secret key to sign with (PKCS#8 PEM, as `kernelpack keygen` writes it)
    #[arg(long, value_name = "PATH.key")]
    key: PathBuf,
    /// Public key that may have signed the pack so far, besides that of --key (PEM)
    #[arg(long = "trust", value_name = "PATH.pub")]
    trusted: Vec<PathBuf>,
    /// Compile the modules for WAMR, which have no SIMD and need less memory, for all targets
    #[arg(long)]
    scalar: bool,
    /// Time limit for compiling one kernel, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = AotCompiler::TIME_LIMIT.as_secs())]
    time_limit: u64,
}

/// Compiles the pack's kernels and signs it.
pub(crate) fn run(args: &Args) -> Outcome {
    let key = load_secret_key(&args.key)?;
    let compiler = AotCompiler::find(Duration::from_secs(args.time_limit))?;
    print::note(format_args!("{}", compiler.about()));
    let mut targets = args.targets.clone();
    targets.sort();
    targets.dedup();
    let trusted = args.trusted.iter().map(|path| load_public_key(path)).collect::<Result<_, _>>()?;
    let options = AotOptions { targets, scalar: args.scalar, trusted };
    let mut lines = String::new();
    aot(&args.pack, &options, &key, &compiler, &mut |made| {
        print::note(format_args!("compiled {} for {}, {} bytes", made.kernel, made.file.target, made.size));
        lines.push_str(&format!("{} {}\n", made.file.path, made.file.hash));
    })?;
    print::note(format_args!("signed {}", args.pack.display()));
    Ok(print::data(lines)?)
}
