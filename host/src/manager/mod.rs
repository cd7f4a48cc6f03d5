//! Replacing packs while their kernels are called.
//!
//! A [`KernelManager`] owns which pack is active. The invariants: callers never wait for an upgrade, since the active
//! pack is behind one atomic pointer and a call holds on to the pack it began on; a pack is active only after it was
//! verified, found to fit, compiled, and healthy; and whatever fails on the way, panics included, leaves the pack active
//! that was.

mod active;
mod builder;
mod checks;
mod error;
mod follow;
mod follow_bound;
mod grace;
mod log;
mod policy;
mod upgrade;
mod watch;

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use kernelpack_abi::Kernel;

pub use builder::KernelManagerBuilder;
pub use checks::{CheckFailed, Stage};
pub use error::{Fallback, ManagerError, RollbackError, UpgradeError};
pub use follow::Followed;
pub use follow_bound::FollowedBound;
pub use policy::Upgrade;
pub use upgrade::Swapped;
pub use watch::{Watch, WatchBuilder, WatchEvent};

use crate::{BadCall, DynKernel, Error, Pack, PackId, PackStore, Runtime, TypedKernel, store::StoreState};
use active::{Active, Live};
use checks::Checks;
use grace::Grace;

/// Keeps one pack active and replaces it without disturbing calls.
///
/// Cheap to clone, and usable from many threads; clones are the same manager. With a [`PackStore`] its packs outlive
/// the process, without one they are only in memory.
///
/// # Example: a service that upgrades
/// ```no_run
/// use kernelpack_host::{KernelManager, PublicKey, Runtime};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = PublicKey::from_pem(&std::fs::read_to_string("release.pub")?)?;
/// let runtime = Runtime::server().trust(key).build()?;
/// let manager = KernelManager::builder(runtime).store("/var/lib/engine/packs").build()?;
/// if manager.active().is_none() {
///     manager.upgrade("kernels-1.0.0")?;
/// }
/// let rmsnorm = manager.follow_named("rmsnorm_f32")?;   // calls go to whichever pack is active
///
/// manager.upgrade("kernels-1.1.0")?;                    // or stays as it was, and says why
/// manager.rollback()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct KernelManager {
    shared: Arc<Shared>,
}

struct Shared {
    runtime: Runtime,
    checks: Checks,
    active: Active,
    /// The pack that was active before, while it can be gone back to at once.
    previous: Grace<Arc<Live>>,
    store: Option<PackStore>,
    fallback: Option<Fallback>,
    /// Held by whoever replaces the active pack. No call takes it.
    changing: Mutex<Memory>,
}

/// What a manager remembers for the next change.
#[derive(Default)]
struct Memory {
    /// The state, where there is no store that has it.
    state: StoreState,
    /// A pack that somebody else made active in the store and that could not be used here.
    unusable: Option<PackId>,
}

impl KernelManager {
    /// A manager of packs that this runtime opens.
    pub fn builder(runtime: Runtime) -> KernelManagerBuilder {
        KernelManagerBuilder::new(runtime)
    }

    /// The pack that is active now, if there is one yet.
    pub fn pack(&self) -> Option<Pack> {
        self.shared.active.load().map(|live| live.pack.clone())
    }

    /// Which pack is active now, if there is one yet.
    pub fn active(&self) -> Option<PackId> {
        self.shared.active.load().map(|live| live.id.clone())
    }

    /// Which pack [`rollback`](Self::rollback) would lead to, if there is one.
    pub fn previous(&self) -> Option<PackId> {
        let kept = self.shared.previous.peek().map(|live| live.id.clone());
        match &self.shared.store {
            None => kept,
            Some(store) => store.state().ok().and_then(|state| state.previous().cloned()),
        }
    }

    /// Why the active pack is not the one that the store names, if that one could not be opened.
    pub fn fallback(&self) -> Option<&Fallback> {
        self.shared.fallback.as_ref()
    }

    /// The store, if the manager has one.
    pub fn store(&self) -> Option<&PackStore> {
        self.shared.store.as_ref()
    }

    /// The runtime that opens the packs.
    pub fn runtime(&self) -> &Runtime {
        &self.shared.runtime
    }

    /// The kernel of the active pack that a typed stub describes; it stays with that pack, whatever becomes active
    /// later.
    ///
    /// # Errors
    /// [`BadCall::NoActivePack`], or as [`Pack::kernel`].
    pub fn kernel<K: Kernel>(&self) -> Result<TypedKernel<K>, Error> {
        self.live()?.pack.kernel()
    }

