//! Replaces packs while their kernels are being called.
//!
//! A [`KernelManager`] owns the choice of the active pack. The invariants: callers never wait for an upgrade, since the
//! active pack is behind one atomic pointer and each call holds on to the pack that it started on; a pack becomes
//! active only after it is verified, compatible, compiled and healthy; and any failure on the way, panics included,
//! leaves the previous pack active.
//!
//! A [`PackStore`] keeps the packs of a machine, and records which versions were accepted, so that an older one cannot
//! come back unnoticed. [`KernelManager::watch`] upgrades to packs that appear in a folder.
#![forbid(unsafe_code)]

mod active;
mod builder;
mod checks;
mod error;
mod follow;
mod follow_bound;
#[cfg(feature = "async")]
mod future;
mod grace;
mod log;
mod manager;
mod policy;
mod shared;
mod slot;
mod store;
mod upgrade;
mod watch;

pub use builder::KernelManagerBuilder;
pub use checks::{CheckFailed, Stage};
pub use error::{Fallback, ManagerError, RollbackError, UpgradeError};
pub use follow::Followed;
pub use follow_bound::{Bindable, FollowedBound};
pub use manager::KernelManager;
pub use policy::Upgrade;
pub use store::{PackStore, StoreError, StoreState};
pub use upgrade::Swapped;
pub use watch::{Watch, WatchBuilder, WatchEvent};
