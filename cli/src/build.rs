//! `kernelpack build`: from a crate to a signed pack.

use std::path::PathBuf;

use kernelpack_packer::{BuildOptions, Event, Features, Health, Signing, build, load_public_key, load_secret_key};

use crate::{outcome::Outcome, print};

/// The arguments of `kernelpack build`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Equal sources, compilers and keys give equal bytes. Prints the digest of kernels.json, which identifies the whole \
pack, to standard output.

Example: build and sign
  kernelpack build kernels --out pack --key release.key

Example: build here, sign where the secret key lives
  kernelpack build kernels --out pack --unsigned-for release.pub
  kernelpack sign pack --key release.key")]
pub(crate) struct Args {
    /// Folder of the crate with the kernels, or of the workspace that has --package
    #[arg(value_name = "CRATE_DIR")]
    crate_dir: PathBuf,
    /// Folder to write the pack to; replaces a pack that is already there, but nothing else
    #[arg(long, value_name = "PACK_DIR")]
    out: PathBuf,
    #[command(flatten)]
    signer: SignerArgs,
    /// Package of the workspace to build
    #[arg(long, short, value_name = "NAME")]
    package: Option<String>,
    /// Features of the package to turn on, separated by commas
    #[arg(long, short = 'F', value_name = "FEATURES", value_delimiter = ',')]
    features: Vec<String>,
    /// Turn the package's default features off
    #[arg(long)]
    no_default_features: bool,
    /// Make no health vectors, and pack those in the crate's folder `health` unchecked: for a crate that only works in
    /// WebAssembly
    #[arg(long)]
    no_health: bool,
    /// Compile no second module of each kernel for engines without SIMD: for a pack that only servers use, or a crate
    /// that needs SIMD
    #[arg(long)]
    no_scalar: bool,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct SignerArgs {
    /// Secret key to sign the pack with (PKCS#8 PEM, as `kernelpack keygen` writes it)
    #[arg(long, value_name = "PATH.key")]
    key: Option<PathBuf>,
    /// Do not sign; the owner of this public key signs later with `kernelpack sign`
    #[arg(long, value_name = "PATH.pub")]
    unsigned_for: Option<PathBuf>,
}

impl SignerArgs {
    fn load(&self) -> Result<Signing, Box<dyn std::error::Error>> {
        Ok(match (&self.key, &self.unsigned_for) {
            (Some(key), _) => Signing::Now(load_secret_key(key)?),
            (None, Some(key)) => Signing::Later(load_public_key(key)?),
            (None, None) => return Err("no key: give --key or --unsigned-for".into()),
        })
    }
}

/// Builds the pack.
pub(crate) fn run(args: &Args) -> Outcome {
    let options = BuildOptions {
        crate_dir: args.crate_dir.clone(),
        package: args.package.clone(),
        features: Features { on: args.features.clone(), no_default: args.no_default_features },
        out_dir: args.out.clone(),
        health: Health { make: !args.no_health, ..Health::default() },
        scalar: !args.no_scalar,
        signing: args.signer.load()?,
    };
    let built = build(&options, &mut tell)?;
    Ok(print::data(format_args!("{}\n", built.digest))?)
}

fn tell(event: Event) {
    match event {
        Event::Compiling { package, version } => print::note(format_args!("compiling {package} {version}")),
        Event::Cargo { line } => print::note(format_args!("{line}")),
        Event::CompilingScalar { package } => {
            print::note(format_args!("compiling {package} again, for engines without SIMD"));
        }
        Event::Packing { path, size, .. } => print::note(format_args!("packing {path}, {size} bytes")),
        Event::CompilingReference { package } => {
            print::note(format_args!("compiling {package} for this machine, to make health vectors"));
        }
        Event::Vector { kernel, path, size } => {
            print::note(format_args!("{kernel} has the health vector {path}, {size} bytes"));
        }
        Event::Warning(warning) => print::note(format_args!("warning: {warning}")),
        Event::Signed { key } => print::note(format_args!("signed by {key}")),
        Event::Written { pack } => print::note(format_args!("wrote {}", pack.display())),
        // Ignores steps that a later version of the packer may report.
        _ => {}
    }
}
