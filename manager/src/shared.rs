//! The state that all handles of a manager share.

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

/// The default time for which a replaced pack is kept.
pub(crate) const GRACE: Duration = Duration::from_secs(300);

pub(crate) struct Shared {
    pub(crate) runtime: Runtime,
    pub(crate) checks: Checks,
    pub(crate) active: Active,
    /// The previous pack, as long as a rollback to it takes effect immediately.
    pub(crate) previous: Grace<Arc<Live>>,
    pub(crate) store: Option<PackStore>,
    pub(crate) fallback: Option<Fallback>,
    /// The lock that is held while the active pack is being replaced. Calls never take it.
    pub(crate) changing: Mutex<Memory>,
}

/// The state that a manager keeps for the next change.
#[derive(Default)]
pub(crate) struct Memory {
    /// The state, if there is no store to keep it.
    pub(crate) state: StoreState,
    /// A pack that another process made active in the store, and that could not be used here.
    pub(crate) unusable: Option<PackId>,
}

impl Shared {
    pub(crate) fn changing(&self) -> MutexGuard<'_, Memory> {
        // A change that panicked has left the state as it was.
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
