//! What only the other kernels of the crate used goes away.
//!
//! Roots are the exports. Active data segments stay whole, since nothing tells which of their bytes a kernel reads, and
//! a table's functions stay as long as anything calls through the table.

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
