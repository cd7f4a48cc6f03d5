//! Which pack may follow which.

use std::cmp::Ordering;

use kernelpack_runtime::PackId;

use crate::UpgradeError;
use crate::store::{Accepted, StoreState};

/// What an upgrade may do beyond going to a newer version of the same pack.
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
    /// Newer versions of the same pack only.
    pub fn new() -> Self {
        Self::default()
    }

    /// Allows a version that is older than the newest ever accepted, which an attacker would choose for its known
    /// weaknesses.
    pub fn allow_downgrade(mut self) -> Self {
        self.downgrade = true;
        self
    }

    /// Allows a pack of another name than the active one's. Each name has a newest version of its own.
    pub fn allow_other_name(mut self) -> Self {
        self.other_name = true;
        self
    }

    /// What nobody asked for at this moment: a pack that was rolled back stays away.
    pub(crate) fn unattended() -> Self {
        Self { refuse_withdrawn: true, ..Self::new() }
    }

    /// Whether a pack may become active after all that was accepted so far.
    ///
    /// Versions compare by precedence, so that build metadata does not make one newer. Two contents with one version
    /// are refused without exception: which of them runs would depend on who asked first. Who signed is no part of a
    /// content, so that another key can take over a pack, also the active one after a rollback from a newer one.
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
