//! `kernelpack inspect`: shows what a pack says about itself. Nothing in it is trusted, compiled or run.

use std::path::PathBuf;

use kernelpack_host::{pack::read_manifest, trust::read_trust_store};
use kernelpack_manifest::Manifest;
use serde::Serialize;

use crate::{describe::Described, integrity::Integrity, outcome::Outcome, print};

/// The arguments of `kernelpack inspect`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Needs no key, and trusts none without --trust-store: anybody can write a pack that passes. Checks what can be checked \
without a key, and shows problems; the exit code is 1 only if the manifest cannot be read. Use `kernelpack verify` to \
find out who made a pack.

Example: what does each kernel take?
  kernelpack inspect pack

Example: for scripts, the content of kernels.json and what was checked
  kernelpack inspect pack --json
  {\"name\": ..., \"kernels\": [{\"id\": ..., \"inputs\": [...], \"outputs\": [...], ...}], ...,
   \"verified\": {\"signature\": false, \"signed_by_named_key\": true, \"files\": true, \"hashes\": true,
                \"modules\": true, \"vectors\": true, \"faults\": []}}
  With --trust-store, \"signature\" says whether a trusted key signed, and \"signed_by_id\" which.")]
pub(crate) struct Args {
    /// Folder of the pack
    #[arg(value_name = "PACK_DIR")]
    pack: PathBuf,
    /// Trust store in which to look for the key that signed the pack
    #[arg(long, value_name = "FILE")]
    trust_store: Option<PathBuf>,
    /// Print one JSON object: the fields of kernels.json, and "verified"
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    manifest: &'a Manifest,
    verified: &'a Integrity,
}

/// Shows the pack.
pub(crate) fn run(args: &Args) -> Outcome {
    let manifest = &read_manifest(&args.pack)?;
    let store = args.trust_store.as_ref().map(read_trust_store).transpose()?;
    let integrity = &Integrity::check(&args.pack, manifest, store)?;
    if args.json {
        print::json(&Report { manifest, verified: integrity })?;
    } else {
        print::data(Described { manifest, integrity })?;
    }
    Ok(())
}
