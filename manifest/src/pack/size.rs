//! The total size of a pack's modules and health vectors.

use crate::{MAX_PACK_HEALTH_BYTES, ModuleFacts, Rejected};

/// The most bytes in total of a pack's modules, including those for single engines.
///
/// A host holds them in memory while it verifies all of them, or until they are compiled.
pub const MAX_PACK_BYTES: usize = 256 << 20;
/// The most bytes of code in total of a pack's modules, of which a host compiles one per kernel.
pub const MAX_PACK_CODE_BYTES: usize = 16 << 20;

/// Adds up the sizes of a pack's modules and health vectors.
#[derive(Clone, Debug, Default)]
pub struct PackSize {
    bytes: usize,
    code: usize,
    vectors: usize,
}

impl PackSize {
    /// Adds a kernel's module of this many bytes.
    ///
    /// # Errors
    /// [`Rejected::PackTooLarge`]: with this module, the pack exceeds a limit.
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

    /// Adds a health vector of this many bytes.
    ///
    /// # Errors
    /// [`Rejected::VectorsTooLarge`]: with this vector, the pack exceeds the limit.
    pub fn add_vector(&mut self, bytes: usize) -> Result<(), Rejected> {
        self.vectors = self.vectors.saturating_add(bytes);
        if self.vectors > MAX_PACK_HEALTH_BYTES { Err(Rejected::VectorsTooLarge) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
