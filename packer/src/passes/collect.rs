//! Removes everything that only the other kernels of the crate used.
//!
//! The exports are the roots. Active data segments stay whole, since it is unknown which of their bytes a kernel reads,
//! and the functions of a table stay as long as anything calls through the table.

use walrus::Module;

use super::error::PassError;

/// Removes every function, global, table and type that the exports do not reach.
///
/// # Errors
/// None at present.
pub fn run(module: &mut Module) -> Result<(), PassError> {
    walrus::passes::gc::run(module);
    Ok(())
}
