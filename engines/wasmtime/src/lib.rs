//! Runs Kernelpack's kernels in Wasmtime.
//!
//! [`Wasmtime`] holds the settings. A call is stopped by page protection where the system can do that and the module
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

/// The version of Wasmtime that this crate is built with, which Wasmtime itself does not tell.
const VERSION: semver::Version = semver::Version::new(48, 0, 8);

#[cfg(test)]
mod tests {
    use kernelpack_engine::Engine as _;

    use super::*;

    #[test]
    fn the_version_is_that_of_the_lock_file() {
        let lock = include_str!("../../../Cargo.lock");
        assert!(lock.contains(&format!("name = \"wasmtime\"\nversion = \"{VERSION}\"")), "update VERSION");
    }

    /// No more than kernels may use, so that what they could not be checked for is off, and no less.
    #[test]
    fn the_engine_has_on_what_kernels_may_use() {
        assert_eq!(Wasmtime::new().start_engine().unwrap().features(), kernelpack_manifest::FEATURES);
    }
}
