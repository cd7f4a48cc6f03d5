//! `kernelpack trust add`: trusts one more key.

use std::path::PathBuf;

use kernelpack_manifest::{Timestamp, TrustedKey};
use kernelpack_packer::load_public_key;

use super::store_file::{self, Missing, Written};
use crate::{outcome::Outcome, print};

/// The arguments of `kernelpack trust add`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
No id or key can be listed twice, and a revoked key cannot come back. Prints the key to standard output.

Example: trust a key for a year and a half
  kernelpack trust add trust.json --id release-2026 --key release.pub \\
      --not-after 2027-06-30T00:00:00Z")]
pub(crate) struct Args {
    /// File of the trust store
    #[arg(value_name = "STORE")]
    store: PathBuf,
    /// What to call the key: up to 64 ASCII letters, digits, '.', '_' and '-'
    #[arg(long, value_name = "ID")]
    id: String,
    /// The public key (PEM, as `kernelpack keygen` writes it)
    #[arg(long, value_name = "PATH.pub")]
    key: PathBuf,
    /// The last second in which the key is trusted, in UTC; without it, the key does not expire
    #[arg(long, value_name = "YYYY-MM-DDThh:mm:ssZ")]
    not_after: Option<Timestamp>,
    /// Also trust the key for native code, which `kernelpack aot` adds to packs and which runs outside any sandbox
    #[arg(long)]
    native: bool,
    /// A note, such as who holds the secret key
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
}

/// Adds the key.
pub(crate) fn run(args: &Args) -> Outcome {
    let Args { id, not_after, comment, native, .. } = args;
    let key = load_public_key(&args.key)?;
    let added = TrustedKey {
        id: id.clone(),
        key,
        not_after: *not_after,
        revoked: None,
        native: *native,
        comment: comment.clone(),
    };
    let what = match store_file::change(&args.store, Missing::Make, |store| store.add(added))? {
        Written::Made => "made",
        Written::Changed => "wrote",
    };
    print::note(format_args!(
        "{what} {}: {id} is trusted{}",
        args.store.display(),
        if *native { " for native code, too" } else { "" }
    ));
    Ok(print::data(format_args!("{key}\n"))?)
}
