//! The steps of an upgrade and of a rollback.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
};

use kernelpack_runtime::{PackId, Runtime, VerifiedPack};

use crate::{
    CheckFailed, PackStore, RollbackError, Stage, StoreError, Upgrade, UpgradeError,
    active::Live,
    checks::Checks,
    shared::{Memory, Shared},
    store::{StageError, Staged, StoreLock, StoreState},
};

/// The result of a swap.
///
/// # Example: what an upgrade changed
/// ```no_run
/// use kernelpack_host::manager::{KernelManager, UpgradeError};
///
/// fn upgrade(manager: &KernelManager) -> Result<(), UpgradeError> {
///     let swapped = manager.upgrade("my-next-pack")?;
///     if swapped.is_change() {
///         println!("{} is active now", swapped.to);
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swapped {
    /// The pack that was active before, if there was one.
    pub from: Option<PackId>,
    /// The pack that is active now.
    pub to: PackId,
}

impl Swapped {
    /// Returns whether the active pack has changed.
    pub fn is_change(&self) -> bool {
        self.from.as_ref() != Some(&self.to)
    }
}

impl Shared {
    pub(crate) fn upgrade(&self, dir: &Path, upgrade: &Upgrade) -> Result<Swapped, UpgradeError> {
        let mut memory = self.changing();
        let mut ledger = Ledger::open(self.store.as_ref(), &mut memory)?;
        let running = self.active.load();
        let running = running.as_deref().map(|live| &live.id);

        let verified = self.runtime.verify(dir).map_err(UpgradeError::verifying)?;
        let id = verified.id();
        upgrade.judge(&ledger.state, running, &id)?;
        if running == Some(&id) && self.is_installed(&ledger, &id) {
            return Ok(Swapped { from: Some(id.clone()), to: id });
        }
        // Compatibility with the features that the modules really use is checked before anything is written.
        verified.check_compatibility(self.runtime.compatibility()).map_err(UpgradeError::verifying)?;
        let (staged, verified) = match ledger.store {
            None => (None, verified),
            Some((store, ref lock)) => {
                let (staged, verified) = self.stage(store, lock, dir, &verified)?;
                (Some(staged), verified)
            }
        };
        let candidate = load(&self.runtime, verified)?;
        self.check_before(&candidate)?;

        let mut next = ledger.state.clone();
        next.accept(&id, running);
        let before = self.go_live(candidate, || {
            if let Some(staged) = &staged {
                let same = |dir: &Path| self.runtime.verify(dir).is_ok_and(|there| there.id() == id);
                staged.install(&id, same)?;
            }
            ledger.write(&next)
        })?;
        drop(staged);
        ledger.settle(next);
        Ok(self.swapped(before, id))
    }

    pub(crate) fn rollback(&self) -> Result<Swapped, RollbackError> {
        let mut memory = self.changing();
        let mut ledger = Ledger::open(self.store.as_ref(), &mut memory)?;
        let kept = self.previous.peek();
        let target = match ledger.store {
            None => kept.ok_or(RollbackError::NoPreviousPack)?,
            Some((store, _)) => {
                let id = ledger.state.previous().ok_or(RollbackError::NoPreviousPack)?;
                let running = self.active.load();
                // If the store's active pack was unusable, the pack to go back to is already running.
                match [kept, running].into_iter().flatten().find(|live| live.id == *id) {
                    Some(live) => live,
                    None => open_installed(&self.runtime, &self.checks, store, id).map_err(unusable)?,
                }
            }
        };
        // The key that signed the pack may have been revoked since the pack was opened.
        self.runtime.check_trust(&target.pack).map_err(|error| unusable(UpgradeError::verifying(error)))?;
        let mut next = ledger.state.clone();
        next.roll_back();
        // Skips the health checks: the pack was healthy when it was active, and a rollback should not be refused.
        let to = target.id.clone();
        let followed = |error| unusable(UpgradeError::Followed { pack: to.clone(), error: Box::new(error) });
        let trial = self.active.try_out(target).map_err(followed)?;
        ledger.write(&next)?;
        let from = trial.keep();
        ledger.settle(next);
        self.previous.drop_now();
        Ok(Swapped { from: from.map(|live| live.id.clone()), to })
    }

    /// Activates the pack that another process made active.
    pub(crate) fn refresh(&self) -> Result<Option<Swapped>, UpgradeError> {
        let Some(store) = &self.store else { return Ok(None) };
        let mut memory = self.changing();
        let state = store.state()?;
        let running = self.active.load().map(|live| live.id.clone());
        let Some(id) = state.active().filter(|id| Some(*id) != running.as_ref()) else {
            memory.unusable = None;
            return Ok(None);
        };
        if memory.unusable.as_ref() == Some(id) {
            return Ok(None);
        }
        let take_over = || {
            let candidate = open_installed(&self.runtime, &self.checks, store, id)?;
            self.check_followers(&candidate)?;
            self.go_live(candidate, || Ok(()))
        };
        let before = take_over().inspect_err(|error| {
            if !error.is_passing() {
                memory.unusable = Some(id.clone());
            }
        })?;
        Ok(Some(self.swapped(before, id.clone())))
    }

