//! Rejects start functions: nothing may run during instantiation, when no deadline is armed yet.

use walrus::Module;

use super::error::PassError;

/// Rejects a module with a start function.
///
/// # Errors
/// The module has a start function.
pub fn run(module: &mut Module) -> Result<(), PassError> {
    if module.start.is_some() { Err(PassError::Start) } else { Ok(()) }
}
