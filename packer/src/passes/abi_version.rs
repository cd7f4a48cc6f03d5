//! Adds the ABI's version, as a global that a host reads without running anything.

use kernelpack_abi::{ABI_VERSION, exports};
use walrus::{ConstExpr, Module, ValType, ir::Value};

use super::error::PassError;

/// Adds the immutable `i32` global `kernel_abi_version`.
///
/// # Errors
/// None at present.
pub fn run(module: &mut Module) -> Result<(), PassError> {
    let value = ConstExpr::Value(Value::I32(ABI_VERSION.cast_signed()));
    let global = module.globals.add_local(ValType::I32, false, false, value);
    module.exports.add(exports::ABI_VERSION, global);
    Ok(())
}
