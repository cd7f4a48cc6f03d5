//! Compiles an untrusted pack within limits, in a separate process.
//!
//! The work that a module causes in a compiler is limited before it is compiled. This module covers what those limits
//! miss: if a compilation takes too much time or memory, only its own process ends.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    thread,
};

use kernelpack_packer::load_public_key;

use crate::{engine_arg::EngineArg, outcome::Outcome, setup::Setup};

/// The command's name, which is hidden in help.
const NAME: &str = "compile-within";

/// The limit for a pack, in seconds of CPU time, added up over all threads.
const SECONDS: u64 = 120;
/// The limit in MiB of memory for each thread that compiles, and as much for everything else.
const MIB_EACH: u64 = 512;

/// The arguments of the process that compiles.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    pack: PathBuf,
    key: PathBuf,
    cache: PathBuf,
    #[arg(long)]
    seconds: u64,
    #[arg(long)]
    mib: u64,
}

/// Compiles within limits into the cache; runs in the process that [`compile`] starts.
pub(crate) fn run(args: &Args) -> Outcome {
    limit(args.seconds, args.mib)?;
    let key = load_public_key(&args.key)?;
    let setup = Setup::new(EngineArg::Wasmtime).with(|builder| builder.trust(key)).compile_cache(&args.cache);
    // A runtime that never interrupts calls compiles different code.
    for setup in [setup.clone().never_interrupted(), setup] {
        setup.build()?.open(&args.pack)?;
    }
    Ok(())
}

/// Compiles a pack, which this key must have signed, into a compile cache, in another process.
///
/// # Errors
/// The pack is refused, or compiling it exceeds the limits.
pub(crate) fn compile(pack: &Path, key: &Path, cache: &Path) -> Outcome {
    let threads = thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
    let mib = MIB_EACH * (threads + 1);
    let limits = ["--seconds".to_owned(), SECONDS.to_string(), "--mib".to_owned(), mib.to_string()];
    let process = Command::new(env::current_exe()?)
        .arg(NAME)
        .args([pack, key, cache].map(Path::as_os_str))
        .args(limits.iter().map(OsStr::new))
        .output()?;
    fault(process.status, &String::from_utf8_lossy(&process.stderr), mib).map_or(Ok(()), |fault| Err(fault.into()))
}

/// Returns the reason why the process failed; `None` if it did not.
fn fault(status: ExitStatus, said: &str, mib: u64) -> Option<String> {
    if status.success() {
        return None;
    }
    if let Some(message) = said.lines().rev().find_map(|line| line.strip_prefix("error: ")) {
        return Some(message.to_owned());
    }
    // The system kills a process that takes too much CPU time; a program whose allocation fails aborts.
    Some(format!(
        "compiling the pack took more than {SECONDS} s of processor time or {mib} MiB of memory ({status}), and nobody \
         vouches for the pack"
    ))
}

#[cfg(unix)]
fn limit(seconds: u64, mib: u64) -> Outcome {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limits = [(Resource::Cpu, seconds), (Resource::Data, mib << 20), (Resource::Core, 0)];
    for (resource, most) in limits {
        // Does not exceed the hard limit, which cannot be raised.
        let most = Some(getrlimit(resource).maximum.map_or(most, |maximum| maximum.min(most)));
        setrlimit(resource, Rlimit { current: most, maximum: most })
            .map_err(|error| format!("cannot limit the compiler's time and memory: {error}"))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn limit(_: u64, _: u64) -> Outcome {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests;
