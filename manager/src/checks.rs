//! Checks whether a pack works here: with its own health vectors, and with the program's probes.

use std::{any::Any, error::Error as StdError, iter};

use kernelpack_runtime::{HealthError, Pack, Unchecked, Unhealthy};

/// The time at which a check runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The pack is compiled, and cannot be called yet.
    BeforeSwap,
    /// The pack is active, and is replaced again if it fails.
    AfterSwap,
}

/// A program's own check of a pack.
pub(crate) type Probe = Box<dyn Fn(&Pack, Stage) -> Result<(), Box<dyn StdError + Send + Sync>> + Send + Sync>;

/// The checks that a pack must pass.
#[derive(Default)]
pub(crate) struct Checks {
    pub(crate) probes: Vec<Probe>,
}

/// The reason why a pack failed its checks.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckFailed {
    /// One of its own health vectors gave a wrong result.
    #[error(transparent)]
    Health(Box<Unhealthy>),
    /// The health vectors could not be run, for a reason outside of the pack.
    #[error(transparent)]
    Unchecked(Box<Unchecked>),
    /// A probe of the program rejected it.
    #[error("a probe refused it: {}", with_causes(.0.as_ref()))]
    Probe(Box<dyn StdError + Send + Sync>),
    /// A probe of the program panicked.
    #[error("a probe panicked: {message}")]
    Panicked {
        /// The panic's message.
        message: String,
    },
}

/// Returns the message of a program's own error, followed by each cause that its message does not include.
fn with_causes(error: &(dyn StdError + 'static)) -> String {
    let mut told = error.to_string();
    for cause in iter::successors(error.source(), |&cause| cause.source()) {
        let cause = cause.to_string();
        if !told.contains(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    told
}

impl CheckFailed {
    pub(crate) fn panicked(panic: Box<dyn Any + Send>) -> Self {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let message = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Self::Panicked { message: message.unwrap_or_else(|| "no message".to_owned()) }
    }
}

impl Checks {
    pub(crate) fn run(&self, pack: &Pack, stage: Stage) -> Result<(), CheckFailed> {
        pack.check_health().map_err(|error| match error {
            HealthError::Unhealthy(unhealthy) => CheckFailed::Health(unhealthy),
            HealthError::Unchecked(unchecked) => CheckFailed::Unchecked(unchecked),
        })?;
        self.probes.iter().try_for_each(|probe| probe(pack, stage).map_err(CheckFailed::Probe))
    }
}

#[cfg(test)]
mod tests;
