//! The form in which a module is compiled.

use std::borrow::Cow;

use super::super::{Interruption, interruptible};

/// A module as it is compiled, and what that form allows.
pub(super) struct Form<'a> {
    pub(super) wasm: Cow<'a, [u8]>,
    pub(super) interruption: Interruption,
    /// Whether no host code ever works on the guest's memory in its stead: a fault in host code would end the process.
    pub(super) maps: bool,
}

impl<'a> Form<'a> {
    /// The form of a verified module that is interrupted as wanted, or else, where it cannot be, by epochs.
    pub(super) fn of(wasm: &'a [u8], wanted: Interruption) -> Self {
        let made = interruptible::make(wasm);
        if let Err(reason) = &made {
            tracing::info!(target: "kernelpack", %reason, "a module's calls copy, and are interrupted by epochs if at all");
        }
        // What could be made so has nothing left that the host does to memory.
        let maps = made.is_ok() && cfg!(target_os = "linux");
        match (wanted, made) {
            (Interruption::PageProtection, Ok(made)) => {
                Self { wasm: Cow::Owned(made.wasm), interruption: wanted, maps }
            }
            (Interruption::PageProtection, Err(_)) => Self::lowered(wasm, Interruption::Epoch, maps),
            (wanted, _) => Self::lowered(wasm, wanted, maps),
        }
    }

    /// With loops for what were single instructions of any length, since epochs are checked in loops.
    fn lowered(wasm: &'a [u8], interruption: Interruption, maps: bool) -> Self {
        match interruptible::lower_bulk(wasm) {
            Ok(lowered) => Self { wasm: Cow::Owned(lowered), interruption, maps },
            Err(reason) => {
                tracing::warn!(target: "kernelpack", %reason, "a module's bulk instructions stay as they are");
                Self { wasm: Cow::Borrowed(wasm), interruption, maps: false }
            }
        }
    }
}
