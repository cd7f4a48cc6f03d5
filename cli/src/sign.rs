//! `kernelpack sign`: signs an existing pack.

use std::path::PathBuf;

use kernelpack_packer::load_secret_key;

use crate::{outcome::Outcome, print};

/// The arguments of `kernelpack sign`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Refuses packs that hosts would refuse, such as those with files that the manifest does not name or with modules that \
disagree with their entries. If the manifest names another key, this one replaces it. Prints the id of the key to \
standard output.

Example: sign a pack that another machine has built
  kernelpack sign pack --key release.key")]
pub(crate) struct Args {
    /// Folder of the pack
    #[arg(value_name = "PACK_DIR")]
    pack: PathBuf,
    /// Secret key to sign with (PKCS#8 PEM, as `kernelpack keygen` writes it)
    #[arg(long, value_name = "PATH.key")]
    key: PathBuf,
}

/// Signs the pack.
pub(crate) fn run(args: &Args) -> Outcome {
    let key = kernelpack_packer::sign(&args.pack, &load_secret_key(&args.key)?)?;
    print::note(format_args!("signed {}", args.pack.display()));
    Ok(print::data(format_args!("{key}\n"))?)
}
