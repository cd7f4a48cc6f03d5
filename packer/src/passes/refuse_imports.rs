//! Rejects modules with imports: without them, a kernel can reach nothing but its own memory.

use walrus::{ImportKind, Module};

use super::error::PassError;

/// Rejects a module that imports anything, and names the first import.
///
/// # Errors
/// The module has an import.
pub fn run(module: &mut Module) -> Result<(), PassError> {
    let Some(import) = module.imports.iter().next() else { return Ok(()) };
    let kind = match import.kind {
        ImportKind::Function(_) => "function",
        ImportKind::Table(_) => "table",
        ImportKind::Memory(_) => "memory",
        ImportKind::Global(_) => "global",
        ImportKind::Tag(_) => "tag",
    };
    Err(PassError::Import { module: import.module.clone(), name: import.name.clone(), kind })
}
