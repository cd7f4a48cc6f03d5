//! The files that every pack has.

/// The name of a pack's manifest file.
pub const MANIFEST_FILE: &str = "kernels.json";
/// The name of a pack's signature file.
pub const SIGNATURE_FILE: &str = "kernels.json.sig";