    /// Copies a pack into the store and verifies the copy, which is the one that runs.
    fn stage<'a>(
        &self,
        store: &'a PackStore,
        lock: &'a StoreLock,
        dir: &Path,
        verified: &VerifiedPack,
    ) -> Result<(Staged<'a>, VerifiedPack), UpgradeError> {
        let staged = Staged::copy(store, lock, dir, verified.files()).map_err(|error| match error {
            StageError::Source(error) => UpgradeError::verifying(error),
            StageError::Store(error) => error.into(),
        })?;
        let copy = self.runtime.verify(staged.dir()).map_err(UpgradeError::verifying)?;
        let copy = expect(copy, &verified.id())?;
        Ok((staged, copy))
    }

    /// Returns whether the store, if there is one, has the complete pack and names it as active.
    fn is_installed(&self, ledger: &Ledger<'_>, id: &PackId) -> bool {
        ledger.store.as_ref().is_none_or(|(store, _)| {
            let whole = || self.runtime.verify(&store.installed(id).ok()?).ok().filter(|pack| pack.id() == *id);
            ledger.state.active() == Some(id) && whole().is_some()
        })
    }

    fn check_followers(&self, candidate: &Live) -> Result<(), UpgradeError> {
        let Live { id, pack } = candidate;
        let followed = |error| UpgradeError::Followed { pack: id.clone(), error: Box::new(error) };
        self.active.check_followers(pack).map_err(followed)
    }

    fn check_before(&self, candidate: &Live) -> Result<(), UpgradeError> {
        self.check_followers(candidate)?;
        check_health(&self.checks, candidate)
    }

    /// Makes a pack active, checks it there, and commits; if anything fails, the state is restored. Returns the
    /// previously active pack.
    fn go_live(
        &self,
        candidate: Arc<Live>,
        commit: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<Option<Arc<Live>>, UpgradeError> {
        let id = candidate.id.clone();
        let followed = |error| UpgradeError::Followed { pack: id.clone(), error: Box::new(error) };
        let before = self.active.load();
        let trial = self.active.try_out(candidate).map_err(followed)?;
        // Checks the pack through the pointer that every caller uses from now on.
        if let Some(live) = self.active.load() {
            run(&self.checks, &live, Stage::AfterSwap).map_err(|reason| match reason {
                CheckFailed::Unchecked(unchecked) => UpgradeError::Unchecked(unchecked),
                reason => {
                    let active = before.as_ref().map(|live| live.id.clone());
                    UpgradeError::UnhealthyAfter { pack: live.id.clone(), active: active.map(Box::new), reason }
                }
            })?;
        }
        commit()?;
        Ok(trial.keep())
    }

    /// Keeps the previously active pack for the grace period.
    fn swapped(&self, before: Option<Arc<Live>>, to: PackId) -> Swapped {
        let from = before.as_ref().map(|live| live.id.clone());
        // A pack that was repaired in place or signed by another key does not count as the previous one.
        if let Some(before) = before.filter(|before| before.id.content != to.content) {
            self.previous.keep(before);
        }
        Swapped { from, to }
    }
}

/// The versions accepted so far, with the right to change them, from the store if there is one.
struct Ledger<'a> {
    state: StoreState,
    store: Option<(&'a PackStore, StoreLock)>,
    memory: &'a mut Memory,
}

impl<'a> Ledger<'a> {
    fn open(store: Option<&'a PackStore>, memory: &'a mut Memory) -> Result<Self, StoreError> {
        Ok(match store {
            None => Self { state: memory.state.clone(), store: None, memory },
            Some(store) => {
                let lock = store.lock()?;
                // The state is read under the lock, since another process may have changed it.
                Self { state: store.state()?, store: Some((store, lock)), memory }
            }
        })
    }

    /// Writes the next state to the store.
    fn write(&self, next: &StoreState) -> Result<(), StoreError> {
        self.store.as_ref().map_or(Ok(()), |(store, lock)| store.write_state(lock, next))
    }

    /// Adopts the state and removes packs that are no longer needed.
    fn settle(&mut self, next: StoreState) {
        self.memory.unusable = None;
        match &self.store {
            Some((store, lock)) => store.collect(lock, &next),
            None => self.memory.state = next,
        }
    }
}

/// Opens a pack from a store, with all checks, health included.
pub(crate) fn open_installed(
    runtime: &Runtime,
    checks: &Checks,
    store: &PackStore,
    id: &PackId,
) -> Result<Arc<Live>, UpgradeError> {
    let verified = runtime.verify(&store.installed(id)?).map_err(UpgradeError::verifying)?;
    let live = load(runtime, expect(verified, id)?)?;
    check_health(checks, &live)?;
    Ok(live)
}

fn expect(verified: VerifiedPack, expected: &PackId) -> Result<VerifiedPack, UpgradeError> {
    match verified.id() {
        found if found == *expected => Ok(verified),
        found => Err(UpgradeError::Changed { expected: expected.clone(), found }),
    }
}

fn load(runtime: &Runtime, verified: VerifiedPack) -> Result<Arc<Live>, UpgradeError> {
    let id = verified.id();
    match runtime.load(verified) {
        Ok(pack) => Ok(Arc::new(Live { id, pack })),
        Err(error) => Err(UpgradeError::loading(&id, error)),
    }
}

fn check_health(checks: &Checks, live: &Live) -> Result<(), UpgradeError> {
    run(checks, live, Stage::BeforeSwap).map_err(|reason| match reason {
        CheckFailed::Unchecked(unchecked) => UpgradeError::Unchecked(unchecked),
        reason => UpgradeError::UnhealthyBefore { pack: live.id.clone(), reason },
    })
}

/// Runs the checks; a panic counts as a failure.
fn run(checks: &Checks, live: &Live, stage: Stage) -> Result<(), CheckFailed> {
    // A probe that left its own state inconsistent is called again for the next pack; its author has to expect that.
    catch_unwind(AssertUnwindSafe(|| checks.run(&live.pack, stage)))
        .unwrap_or_else(|panic| Err(CheckFailed::panicked(panic)))
}

fn unusable(error: UpgradeError) -> RollbackError {
    RollbackError::Unusable(Box::new(error))
}
