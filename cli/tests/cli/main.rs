//! Tests the programs as users and scripts use them: command lines in; exit codes, output and files out.

mod aot;
mod bench;
mod cache;
#[cfg(unix)]
mod compile_native;
mod dates;
mod fixture;
mod health;
mod inspect;
mod keys;
mod rotation;
mod run;
mod run_errors;
mod store;
mod trust;
mod usage;
mod verify;
