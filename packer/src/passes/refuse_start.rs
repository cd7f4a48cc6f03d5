//! A kernel must not run anything during its instantiation, when no deadline is armed yet.

use walrus::Module;

use super::error::PassError;

/// Refuses a module with a start function.
///
/// # Errors
/// The module has one.
pub fn run(module: &mut Module) -> Result<(), PassError> {
    if module.start.is_some() { Err(PassError::Start) } else { Ok(()) }
}
