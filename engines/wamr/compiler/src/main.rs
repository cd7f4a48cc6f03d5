//! `kernelpack-wamrc --target TARGET MODULE.wasm FILE.aot`: WAMR's ahead-of-time compiler in a process of its own.
//!
//! `kernelpack aot` runs it. It is a separate process since it reads untrusted input, with some ten thousand lines of C
//! and all of LLVM, and since its symbols would clash with the engine's. The checks that a host relies on are always
//! on, and the output file records them.

#[cfg(not(llvm))]
mod absent;
mod error;
#[cfg(llvm)]
mod machine;
#[cfg(llvm)]
mod native;
#[cfg(llvm)]
mod present;

use std::{env, ffi::OsString, path::PathBuf, process::ExitCode};

#[cfg(not(llvm))]
use absent::{about, compile};
use error::Error;
use kernelpack_manifest::AotTarget;
#[cfg(llvm)]
use present::{about, compile};

const USAGE: &str = "usage: kernelpack-wamrc --target x86_64|aarch64|thumbv7em|thumbv7 MODULE.wasm FILE.aot
       kernelpack-wamrc --version";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.code())
        }
    }
}

fn run(arguments: &[OsString]) -> Result<(), Error> {
    let [option, rest @ ..] = arguments else { return Err(Error::Usage) };
    match (option.to_str(), rest) {
        (Some("--version"), []) => {
            println!("kernelpack-wamrc {}, {}", env!("CARGO_PKG_VERSION"), about()?);
            Ok(())
        }
        (Some("--target"), [target, module, file]) => {
            let target: AotTarget = target.to_string_lossy().parse().map_err(Error::Target)?;
            compile(target, &PathBuf::from(module), &PathBuf::from(file))
        }
        _ => Err(Error::Usage),
    }
}
