//! `kernelpack trust expire`: sets when trust in a key ends.

use std::path::PathBuf;

use kernelpack_manifest::Timestamp;

use super::store_file::{self, Missing};
use crate::{outcome::Outcome, print};

/// The arguments of `kernelpack trust expire`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Until then, hosts accept what the key signed; a time in the past ends that at once. Use `kernelpack trust revoke` for \
keys that somebody else may have.

Example: the old key of a rotation
  kernelpack trust expire trust.json --id release-2025 --not-after 2027-06-30T00:00:00Z")]
pub(crate) struct Args {
    /// File of the trust store
    #[arg(value_name = "STORE")]
    store: PathBuf,
    /// Id of the key
    #[arg(long, value_name = "ID")]
    id: String,
    /// The last second in which the key is trusted, in UTC; replaces the previous one
    #[arg(long, value_name = "YYYY-MM-DDThh:mm:ssZ")]
    not_after: Timestamp,
}

/// Sets the time.
pub(crate) fn run(args: &Args) -> Outcome {
    let Args { store: path, id, not_after } = args;
    store_file::change(path, Missing::Refuse, |store| store.expire(id, *not_after))?;
    print::note(format_args!("wrote {}: {id} is trusted until {not_after}", path.display()));
    Ok(())
}
