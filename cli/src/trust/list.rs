//! `kernelpack trust list`: shows a trust store.

use std::{
    fmt::{self, Display, Formatter},
    path::PathBuf,
};

use kernelpack_host::trust::read_trust_store;
use kernelpack_manifest::{KeyStatus, TRUST_STORE_VERSION, TrustedKey};
use serde::Serialize;

use super::clock::now;
use crate::{outcome::Outcome, print};

/// The arguments of `kernelpack trust list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example: which keys are trusted?
  kernelpack trust list trust.json

Example: for scripts, the content of the file and a status for each key
  kernelpack trust list trust.json --json
  {\"version\": 1, \"keys\": [{\"id\": \"release-2026\", \"key\": \"ed25519:...\",
                          \"not_after\": \"2027-06-30T00:00:00Z\",
                          \"status\": \"trusted\" (or \"expired\" or \"revoked\")}, ...]}")]
pub(crate) struct Args {
    /// File of the trust store
    #[arg(value_name = "STORE")]
    store: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    keys: Vec<Row<'a>>,
}

/// A key, and its current status.
#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    entry: &'a TrustedKey,
    status: KeyStatus,
}

/// Shows the keys.
pub(crate) fn run(args: &Args) -> Outcome {
    let store = read_trust_store(&args.store)?;
    let now = now()?;
    let keys = store.keys().iter().map(|entry| Row { entry, status: entry.status(now) }).collect();
    let report = Report { version: TRUST_STORE_VERSION, keys };
    if args.json {
        print::json(&report)?
    } else {
        print::data(report)?
    }
    Ok(())
}

impl Display for Report<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for Row { entry, status } in &self.keys {
            let TrustedKey { id, key, not_after, revoked, native, comment, .. } = entry;
            writeln!(f, "{id} {key}")?;
            match (status, not_after, revoked) {
                (_, _, Some(revocation)) => writeln!(f, "  revoked since {}: {}", revocation.at, revocation.reason)?,
                (KeyStatus::Expired, Some(not_after), None) => writeln!(f, "  expired since {not_after}")?,
                (_, Some(not_after), None) => writeln!(f, "  trusted until {not_after}")?,
                (_, None, None) => writeln!(f, "  trusted")?,
            }
            if *native {
                writeln!(f, "  for native code, too")?;
            }
            if let Some(comment) = comment {
                writeln!(f, "  {comment}")?;
            }
        }
        Ok(())
    }
}
