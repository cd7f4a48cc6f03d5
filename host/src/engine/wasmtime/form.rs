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
        if wanted == Interruption::PageProtection {
            match interruptible::make(wasm) {
                Ok(made) => {
                    return Self { wasm: Cow::Owned(made.wasm), interruption: wanted, maps: true };
                }
                Err(reason) => tracing::info!(%reason, "a module is interrupted by epochs and its calls copy"),
            }
        }
        let interruption = if wanted == Interruption::Never { wanted } else { Interruption::Epoch };
        // Epochs are checked in loops and functions: what was one instruction must become loops for them as well.
        match interruptible::lower_bulk(wasm) {
            Ok(lowered) => {
                let maps = cfg!(target_os = "linux") && !lowered.writes_by_host;
                Self { wasm: Cow::Owned(lowered.wasm), interruption, maps }
            }
            Err(reason) => {
                tracing::warn!(%reason, "a module's bulk instructions stay as they are");
                Self { wasm: Cow::Borrowed(wasm), interruption, maps: false }
            }
        }
    }
}
