//! Configures and starts a manager.

use std::{
    error::Error as StdError,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use kernelpack_runtime::{Pack, Runtime};

use crate::{
    Fallback, KernelManager, ManagerError, PackStore, Stage, UpgradeError,
    active::{Active, Live},
    checks::Checks,
    grace::Grace,
    log,
    shared::{GRACE, Memory, Shared},
};

/// The most attempts to read a store if others change it while it is being opened.
const ATTEMPTS: u32 = 8;

/// Configures a [`KernelManager`].
///
/// # Example: a store, and a check of one's own before a pack becomes active
/// ```no_run
/// use std::time::Duration;
///
/// use kernelpack_host::{Runtime, manager::{KernelManager, ManagerError}};
///
/// fn start(runtime: Runtime) -> Result<KernelManager, ManagerError> {
///     KernelManager::builder(runtime)
///         .store("/var/lib/engine/packs")
///         .grace_period(Duration::from_secs(60))
///         .probe(|pack, _stage| Ok(drop(pack.kernel_named("rmsnorm_f32")?)))
///         .build()
/// }
/// ```
#[must_use]
pub struct KernelManagerBuilder {
    runtime: Runtime,
    checks: Checks,
    grace: Duration,
    store: Option<PathBuf>,
    start_empty: bool,
}

impl KernelManager {
    /// Makes a builder for a manager whose packs this runtime opens.
    pub fn builder(runtime: Runtime) -> KernelManagerBuilder {
        KernelManagerBuilder::new(runtime)
    }
}

impl KernelManagerBuilder {
    pub(crate) fn new(runtime: Runtime) -> Self {
        Self { runtime, checks: Checks::default(), grace: GRACE, store: None, start_empty: false }
    }

    /// Keeps packs in this folder, see [`PackStore`], and starts with the active one there.
    pub fn store(mut self, root: impl AsRef<Path>) -> Self {
        self.store = Some(root.as_ref().to_owned());
        self
    }

    /// If none of the store's packs can be used, starts without an active pack instead of failing, so that the manager
    /// can be upgraded to one that works. Previously accepted versions still count.
    pub fn start_empty(mut self) -> Self {
        self.start_empty = true;
        self
    }

    /// Keeps the previous pack in memory for this long, 300 s by default.
    pub fn grace_period(mut self, period: Duration) -> Self {
        self.grace = period;
        self
    }

    /// Adds a check that each pack must pass, besides its own health vectors, before it becomes active and again
    /// afterwards. Can be called several times.
    ///
    /// A probe receives the pack and may call its kernels. It must not change the manager or follow its kernels: that
    /// would wait for the upgrade, which waits for the probe. A probe that panics counts as failed.
    pub fn probe(
        mut self,
        probe: impl Fn(&Pack, Stage) -> Result<(), Box<dyn StdError + Send + Sync>> + Send + Sync + 'static,
    ) -> Self {
        self.checks.probes.push(Box::new(probe));
        self
    }

    /// Starts the manager. With a store, its active pack is verified, compiled and checked for health. If that fails,
    /// the previous pack is tried, and [`KernelManager::startup_fallback`] gives the reason.
    ///
    /// # Errors
    /// The store cannot be read, or none of its packs can be used; or a thread cannot be started.
    pub fn build(self) -> Result<KernelManager, ManagerError> {
        let previous = Grace::start(self.grace).map_err(ManagerError::Thread)?;
        let store = self.store.map(PackStore::open).transpose()?;
        let (live, fallback) = match &store {
            None => (None, None),
            Some(store) => {
                let opened = match open(&self.runtime, &self.checks, store) {
                    Err(ManagerError::NothingUsable { active, error, .. }) if self.start_empty => {
                        (None, Some(Fallback { unusable: active, error: *error }))
                    }
                    opened => opened?,
                };
                log::opened(opened.0.as_ref().map(|live| &live.id), opened.1.as_ref());
                opened
            }
        };
        // A pack that was unusable at the start is not tried again until the store names another pack, unless the fault
        // was the machine's.
        let at_fault = fallback.as_ref().filter(|fallback| !fallback.error.is_passing());
        let unusable = at_fault.map(|fallback| fallback.unusable.clone());
        let changing = Mutex::new(Memory { unusable, ..Memory::default() });
        let active = Active::new(live);
        let Self { runtime, checks, .. } = self;
        Ok(KernelManager { shared: Arc::new(Shared { runtime, checks, active, previous, store, fallback, changing }) })
    }
}

type Opened = (Option<Arc<Live>>, Option<Fallback>);

fn open(runtime: &Runtime, checks: &Checks, store: &PackStore) -> Result<Opened, ManagerError> {
    let mut state = store.state()?;
    let mut attempt = 1;
    loop {
        let Some(active) = state.active() else { return Ok((None, None)) };
        let error = match crate::upgrade::open_installed(runtime, checks, store, active) {
            Ok(live) => return Ok((Some(live), None)),
            Err(error) => error,
        };
        // Another process may have upgraded twice meanwhile and removed the pack.
        let now = store.state()?;
        if now != state && attempt < ATTEMPTS {
            attempt += 1;
            state = now;
            continue;
        }
        let unusable = active.clone();
        let previous = state.previous().map(|id| crate::upgrade::open_installed(runtime, checks, store, id));
        let nothing = |error: UpgradeError, previous: Option<UpgradeError>| ManagerError::NothingUsable {
            active: unusable.clone(),
            error: Box::new(error),
            previous: previous.map(Box::new),
        };
        return match previous {
            None => Err(nothing(error, None)),
            Some(Err(previous)) => Err(nothing(error, Some(previous))),
            Some(Ok(live)) => Ok((Some(live), Some(Fallback { unusable, error }))),
        };
    }
}

impl std::fmt::Debug for KernelManagerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { grace, store, .. } = self;
        f.debug_struct("KernelManagerBuilder").field("grace", grace).field("store", store).finish_non_exhaustive()
    }
}
