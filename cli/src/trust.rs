//! `kernelpack trust`: manages the file of trusted keys. Each subcommand is a file.

mod add;
mod clock;
mod expire;
mod list;
mod native;
mod revoke;
mod store_file;

use clap::Subcommand;

use crate::outcome::Outcome;

/// The arguments of `kernelpack trust`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A trust store is a JSON file of public keys. It is not secret, but anyone who can write to it decides what is trusted. \
Each change is made in one step and keeps all keys, so that hosts can tell that a key was revoked.

Example: a new key takes over from an old one
  kernelpack trust add trust.json --id release-2026 --key release-2026.pub
  kernelpack trust add trust.json --id release-2027 --key release-2027.pub
  kernelpack trust expire trust.json --id release-2026 --not-after 2027-06-30T00:00:00Z
  kernelpack verify pack --trust-store trust.json

Example: a secret key was stolen
  kernelpack trust revoke trust.json --id release-2026 --reason \"laptop stolen\"")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Trust one more key; creates the file if there is none
    Add(add::Args),
    /// Set the last second in which a key is trusted
    Expire(expire::Args),
    /// Trust a key for native code as well, or for modules only again
    Native(native::Args),
    /// Stop trusting a key, for good
    Revoke(revoke::Args),
    /// Show the keys, and which are trusted now
    List(list::Args),
}

/// Runs the subcommand.
pub(crate) fn run(args: &Args) -> Outcome {
    match &args.command {
        Command::Add(args) => add::run(args),
        Command::Expire(args) => expire::run(args),
        Command::Native(args) => native::run(args),
        Command::Revoke(args) => revoke::run(args),
        Command::List(args) => list::run(args),
    }
}
