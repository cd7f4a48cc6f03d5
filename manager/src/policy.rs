//! Decides which pack may replace which.

use std::cmp::Ordering;

use kernelpack_runtime::PackId;

use crate::UpgradeError;
use crate::store::{Accepted, StoreState};

/// The permissions of an upgrade beyond going to a newer version of the same pack.
///
/// # Example: back to an older version on purpose
/// ```no_run
/// use kernelpack_host::manager::{KernelManager, Upgrade, UpgradeError};
///
/// fn go_back(manager: &KernelManager) -> Result<(), UpgradeError> {
///     manager.upgrade_with("kernels-0.9.0", Upgrade::new().allow_downgrade())?;
///     Ok(())
/// }
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct Upgrade {
    downgrade: bool,
    other_name: bool,
    refuse_withdrawn: bool,
}

impl Upgrade {
    /// Allows only newer versions of the same pack.
    pub fn new() -> Self {
        Self::default()
    }

    /// Allows a version older than the newest ever accepted. An attacker would choose such a version for its known
    /// weaknesses.
    pub fn allow_downgrade(mut self) -> Self {
        self.downgrade = true;
        self
    }

    /// Allows a pack whose name differs from the active one's. Each name has its own newest version.
    pub fn allow_other_name(mut self) -> Self {
        self.other_name = true;
        self
    }

    /// Returns the policy for unattended upgrades: a withdrawn pack stays withdrawn.
    pub(crate) fn unattended() -> Self {
        Self { refuse_withdrawn: true, ..Self::new() }
    }

    /// Checks whether a pack may become active, given everything accepted so far.
    ///
    /// Versions compare by precedence, so build metadata does not make one newer. Two contents with the same version
    /// are always refused: the order of requests would decide which one runs. The signer is not part of the content, so
    /// another key can take over a pack, including the active one after a rollback from a newer one.
    pub(crate) fn judge(
        &self,
        state: &StoreState,
        running: Option<&PackId>,
        offered: &PackId,
    ) -> Result<(), UpgradeError> {
        let active = running.or(state.active());
        if let Some(active) = active.filter(|active| active.name != offered.name && !self.other_name) {
            return Err(UpgradeError::OtherName { active: active.name.clone(), offered: offered.name.clone() });
        }
        if self.refuse_withdrawn && state.is_withdrawn(offered) {
            return Err(UpgradeError::Withdrawn { pack: offered.clone() });
        }
        for accepted in state.accepted(&offered.name) {
            if offered.version.cmp_precedence(&accepted.version) == Ordering::Equal && !accepted.is(offered) {
                return Err(UpgradeError::VersionReused { accepted: accepted.content, offered: offered.clone() });
            }
        }
        if state.active().is_some_and(|active| Accepted::of(active).is(offered)) {
            return Ok(());
        }
        match state.newest(&offered.name) {
            Some(newest) if offered.version.cmp_precedence(newest).is_lt() && !self.downgrade => {
                Err(UpgradeError::Downgrade { newest: newest.clone(), offered: offered.clone() })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
