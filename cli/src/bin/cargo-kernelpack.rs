//! The program behind `cargo kernelpack`: cargo passes the subcommand's name as the first argument.
#![forbid(unsafe_code)]

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    let named = |index: usize, arg: &std::ffi::OsStr| index == 1 && arg == "kernelpack";
    let args = env::args_os().enumerate().filter(|(index, arg)| !named(*index, arg)).map(|(_, arg)| arg);
    kernelpack_cli::run("cargo kernelpack", args)
}
