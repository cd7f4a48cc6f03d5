//! A kernel runs nothing while it is instantiated, since no deadline is armed then.

use walrus::Module;

use super::error::PassError;

/// Refuses a module with a start function.
///
/// # Errors
/// The module has one.
pub fn run(module: &mut Module) -> Result<(), PassError> {
    if module.start.is_some() { Err(PassError::Start) } else { Ok(()) }
}
