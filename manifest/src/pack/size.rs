//! How much the modules of a pack are together.

use crate::{ModuleFacts, Rejected};

/// The most bytes of all modules of a pack, those for single engines included, which a host holds in memory until they
/// are compiled, or while all are verified.
pub const MAX_PACK_BYTES: usize = 256 << 20;
/// The most bytes of code of all modules of a pack, of which a host compiles one a kernel.
pub const MAX_PACK_CODE_BYTES: usize = 16 << 20;

/// Counts the modules of a pack, one by one.
#[derive(Clone, Debug, Default)]
pub struct PackSize {
    bytes: usize,
    code: usize,
}

impl PackSize {
    /// Counts a kernel's module of this many bytes.
    ///
    /// # Errors
    /// [`Rejected::PackTooLarge`]: with it, the modules are more than a host takes.
    pub fn add(&mut self, kernel: &str, bytes: usize, facts: &ModuleFacts) -> Result<(), Rejected> {
        self.bytes = self.bytes.saturating_add(bytes);
        self.code = self.code.saturating_add(facts.code_bytes);
        let too_large = |what, limit| Err(Rejected::PackTooLarge { kernel: kernel.to_owned(), what, limit });
        if self.bytes > MAX_PACK_BYTES {
            return too_large("modules", MAX_PACK_BYTES);
        }
        if self.code > MAX_PACK_CODE_BYTES {
            return too_large("code", MAX_PACK_CODE_BYTES);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
