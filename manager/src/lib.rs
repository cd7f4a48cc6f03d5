//! Replacing packs while their kernels are called.
//!
//! A [`KernelManager`] owns which pack is active. The invariants: callers never wait for an upgrade, since the active
//! pack is behind one atomic pointer and a call holds on to the pack it began on; a pack is active only after it was
//! verified, found to fit, compiled, and healthy; and whatever fails on the way, panics included, leaves the pack active
//! that was.
//!
//! A [`PackStore`] keeps the packs of a machine, and which version of each was accepted, so that no older one comes back
//! unnoticed. [`KernelManager::watch`] upgrades to packs that appear in a folder.
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
