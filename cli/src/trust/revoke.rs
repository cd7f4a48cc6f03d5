//! `kernelpack trust revoke`: ends the trust in a key.

use std::path::PathBuf;

use super::{
    clock::now,
    store_file::{self, Missing},
};
use crate::{outcome::Outcome, print};

/// The arguments of `kernelpack trust revoke`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Every host that has read the changed file refuses everything that the key ever signed. A revocation is final: make a \
new key.

Example: a secret key may be in other hands
  kernelpack trust revoke trust.json --id release-2025 --reason \"laptop stolen\"")]
pub(crate) struct Args {
    /// File of the trust store
    #[arg(value_name = "STORE")]
    store: PathBuf,
    /// Id of the key
    #[arg(long, value_name = "ID")]
    id: String,
    /// Why, in one line; shown to everyone whose pack is refused
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Revokes the key.
pub(crate) fn run(args: &Args) -> Outcome {
    let Args { store: path, id, reason } = args;
    let at = now()?;
    store_file::change(path, Missing::Refuse, |store| store.revoke(id, at, reason))?;
    print::note(format_args!("wrote {}: {id} is revoked", path.display()));
    Ok(())
}
