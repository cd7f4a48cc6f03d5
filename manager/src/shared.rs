//! What all handles of a manager share.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use kernelpack_runtime::{PackId, Runtime};

use crate::{
    Fallback, PackStore,
    active::{Active, Live},
    checks::Checks,
    grace::Grace,
    store::StoreState,
};

/// How long a pack is kept after another one took its place, unless said otherwise.
pub(crate) const GRACE: Duration = Duration::from_secs(300);

pub(crate) struct Shared {
    pub(crate) runtime: Runtime,
    pub(crate) checks: Checks,
    pub(crate) active: Active,
    /// The pack that was active before, while it can be gone back to at once.
    pub(crate) previous: Grace<Arc<Live>>,
    pub(crate) store: Option<PackStore>,
    pub(crate) fallback: Option<Fallback>,
    /// Held by whoever replaces the active pack. No call takes it.
    pub(crate) changing: Mutex<Memory>,
}

/// What a manager remembers for the next change.
#[derive(Default)]
pub(crate) struct Memory {
    /// The state, where there is no store that has it.
    pub(crate) state: StoreState,
    /// A pack that somebody else made active in the store and that could not be used here.
    pub(crate) unusable: Option<PackId>,
}

impl Shared {
    pub(crate) fn changing(&self) -> MutexGuard<'_, Memory> {
        // A change that panicked has left things as they were.
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
