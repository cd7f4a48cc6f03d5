//! Policies for kernels that fail.

use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

use kernelpack_abi::native::NativeKernel;

use crate::KernelError;

/// The policy that decides which failed calls are run again on the kernel's reference implementation.
///
/// A kernel has a reference if the manifest's `fallbacks` names one for it and this program contains it: either the
/// native function of the crate that the pack was built from, compiled into the program, or one that was given to
/// [`RuntimeBuilder::reference`](crate::RuntimeBuilder::reference).
///
/// When a pack is opened, each reference runs the pack's health vectors twice, and is used only if it returns what they
/// expect: the function may have been compiled from other sources or with other features, or keep state between calls.
/// If a kernel has no vectors, only a reference that was given to the builder is used. Vectors do not test backward
/// passes. Kernels with an `init` or a `cleanup` have no reference. In programs that abort on panics
/// (`panic = "abort"`) no call falls back, since a reference that panics would end the program.
///
/// No policy runs the reference if a kernel refuses its arguments with `INVALID_INPUT`, `INVALID_OUTPUT` or
/// `INVALID_PARAMS`, which is a valid answer, or if the caller or the machine is at fault.
///
/// # Example: every failure reaches the caller
/// ```
/// use kernelpack_host::{Runtime, policy::FallbackPolicy};
///
/// let builder = Runtime::server().fallback(FallbackPolicy::Never);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FallbackPolicy {
    /// None: callers handle every failure.
    Never,
    /// Calls that end in a trap, a panic or a failing status, but not in [`KernelError::EpochDeadline`] or
    /// [`KernelError::StackOverflow`].
    #[default]
    OnTrap,
    /// All calls that [`OnTrap`](Self::OnTrap) covers, and those that end in a deadline or a stack overflow. This is
    /// not the default, because nothing stops native code: if the arguments make the kernel loop or recurse forever,
    /// the reference may do so too, and hang the caller or crash the program.
    Always,
}

impl FallbackPolicy {
    /// Returns whether a call that failed with this error is run again.
    pub(crate) fn covers(self, error: &KernelError) -> bool {
        match self {
            Self::Never => false,
            _ if error.is_refusal() => false,
            Self::OnTrap => !matches!(error, KernelError::EpochDeadline | KernelError::StackOverflow),
            Self::Always => true,
        }
    }
}

/// The place where a kernel runs: in the sandbox or natively.
///
/// # Example: one kernel outside of the sandbox
/// ```
/// use kernelpack_host::{Runtime, policy::Placement};
///
/// let builder = Runtime::server().placement("rope_f32", Placement::Native);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Placement {
    /// In the sandbox.
    #[default]
    Sandboxed,
    /// Natively, as the reference implementation that is compiled into the program: without isolation, without limits
    /// on time and memory, and directly on the caller's tensors, so that a failed call may leave any values in its
    /// outputs and in-out tensors.
    Native,
}

impl Placement {
    /// Returns the placement's name in metrics.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Sandboxed => "sandboxed",
            Self::Native => "native",
        }
    }
}

/// The rule by which a kernel that keeps failing is taken out of service.
///
/// While a kernel is out of service, its calls go straight to its reference if there is one and the [`FallbackPolicy`]
/// covers the last failure; otherwise they fail with [`Error::OutOfService`](crate::Error::OutOfService). After
/// `open_for`, one call tries the sandbox: if it succeeds, the kernel is back in service; if it fails, the kernel stays
/// out of service for as long again.
///
/// Traps, panics, failing statuses and overrun budgets count as failures. Statuses that refuse the arguments, errors of
/// the caller or the machine, and deadlines of calls that allowed less time than the kernel may have do not.
///
/// # Example: five failures in a row take a kernel out of service for a minute
/// ```
/// use std::time::Duration;
///
/// use kernelpack_host::{Runtime, policy::BreakerPolicy};
///
/// let builder = Runtime::server().breaker(BreakerPolicy::after(5, Duration::from_secs(60)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BreakerPolicy {
    /// Kernels always stay in service.
    Never,
    /// This many failures in a row, counted over all callers, take the kernel out of service for a while.
    #[non_exhaustive]
    After {
        /// The number of failures in a row.
        failures: NonZeroU32,
        /// How long the kernel is out of service before one call tries the sandbox.
        open_for: Duration,
    },
}

impl BreakerPolicy {
    /// Takes a kernel out of service after this many failures in a row, at least one, until `open_for` has passed.
    pub const fn after(failures: u32, open_for: Duration) -> Self {
        match NonZeroU32::new(failures) {
            Some(failures) => Self::After { failures, open_for },
            None => Self::After { failures: NonZeroU32::MIN, open_for },
        }
    }
}

impl Default for BreakerPolicy {
    /// Takes a kernel out of service for 30 seconds after ten failures in a row.
    fn default() -> Self {
        Self::after(10, Duration::from_secs(30))
    }
}

/// All settings of a runtime's builder that concern recovery.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) fallback: FallbackPolicy,
    pub(crate) breaker: BreakerPolicy,
    pub(crate) placements: BTreeMap<String, Placement>,
    pub(crate) references: Vec<NativeKernel>,
    pub(crate) metrics: bool,
}

impl Settings {
    /// Returns why a kernel with this placement never calls its reference, if that is so.
    pub(super) fn has_no_use_for_references(&self, placement: Placement, panics_abort: bool) -> Option<&'static str> {
        match placement {
            Placement::Native => None,
            Placement::Sandboxed if self.fallback == FallbackPolicy::Never => Some("the runtime's policy is Never"),
            Placement::Sandboxed if panics_abort => {
                Some("a reference that panics would end this program, which is compiled with panic = \"abort\"")
            }
            Placement::Sandboxed => None,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            fallback: FallbackPolicy::default(),
            breaker: BreakerPolicy::default(),
            placements: BTreeMap::new(),
            references: Vec::new(),
            metrics: true,
        }
    }
}

#[cfg(test)]
mod tests;
