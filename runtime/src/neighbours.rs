//! The kernels of one runtime, of which each may have what another one lacks.

use std::sync::{Arc, Mutex, TryLockError, Weak};

use kernelpack_engine::Budget;

use crate::{guest::CLEANUP_TICKS, loaded::LoadedKernel};

/// Kernels that were loaded and are there still.
#[derive(Default)]
pub(crate) struct Neighbours {
    kernels: Mutex<Vec<Weak<LoadedKernel>>>,
}

impl Neighbours {
    /// Adds kernels.
    pub(crate) fn add<'a>(&self, kernels: impl Iterator<Item = &'a Arc<LoadedKernel>>) {
        self.with(|all| {
            all.retain(|kernel| kernel.strong_count() > 0);
            all.extend(kernels.map(Arc::downgrade));
        });
    }

    /// Drops all instances that are idle now, and says how many there were. All their cleanups share the time of one.
    #[cold]
    pub(crate) fn trim(&self) -> u32 {
        let kernels = self.with(|all| all.clone()).unwrap_or_default();
        let budget = Budget::new(CLEANUP_TICKS);
        kernels.iter().filter_map(Weak::upgrade).map(|kernel| kernel.trim_within(budget.left())).sum()
    }

    /// Does something with the list. Another thread that has it may be one of the process that forked this one, which
    /// would never give it back: then nothing is done, and the worst is that nobody finds those kernels.
    fn with<R>(&self, change: impl FnOnce(&mut Vec<Weak<LoadedKernel>>) -> R) -> Option<R> {
        match self.kernels.try_lock() {
            Ok(mut kernels) => Some(change(&mut kernels)),
            // A list is never left half changed.
            Err(TryLockError::Poisoned(poisoned)) => Some(change(&mut poisoned.into_inner())),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}
