//! The engine of a device.

use crate::Version;

/// The engine of a device.
#[derive(Clone, Copy, Debug)]
pub struct Engine<'e> {
    /// The engine's name in the manifest's `platforms`, such as `wamr`.
    pub name: &'e str,
    /// The engine's version.
    pub version: Version<'e>,
    /// The WebAssembly features that are enabled in the engine, by the names that manifests use, such as `simd`.
    pub features: &'e [&'e str],
}
