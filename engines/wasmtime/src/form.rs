//! The form in which a module is compiled, and the mapping back to the original module.

use std::sync::OnceLock;

use kernelpack_engine::Interruption;
use kernelpack_interruptible::{Interruptible, Origins, Reason, lower_bulk, make};

/// A module's form: the module that is compiled in its place.
#[derive(Debug)]
pub(super) struct Form {
    wasm: Box<[u8]>,
    pub(super) interruption: Interruption,
    /// Whether tensors may be mapped. They may if no instruction makes host code access the guest's memory, since a fault
    /// in host code would end the process.
    pub(super) maps: bool,
    /// Computed for the first backtrace.
    origins: OnceLock<Option<Origins>>,
}

impl Form {
    /// Returns the form of a verified module that is interrupted by page protection.
    ///
    /// This does not check that the module has this form: either [`make`](Self::make) does, or its code was made
    /// earlier.
    pub(super) fn protected(wasm: &[u8]) -> Self {
        Self { wasm: wasm.into(), interruption: Interruption::PageProtection, maps: true, origins: OnceLock::new() }
    }

    /// Returns the form of a verified module that is interrupted in another way.
    pub(super) fn lowered(wasm: &[u8], interruption: Interruption) -> Self {
        // A module that can be made interruptible has no instruction left that makes the host access memory.
        let maps = cfg!(target_os = "linux") && make(wasm).is_ok();
        Self { wasm: wasm.into(), interruption, maps, origins: OnceLock::new() }
    }

    /// Makes the module in this form.
    pub(super) fn make(&self) -> Result<Interruptible, Reason> {
        match self.interruption {
            Interruption::PageProtection => make(&self.wasm),
            // Epochs are checked in loops, so an instruction of any length is replaced by a loop.
            _ => lower_bulk(&self.wasm),
        }
    }

    /// Maps instructions to their origins in the module; `None` if the form is the module itself.
    pub(super) fn origins(&self) -> Option<&Origins> {
        self.origins.get_or_init(|| self.make().ok().map(|made| made.origins)).as_ref()
    }
}
