//! Makes a packed module describe only its own kernel.

use kernelpack_abi::section;
use walrus::{Module, RawCustomSection};

use super::error::PassError;

/// Replaces the crate's `kernelpack.spec` section with the entry of this kernel, byte for byte.
///
/// # Errors
/// None at present.
pub fn run(module: &mut Module, entry: &[u8]) -> Result<(), PassError> {
    while module.customs.remove_raw(section::NAME).is_some() {}
    module.customs.add(RawCustomSection { name: section::NAME.into(), data: entry.to_vec() });
    Ok(())
}
