//! The handle that a program has of its active pack.

use std::{path::Path, sync::Arc};

use kernelpack_abi::Kernel;
use kernelpack_runtime::{BadCall, DynKernel, Error, Pack, PackId, Runtime, TypedKernel};

use crate::{
    Fallback, Followed, PackStore, RollbackError, Swapped, Upgrade, UpgradeError, active::Live, log, shared::Shared,
};

/// Keeps one pack active and replaces it without disturbing calls.
///
/// Cheap to clone, and usable from many threads; clones are the same manager. With a [`PackStore`] its packs outlive
/// the process, without one they are only in memory.
///
/// # Example: a service that upgrades
/// ```no_run
/// use kernelpack_host::{PublicKey, Runtime, manager::KernelManager};
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
    pub(crate) shared: Arc<Shared>,
}

impl KernelManager {
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
    pub fn startup_fallback(&self) -> Option<&Fallback> {
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

    fn live(&self) -> Result<Arc<Live>, Error> {
        self.shared.active.load().ok_or_else(|| BadCall::NoActivePack.into())
    }
}

impl std::fmt::Debug for KernelManager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KernelManager").field("active", &self.active()).finish_non_exhaustive()
    }
}

const _: () = {
    const fn shared_between_threads<T: Clone + Send + Sync + 'static>() {}
    shared_between_threads::<KernelManager>();
    shared_between_threads::<Followed<DynKernel>>();
};