    /// The kernel of the active pack with this id; it stays with that pack, whatever becomes active later.
    ///
    /// # Errors
    /// [`BadCall::NoActivePack`], or as [`Pack::kernel_named`].
    pub fn kernel_named(&self, id: &str) -> Result<DynKernel, Error> {
        self.live()?.pack.kernel_named(id)
    }

    /// A kernel that is always the active pack's. While the handle lives, no pack becomes active that lacks the kernel
    /// or wants it to be called differently.
    ///
    /// # Errors
    /// As [`kernel`](Self::kernel).
    pub fn follow<K: Kernel + 'static>(&self) -> Result<Followed<TypedKernel<K>>, Error> {
        self.shared.active.follow(Pack::kernel::<K>)
    }

    /// A kernel that is always the active pack's, as [`follow`](Self::follow); how it is called is how the active pack
    /// has it now.
    ///
    /// # Errors
    /// As [`kernel_named`](Self::kernel_named).
    pub fn follow_named(&self, id: &str) -> Result<Followed<DynKernel>, Error> {
        let spec = self.kernel_named(id)?.spec().clone();
        self.shared.active.follow(move |pack| pack.kernel_like(spec.clone()))
    }

    /// Makes the pack in this folder the active one: it is verified, measured against this runtime, compiled, checked
    /// for health, swapped in, and checked again through the pointer that callers use. If anything fails, the pack that
    /// was active still is; it is kept for [`rollback`](Self::rollback) otherwise.
    ///
    /// Calls are not held up, and those under way finish on the pack they began on. The first pack of a manager gets
    /// there in the same way. Upgrades wait for each other. To upgrade to the pack that is active already changes
    /// nothing, except that its copy in the store is repaired if it has to be. Signed by another key it takes the active
    /// one's place, which is what is to be done when a key is revoked; the previous pack stays the previous one.
    ///
    /// # Errors
    /// Each step has its [`UpgradeError`]. A version older than the newest ever accepted is refused, and so is a pack
    /// of another name; [`upgrade_with`](Self::upgrade_with) can allow them.
    pub fn upgrade(&self, dir: impl AsRef<Path>) -> Result<Swapped, UpgradeError> {
        self.upgrade_with(dir, Upgrade::new())
    }

    /// The same, allowing more.
    ///
    /// # Errors
    /// As [`upgrade`](Self::upgrade).
    pub fn upgrade_with(&self, dir: impl AsRef<Path>, upgrade: Upgrade) -> Result<Swapped, UpgradeError> {
        let result = self.shared.upgrade(dir.as_ref(), &upgrade);
        log::upgrade(dir.as_ref(), &result);
        result
    }

    /// Makes the previous pack active again: at once within its grace period, and from the store, if there is one,
    /// after that. What was active is withdrawn: [`watch`](Self::watch) leaves it alone from then on.
    ///
    /// It leads one step back and not two: another rollback needs another upgrade first.
    ///
    /// # Errors
    /// [`RollbackError::NoPreviousPack`]; or the previous pack cannot be used any more.
    pub fn rollback(&self) -> Result<Swapped, RollbackError> {
        let result = self.shared.rollback();
        log::rollback(&result);
        result
    }

    /// Makes active what another process made active in the store, if it did; `None` if nothing is new there.
    ///
    /// # Errors
    /// As [`upgrade`](Self::upgrade); a pack that is at fault is not tried again until the store names another one.
    pub fn refresh(&self) -> Result<Option<Swapped>, UpgradeError> {
        let result = self.shared.refresh();
        log::refresh(&result);
        result
    }

    /// Upgrades to packs that appear in a folder, from a thread that ends with the [`Watch`].
    ///
    /// Whoever releases packs writes them under another name or in another folder of the same file system, and renames
    /// them into place. A pack that is still being copied is refused, and tried again when its files have changed.
    pub fn watch(&self, dir: impl AsRef<Path>) -> WatchBuilder {
        WatchBuilder::new(self.clone(), dir.as_ref())
    }

    fn live(&self) -> Result<Arc<Live>, Error> {
        self.shared.active.load().ok_or_else(|| BadCall::NoActivePack.into())
    }
}

impl Shared {
    fn changing(&self) -> MutexGuard<'_, Memory> {
        // A change that panicked has left things as they were.
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for KernelManager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KernelManager").field("active", &self.active()).finish_non_exhaustive()
    }
}

/// How long a pack is kept after another one took its place, unless said otherwise.
const GRACE: Duration = Duration::from_secs(300);

const _: () = {
    const fn shared_between_threads<T: Clone + Send + Sync + 'static>() {}
    shared_between_threads::<KernelManager>();
    shared_between_threads::<Followed<DynKernel>>();
};
