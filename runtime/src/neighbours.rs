//! All kernels of a runtime, so that one that lacks resources can free the idle instances of the others.

use std::sync::{Arc, Mutex, TryLockError, Weak};

use kernelpack_engine::Budget;

use crate::guest::CLEANUP_TICKS;

/// A kernel with instances, some of which may be idle.
pub(crate) trait Neighbour: Send + Sync {
    /// Drops the instances that are idle now and returns their number. All the cleanups together get `ticks`.
    fn trim_within(&self, ticks: u32) -> u32;
}

/// The loaded kernels of a runtime that still exist.
#[derive(Default)]
pub(crate) struct Neighbours {
    kernels: Mutex<Vec<Weak<dyn Neighbour>>>,
}

impl Neighbours {
    /// Adds kernels.
    pub(crate) fn add(&self, kernels: impl Iterator<Item = Arc<dyn Neighbour>>) {
        self.with(|all| {
            all.retain(|kernel| kernel.strong_count() > 0);
            all.extend(kernels.map(|kernel| Arc::downgrade(&kernel)));
        });
    }

    /// Drops all instances that are idle now and returns their number. Their cleanups share the budget of one.
    #[cold]
    pub(crate) fn trim(&self) -> u32 {
        let kernels = self.with(|all| all.clone()).unwrap_or_default();
        let budget = Budget::new(CLEANUP_TICKS);
        kernels.iter().filter_map(Weak::upgrade).map(|kernel| kernel.trim_within(budget.left())).sum()
    }

    /// Runs `change` on the list, unless another thread has locked it. Waiting could take forever: in a forked child,
    /// the lock may belong to a thread of the parent. At worst, some kernels are not found.
    fn with<R>(&self, change: impl FnOnce(&mut Vec<Weak<dyn Neighbour>>) -> R) -> Option<R> {
        match self.kernels.try_lock() {
            Ok(mut kernels) => Some(change(&mut kernels)),
            // No panic leaves the list half-updated.
            Err(TryLockError::Poisoned(poisoned)) => Some(change(&mut poisoned.into_inner())),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}
