//! The passes that turn the module of a crate into the module of one kernel, one file each.
//!
//! A pass changes a module or rejects it, and knows nothing about files, manifests or other passes. [`transform`]
//! states their order. Each pass has `.wat` cases under `tests/passes/`.

pub mod abi_version;
pub mod collect;
mod error;
pub mod limit_memory;
pub mod limit_tables;
pub mod refuse_imports;
pub mod refuse_start;
pub mod select_kernel;
pub mod spec_section;
pub mod strip;

use kernelpack_abi::section::Entry;
use walrus::{Module, ModuleConfig};

pub use error::PassError;

/// Makes the module of one kernel from the module of its crate.
///
/// Equal arguments give equal bytes.
///
/// # Errors
/// The bytes are not a module, or a pass refuses it.
pub fn transform(crate_module: &[u8], entry: &Entry<'_>) -> Result<Vec<u8>, PassError> {
    let mut module = parse(crate_module)?;
    let spec = &entry.spec;

    refuse_start::run(&mut module)?;
    select_kernel::run(&mut module, spec)?;
    // Runs before the checks, so that imports and tables that only other kernels use do not count.
    collect::run(&mut module)?;
    refuse_imports::run(&mut module)?;
    limit_memory::run(&mut module, &spec.limits)?;
    limit_tables::run(&mut module, &spec.limits)?;
    abi_version::run(&mut module)?;
    strip::run(&mut module)?;
    spec_section::run(&mut module, entry.bytes)?;

    Ok(module.emit_wasm())
}

/// Reads a module for the passes.
///
/// # Errors
/// The bytes are not a valid module.
pub fn parse(wasm: &[u8]) -> Result<Module, PassError> {
    ModuleConfig::new()
        .only_stable_features(true)
        .parse(wasm)
        .map_err(|error| PassError::Invalid { reason: format!("{error:#}") })
}
