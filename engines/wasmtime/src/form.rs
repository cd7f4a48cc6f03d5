//! The form in which a module is compiled, and the way back from there to the module.

use std::sync::OnceLock;

use kernelpack_engine::Interruption;
use kernelpack_interruptible::{Interruptible, Origins, Reason, lower_bulk, make};

/// A module's form: what it becomes before it is compiled.
#[derive(Debug)]
pub(super) struct Form {
    wasm: Box<[u8]>,
    pub(super) interruption: Interruption,
    /// Whether no host code ever works on the guest's memory in its stead: a fault in host code would end the process.
    pub(super) maps: bool,
    /// Made when a backtrace is.
    origins: OnceLock<Option<Origins>>,
}

impl Form {
    /// The form of a verified module that is interrupted by page protection.
    ///
    /// This tells nothing about whether it has that form: either [`make`](Self::make) does, or that code of that form was
    /// made before.
    pub(super) fn protected(wasm: &[u8]) -> Self {
        Self { wasm: wasm.into(), interruption: Interruption::PageProtection, maps: true, origins: OnceLock::new() }
    }

    /// The form of a verified module that is interrupted in another way.
    pub(super) fn lowered(wasm: &[u8], interruption: Interruption) -> Self {
        // What can be made interruptible has nothing left that the host does to memory.
        let maps = cfg!(target_os = "linux") && make(wasm).is_ok();
        Self { wasm: wasm.into(), interruption, maps, origins: OnceLock::new() }
    }

    /// The module in this form.
    pub(super) fn make(&self) -> Result<Interruptible, Reason> {
        match self.interruption {
            Interruption::PageProtection => make(&self.wasm),
            // Epochs are checked in loops, so what was one instruction of any length becomes one.
            _ => lower_bulk(&self.wasm),
        }
    }

    /// Where instructions were in the module; none if the form is the module itself.
    pub(super) fn origins(&self) -> Option<&Origins> {
        self.origins.get_or_init(|| self.make().ok().map(|made| made.origins)).as_ref()
    }
}
