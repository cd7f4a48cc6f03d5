//! Runs Kernelpack's kernels in Wasmtime.
//!
//! [`Wasmtime`] holds the settings. Calls are stopped by page protection if the system supports it and the module
//! allows it, else by epochs; see [`Interruption`].
#![deny(unsafe_code)]

mod code;
mod empty;
mod engine;
mod engines;
mod features;
mod form;
mod instance;
mod limits;
#[cfg(target_os = "linux")]
mod memory;
mod module;
#[cfg(target_os = "linux")]
mod protection;
#[cfg(not(target_os = "linux"))]
#[path = "protection_unsupported.rs"]
mod protection;
mod sandbox;
mod settings;
mod trap;

pub use engine::WasmtimeEngine;
pub use kernelpack_engine::Interruption;
pub use settings::Wasmtime;

/// The version of Wasmtime that this crate is built with; Wasmtime does not expose it.
const VERSION: semver::Version = semver::Version::new(48, 0, 8);

#[cfg(test)]
mod tests;
