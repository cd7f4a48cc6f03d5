//! `kernelpack store`: keeps versions of a pack, one of them active.

use std::path::{Path, PathBuf};

use kernelpack_host::{
    manager::{KernelManager, PackStore, Swapped, Upgrade},
    pack::PackId,
};
use serde::Serialize;

use crate::{engine_arg::EngineArg, outcome::Outcome, print, trust_args::TrustArgs};

/// The arguments of `kernelpack store`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A store changes in one step: even if the command is killed, either the old version is active or the new one. Programs \
that watch a store with a KernelManager switch to the version that becomes active.

Example:
  kernelpack store install store my-pack --trust release.pub
  kernelpack store list store
  kernelpack store rollback store --trust release.pub")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Verify a pack, compile it, check its health, put it into the store and make it active
    Install(Install),
    /// Show which version is active, and which one a rollback would make active
    List(List),
    /// Make the previous version active again
    Rollback(Rollback),
}

#[derive(Debug, clap::Args)]
struct Install {
    /// Folder of the store; created if there is none
    #[arg(value_name = "STORE_DIR")]
    store: PathBuf,
    /// Folder of the pack
    #[arg(value_name = "PACK_DIR")]
    pack: PathBuf,
    #[command(flatten)]
    trust: TrustArgs,
    /// Allow a version that is older than the newest one ever accepted
    #[arg(long)]
    allow_downgrade: bool,
    /// Allow a pack whose name differs from the active one's
    #[arg(long)]
    allow_other_name: bool,
}

#[derive(Debug, clap::Args)]
struct List {
    /// Folder of the store
    #[arg(value_name = "STORE_DIR")]
    store: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Rollback {
    /// Folder of the store
    #[arg(value_name = "STORE_DIR")]
    store: PathBuf,
    #[command(flatten)]
    trust: TrustArgs,
}

/// The contents of a store; a missing pack is `null`.
#[derive(Debug, Serialize)]
struct Listing<'a> {
    active: Option<&'a PackId>,
    previous: Option<&'a PackId>,
}

/// Runs the subcommand.
pub(crate) fn run(args: &Args) -> Outcome {
    match &args.command {
        Command::Install(args) => install(args),
        Command::List(args) => list(args),
        Command::Rollback(args) => rollback(args),
    }
}

fn install(args: &Install) -> Outcome {
    let manager = open(&args.store, &args.trust)?;
    let mut upgrade = Upgrade::new();
    if args.allow_downgrade {
        upgrade = upgrade.allow_downgrade();
    }
    if args.allow_other_name {
        upgrade = upgrade.allow_other_name();
    }
    let swapped = manager.upgrade_with(&args.pack, upgrade)?;
    tell(&swapped)
}

fn list(args: &List) -> Outcome {
    // Listing must not create a store.
    if !args.store.is_dir() {
        return Err(format!("{:?} is not a folder; name the folder of a store", args.store).into());
    }
    let state = PackStore::open(&args.store)?.state()?;
    let (active, previous) = (state.active(), state.previous());
    if args.json {
        return Ok(print::json(&Listing { active, previous })?);
    }
    let line = |what: &str, id: Option<&PackId>| match id {
        Some(id) => format!("{what:8}  {id}, signed by {}\n", id.signed_by),
        None => format!("{what:8}  none\n"),
    };
    Ok(print::data(line("active", active) + &line("previous", previous))?)
}

fn rollback(args: &Rollback) -> Outcome {
    if !args.store.is_dir() {
        return Err(format!("{:?} is not a folder; name the folder of a store", args.store).into());
    }
    tell(&open(&args.store, &args.trust)?.rollback()?)
}

fn open(store: &Path, trust: &TrustArgs) -> Result<KernelManager, Box<dyn std::error::Error>> {
    let manager =
        KernelManager::builder(trust.setup(EngineArg::Wasmtime)?.build()?).store(store).start_empty().build()?;
    if let Some(fallback) = manager.startup_fallback() {
        print::note(format_args!("warning: {} in the store cannot be used: {}", fallback.unusable, fallback.error));
    }
    Ok(manager)
}

fn tell(swapped: &Swapped) -> Outcome {
    let Swapped { from, to } = swapped;
    Ok(print::data(match from {
        _ if !swapped.is_change() => format!("{to} is already active\n"),
        Some(from) if from.content == to.content => {
            format!("{to} is active, signed by {} in place of {}\n", to.signed_by, from.signed_by)
        }
        Some(from) => format!("{to} is active, in place of {from}\n"),
        None => format!("{to} is active\n"),
    })?)
}
