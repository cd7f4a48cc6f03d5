//! The reasons why a pack did not become active.

use std::io;

use kernelpack_manifest::{CompatibilityResult, Digest, Rejected};
use kernelpack_runtime::{Error, FileError, PackId, Unchecked};
use semver::Version;

use crate::CheckFailed;
use crate::StoreError;

/// The step at which an upgrade failed, and why. The active pack is unchanged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpgradeError {
    /// Verification: the pack is not signed by a trusted key, or does not match its manifest.
    #[error("pack rejected: {0}")]
    Rejected(Box<Rejected>),
    /// Verification: a file cannot be read.
    #[error(transparent)]
    Unreadable(FileError),
    /// Verification: the pack could not be verified for another reason, such as a lack of memory or file descriptors.
    #[error(transparent)]
    Failed(Box<Error>),
    /// Compatibility: the pack is not compatible with this runtime or engine.
    #[error("pack rejected: {0}")]
    Incompatible(CompatibilityResult),
    /// The pack has a different name from the active one.
    #[error("the pack is {offered:?}, the active one {active:?}; allow another name if it is meant to take its place")]
    OtherName {
        /// The active pack's name.
        active: String,
        /// The name of the new pack.
        offered: String,
    },
    /// The version is older than the newest that was ever accepted.
    #[error("the pack {offered} is older than {newest}, which was accepted before; allow the downgrade if it is meant")]
    Downgrade {
        /// The newest version ever accepted of this pack.
        newest: Version,
        /// The new pack.
        offered: PackId,
    },
    /// The version was accepted before, with different content.
    #[error(
        "the pack {offered} has the content {}, its version was accepted with the content {accepted}; raise the version",
        offered.content
    )]
    VersionReused {
        /// The [content](PackId::content) that was accepted.
        accepted: Digest,
        /// The new pack.
        offered: PackId,
    },
    /// The pack was rolled back, and was not requested explicitly since.
    #[error("the pack {pack} was rolled back; release another version, or upgrade to it explicitly")]
    Withdrawn {
        /// The pack.
        pack: PackId,
    },
    /// The pack has changed since it was verified, or differs from what the store says.
    #[error(
        "the pack should be {expected}, signed by {}, and is {found}, signed by {}; install it again",
        expected.signed_by, found.signed_by
    )]
    Changed {
        /// The expected pack.
        expected: PackId,
        /// The pack that was found.
        found: PackId,
    },
    /// Compilation: the engine rejects a module, the runtime's limits are too low for it, or the machine lacks memory.
    #[error("the pack {pack} cannot be loaded: {error}")]
    Compile {
        /// The pack.
        pack: PackId,
        /// The error.
        error: Box<Error>,
    },
    /// A kernel that a handle follows is missing from the pack, or is called differently there.
    #[error("the pack {pack} cannot take the place of the active one, whose kernels are in use: {error}")]
    Followed {
        /// The pack.
        pack: PackId,
        /// The error.
        error: Box<Error>,
    },
    /// Health: the pack failed before it could be called.
    #[error("the pack {pack} is not healthy: {reason}")]
    UnhealthyBefore {
        /// The pack.
        pack: PackId,
        /// The failed check.
        reason: CheckFailed,
    },
    /// Health: the pack failed after it became active, and was replaced again.
    #[error("the pack {pack} was not healthy once it was active, and was taken back: {reason}")]
    UnhealthyAfter {
        /// The pack.
        pack: PackId,
        /// The pack that is active again.
        active: Option<Box<PackId>>,
        /// The failed check.
        reason: CheckFailed,
    },
    /// Health: the pack could not be checked for a reason outside of the pack, such as a lack of address space.
    #[error(transparent)]
    Unchecked(Box<Unchecked>),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl UpgradeError {
    /// Converts an error from verification.
    pub(crate) fn verifying(error: Error) -> Self {
        match error {
            Error::Rejected(rejected) => match *rejected {
                Rejected::Incompatible(result) => Self::Incompatible(result),
                other => Self::Rejected(Box::new(other)),
            },
            Error::File(error) => Self::Unreadable(error),
            other => Self::Failed(Box::new(other)),
        }
    }

    /// Converts an error from loading a verified pack.
    pub(crate) fn loading(pack: &PackId, error: Error) -> Self {
        match error {
            Error::Rejected(_) => Self::verifying(error),
            other => Self::Compile { pack: pack.clone(), error: Box::new(other) },
        }
    }

    /// Returns whether the fault may be temporary, so that another attempt with the same pack may succeed.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Store(_) | Self::Unchecked(_) => true,
            Self::Failed(error) | Self::Compile { error, .. } => matches!(**error, Error::Resources(_)),
            _ => false,
        }
    }
}

/// The reason why a rollback failed. The active pack is unchanged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RollbackError {
    /// No pack was active before, its grace period is over, or a rollback led to it already.
    #[error("there is no previous pack to go back to; upgrade to the version that is wanted")]
    NoPreviousPack,
    /// The previous pack can no longer be used.
    #[error("the previous pack cannot be used any more: {0}")]
    Unusable(Box<UpgradeError>),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The reason why a manager could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManagerError {
    /// The thread that drops old packs could not be started.
    #[error("cannot start the thread that drops previous packs: {0}")]
    Thread(io::Error),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store has no usable pack.
    #[error(
        "the store's active pack {active} cannot be used: {error}{}",
        previous.as_ref().map_or("; there is no previous one".to_owned(), |error| format!("; nor can the previous one: {error}"))
    )]
    NothingUsable {
        /// The active pack.
        active: PackId,
        /// The reason why it cannot be used.
        error: Box<UpgradeError>,
        /// The reason why the previous pack cannot be used, if there is one.
        previous: Option<Box<UpgradeError>>,
    },
}

/// The reason why the store's active pack could not be used; the previous one is active instead, or none.
#[derive(Debug)]
pub struct Fallback {
    /// The pack that the store names.
    pub unusable: PackId,
    /// The reason why it cannot be used.
    pub error: UpgradeError,
}

#[cfg(test)]
mod tests;
