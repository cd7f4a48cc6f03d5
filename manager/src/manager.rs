//! The program's handle to its active pack.

use std::{path::Path, sync::Arc};

use kernelpack_abi::Kernel;
use kernelpack_runtime::{BadCall, DynKernel, Error, Pack, PackId, Runtime, TypedKernel};

use crate::{
    Fallback, Followed, PackStore, RollbackError, Swapped, Upgrade, UpgradeError, active::Live, log, shared::Shared,
};

/// Keeps one pack active and replaces it without disturbing calls.
///
/// The manager is cheap to clone and can be used from many threads; clones share the same state. With a [`PackStore`]
/// its packs outlive the process; without one they are only in memory.
///
/// # Example: a service that upgrades
/// ```no_run
/// use kernelpack_host::{PublicKey, Runtime, Tensor, manager::KernelManager};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = PublicKey::from_pem(&std::fs::read_to_string("release.pub")?)?;
/// let runtime = Runtime::server().trust(key).build()?;
/// let manager = KernelManager::builder(runtime).store("/var/lib/engine/packs").build()?;
/// if manager.active().is_none() {
///     manager.upgrade("kernels-1.0.0")?;
/// }
/// let rmsnorm = manager.follow_named("rmsnorm_f32")?; // calls go to whichever pack is active
/// let (x, weight) = (Tensor::from_slice(&[3.0_f32, -4.0], &[1, 2])?, Tensor::from_slice(&[1.0_f32; 2], &[2])?);
///
/// manager.upgrade("kernels-1.1.0")?; // or all stays as it was, and the error says why
/// println!("{:?}", rmsnorm.run(&[("x", (&x).into()), ("weight", (&weight).into())], &[])?);
/// manager.rollback()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct KernelManager {
    pub(crate) shared: Arc<Shared>,
}

impl KernelManager {
    /// Returns the active pack, if there is one yet.
    pub fn pack(&self) -> Option<Pack> {
        self.shared.active.load().map(|live| live.pack.clone())
    }

    /// Returns the id of the active pack, if there is one yet.
    pub fn active(&self) -> Option<PackId> {
        self.shared.active.load().map(|live| live.id.clone())
    }

    /// Returns the id of the pack that [`rollback`](Self::rollback) would go back to, if there is one.
    pub fn previous(&self) -> Option<PackId> {
        let kept = self.shared.previous.peek().map(|live| live.id.clone());
        match &self.shared.store {
            None => kept,
            Some(store) => store.state().ok().and_then(|state| state.previous().cloned()),
        }
    }

    /// Returns the reason why the active pack is not the one that the store names, if that pack could not be used at
    /// the start.
    pub fn startup_fallback(&self) -> Option<&Fallback> {
        self.shared.fallback.as_ref()
    }

    /// Returns the store, if the manager has one.
    pub fn store(&self) -> Option<&PackStore> {
        self.shared.store.as_ref()
    }

    /// Returns the runtime that opens packs.
    pub fn runtime(&self) -> &Runtime {
        &self.shared.runtime
    }

    /// Returns the kernel of the active pack that a typed stub describes; it stays with that pack, even after an
    /// upgrade.
    ///
    /// # Errors
    /// [`BadCall::NoActivePack`], or as [`Pack::kernel`].
    pub fn kernel<K: Kernel>(&self) -> Result<TypedKernel<K>, Error> {
        self.live()?.pack.kernel()
    }

    /// Returns the kernel of the active pack with this id; it stays with that pack, even after an upgrade.
    ///
    /// # Errors
    /// [`BadCall::NoActivePack`], or as [`Pack::kernel_named`].
    pub fn kernel_named(&self, id: &str) -> Result<DynKernel, Error> {
        self.live()?.pack.kernel_named(id)
    }

    /// Returns a handle to a kernel that always uses the active pack. While the handle exists, a pack cannot become
    /// active if it lacks the kernel, or if its kernel has another interface.
    ///
    /// # Errors
    /// See [`kernel`](Self::kernel).
    pub fn follow<K: Kernel + 'static>(&self) -> Result<Followed<TypedKernel<K>>, Error> {
        self.shared.active.follow(Pack::kernel::<K>)
    }

    /// Like [`follow`](Self::follow), for the kernel with this id, called as the active pack describes it now.
    ///
    /// # Errors
    /// See [`kernel_named`](Self::kernel_named).
    pub fn follow_named(&self, id: &str) -> Result<Followed<DynKernel>, Error> {
        let spec = self.kernel_named(id)?.spec().clone();
        self.shared.active.follow(move |pack| pack.kernel_like(spec.clone()))
    }

    /// Makes the pack in this folder the active one: it is verified, checked for compatibility, compiled, checked for
    /// health, swapped in, and checked again through the pointer that callers use. If anything fails, the previous pack
    /// stays active; otherwise it is kept for [`rollback`](Self::rollback).
    ///
    /// Calls do not wait for an upgrade, and running calls finish on the pack that they started on. A manager's first
    /// pack is activated in the same way. Upgrades wait for each other. An upgrade to the active pack changes nothing,
    /// except that its copy in the store is repaired if necessary. The same pack signed by another key replaces the
    /// active one, which is how to proceed when a key is revoked; the previous pack stays the previous one.
    ///
    /// # Errors
    /// Each step has its [`UpgradeError`]. A version older than the newest ever accepted is refused, and so is a pack
    /// of another name; [`upgrade_with`](Self::upgrade_with) can allow them.
    pub fn upgrade(&self, dir: impl AsRef<Path>) -> Result<Swapped, UpgradeError> {
        self.upgrade_with(dir, Upgrade::new())
    }

    /// Like [`upgrade`](Self::upgrade), but can allow downgrades and packs of other names.
    ///
    /// # Errors
    /// See [`upgrade`](Self::upgrade).
    pub fn upgrade_with(&self, dir: impl AsRef<Path>, upgrade: Upgrade) -> Result<Swapped, UpgradeError> {
        let result = self.shared.upgrade(dir.as_ref(), &upgrade);
        log::upgrade(dir.as_ref(), &result);
        result
    }

    /// Makes the previous pack active again: immediately within its grace period, and from the store, if there is one,
    /// after that. The pack that was active is withdrawn: [`watch`](Self::watch) ignores it from then on.
    ///
    /// A rollback goes back one step only: the next one needs another upgrade first.
    ///
    /// # Errors
    /// [`RollbackError::NoPreviousPack`]; or the previous pack can no longer be used.
    pub fn rollback(&self) -> Result<Swapped, RollbackError> {
        let result = self.shared.rollback();
        log::rollback(&result);
        result
    }

    /// Activates the pack that another process made active in the store; `None` if the store's active pack has not
    /// changed.
    ///
    /// # Errors
    /// See [`upgrade`](Self::upgrade); a faulty pack is not tried again until the store names another one.
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
