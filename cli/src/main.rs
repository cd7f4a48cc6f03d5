//! The program `kernelpack`.
#![forbid(unsafe_code)]

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    kernelpack_cli::run("kernelpack", env::args_os())
}
