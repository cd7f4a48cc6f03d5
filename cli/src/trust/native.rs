//! `kernelpack trust native`: sets whether a trusted key may vouch for native code.

use std::path::PathBuf;

use super::store_file::{self, Missing};
use crate::{outcome::Outcome, print};

/// The arguments of `kernelpack trust native`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
No sandbox confines native code. Unless the key is trusted for it, hosts use the modules of the packs that it signed.

Example: grant this trust, and withdraw it
  kernelpack trust native trust.json --id release-2026
  kernelpack trust native trust.json --id release-2026 --withdraw")]
pub(crate) struct Args {
    /// File of the trust store
    #[arg(value_name = "STORE")]
    store: PathBuf,
    /// Id of the key
    #[arg(long, value_name = "ID")]
    id: String,
    /// Withdraw this trust: from now on, the key vouches for modules only
    #[arg(long)]
    withdraw: bool,
}

/// Grants or withdraws the trust.
pub(crate) fn run(args: &Args) -> Outcome {
    let Args { store: path, id, withdraw } = args;
    store_file::change(path, Missing::Refuse, |store| store.set_native(id, !withdraw))?;
    let what = if *withdraw { "modules only" } else { "native code, too" };
    print::note(format_args!("wrote {}: {id} is trusted for {what}", path.display()));
    Ok(())
}
