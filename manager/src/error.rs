//! Why a pack did not become active.

use std::io;

use kernelpack_manifest::{CompatibilityResult, Digest, Rejected};
use kernelpack_runtime::{EngineError, Error, PackId, Unchecked};
use semver::Version;

use crate::CheckFailed;
use crate::StoreError;

/// At which step an upgrade failed, and why. The pack that was active still is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpgradeError {
    /// Verifying: it is not what a trusted key signed, or not what its manifest says.
    #[error("pack rejected: {0}")]
    Rejected(#[source] Box<Rejected>),
    /// Verifying: a file cannot be read.
    #[error(transparent)]
    Unreadable(EngineError),
    /// Compatibility: it does not fit this runtime or engine.
    #[error("pack rejected: {0}")]
    Incompatible(CompatibilityResult),
    /// The pack has another name than the active one.
    #[error("the pack is {offered:?}, the active one {active:?}; allow another name if it shall take its place")]
    OtherName {
        /// The active pack's name.
        active: String,
        /// The name offered.
        offered: String,
    },
    /// The version is older than the newest that was ever accepted.
    #[error("the pack {offered} is older than {newest}, which was accepted before; allow the downgrade if it is meant")]
    Downgrade {
        /// The newest version ever accepted of this pack.
        newest: Version,
        /// The pack offered.
        offered: PackId,
    },
    /// The version was accepted before, with another content.
    #[error(
        "the pack {offered} has the content {}, its version was accepted with the content {accepted}; raise the version",
        offered.content
    )]
    VersionReused {
        /// The [content](PackId::content) that was accepted.
        accepted: Digest,
        /// The pack offered.
        offered: PackId,
    },
    /// A rollback led away from the pack, and nobody has asked for it again.
    #[error("the pack {pack} was rolled back; release another version, or upgrade to it explicitly")]
    Withdrawn {
        /// The pack.
        pack: PackId,
    },
    /// The pack is another one than it was a moment ago, or than the store says.
    #[error(
        "the pack should be {expected}, signed by {}, and is {found}, signed by {}; install it again",
        expected.signed_by, found.signed_by
    )]
    Changed {
        /// What it should be.
        expected: PackId,
        /// What it is.
        found: PackId,
    },
    /// Compiling: the engine refuses a module, or the runtime's ceilings are too low for it.
    #[error("the pack {pack} cannot be loaded: {error}")]
    Compile {
        /// The pack.
        pack: PackId,
        /// What happened.
        #[source]
        error: Box<Error>,
    },
    /// A kernel that a handle follows is missing, or is called in another way.
    #[error("the pack {pack} cannot take the place of the active one, whose kernels are in use: {error}")]
    Followed {
        /// The pack.
        pack: PackId,
        /// What is wrong with the kernel.
        #[source]
        error: Box<Error>,
    },
    /// Health, before anybody could call it.
    #[error("the pack {pack} is not healthy: {reason}")]
    UnhealthyBefore {
        /// The pack.
        pack: PackId,
        /// What failed.
        #[source]
        reason: CheckFailed,
    },
    /// Health, when it was active already: it was taken back.
    #[error("the pack {pack} was not healthy once it was active, and was taken back: {reason}")]
    UnhealthyAfter {
        /// The pack.
        pack: PackId,
        /// What is active again.
        active: Option<Box<PackId>>,
        /// What failed.
        #[source]
        reason: CheckFailed,
    },
    /// Health: it could not be checked, for a reason that is not the pack's, such as a lack of address space.
    #[error(transparent)]
    Unchecked(Box<Unchecked>),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl UpgradeError {
    /// What went wrong while a pack was verified.
    pub(crate) fn verifying(error: Error) -> Self {
        match error {
            Error::Rejected(rejected) => match *rejected {
                Rejected::Incompatible(result) => Self::Incompatible(result),
                other => Self::Rejected(Box::new(other)),
            },
            Error::Engine(error) => Self::Unreadable(error),
            // Nothing is called yet; should that change, the words are still right.
            other => Self::Unreadable(EngineError::Configure(other.to_string())),
        }
    }

    /// What went wrong while a verified pack was loaded.
    pub(crate) fn loading(pack: &PackId, error: Error) -> Self {
        match error {
            Error::Rejected(_) => Self::verifying(error),
            other => Self::Compile { pack: pack.clone(), error: Box::new(other) },
        }
    }

    /// Whether another attempt with the same pack may end differently.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Store(_) | Self::Unchecked(_))
    }
}

/// Why there was no way back. The pack that was active still is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RollbackError {
    /// Nothing was active before, its grace period is over, or a rollback led to it already.
    #[error("there is no previous pack to go back to; upgrade to the version that is wanted")]
    NoPreviousPack,
    /// The previous pack cannot be used any more.
    #[error("the previous pack cannot be used any more: {0}")]
    Unusable(#[source] Box<UpgradeError>),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a manager could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManagerError {
    /// The thread that lets packs go could not be started.
    #[error("cannot start the thread that drops previous packs: {0}")]
    Thread(io::Error),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store has no pack that can be used.
    #[error(
        "the store's active pack {active} cannot be used: {error}{}",
        previous.as_ref().map_or("; there is no previous one".to_owned(), |error| format!("; nor can the previous one: {error}"))
    )]
    NothingUsable {
        /// The active pack.
        active: PackId,
        /// What is wrong with it.
        error: Box<UpgradeError>,
        /// What is wrong with the previous one, if there is one.
        previous: Option<Box<UpgradeError>>,
    },
}

/// The store's active pack, which could not be used, so that the previous one is active, or none.
#[derive(Debug)]
pub struct Fallback {
    /// The pack that the store names.
    pub unusable: PackId,
    /// What is wrong with it.
    pub error: UpgradeError,
}
