//! `kernelpack keygen`: making a pair of keys.

use std::path::PathBuf;

use kernelpack_packer::generate;

use crate::{outcome::Outcome, print};

/// The arguments of `kernelpack keygen`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Never overwrites files. Prints the public key's id to standard output.

Example: make release.key and release.pub
  kernelpack keygen release

OpenSSL reads the files, too:
  openssl pkey -in release.key -pubout")]
pub(crate) struct Args {
    /// Where to put the keys: PATH.key, to be kept secret, and PATH.pub, to be given to others
    #[arg(value_name = "PATH")]
    prefix: PathBuf,
}

/// Makes the keys.
pub(crate) fn run(args: &Args) -> Outcome {
    let keys = generate(&args.prefix)?;
    print::note(format_args!("wrote {} (keep it secret) and {}", keys.secret.display(), keys.public.display()));
    Ok(print::data(format_args!("{}\n", keys.key))?)
}
