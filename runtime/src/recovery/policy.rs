//! What a runtime decided about kernels that fail.

use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

use kernelpack_abi::native::NativeKernel;

use crate::KernelError;

/// When a failed call is run again on the kernel's reference implementation.
///
/// There is a reference if the manifest's `fallbacks` names one for the kernel and this program has it: the native
/// function of the crate that the pack was built from, where it is compiled in, or one given to
/// [`RuntimeBuilder::reference`](crate::RuntimeBuilder::reference).
///
/// When a pack is opened, each reference has to give what the pack's health vectors expect, twice over, and is not used
/// otherwise: the function may have been compiled from other sources, with other features, or keep something from call
/// to call. A function that is merely compiled in is not used either where its kernel has no vector. Vectors say nothing
/// of backward passes. Kernels with an `init` or a `cleanup` have no reference, and in programs that abort at panics
/// (`panic = "abort"`) nothing falls back, since a reference that panics would end the program.
///
/// A kernel that refuses its arguments with `INVALID_INPUT`, `INVALID_OUTPUT` or `INVALID_PARAMS` has answered: no
/// policy runs the reference then. Neither does one when the caller or the machine is at fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FallbackPolicy {
    /// Never: every failure is the caller's to handle.
    Never,
    /// After traps, panics and failing statuses, but not after [`KernelError::EpochDeadline`] and
    /// [`KernelError::StackOverflow`].
    #[default]
    OnTrap,
    /// After those, after deadlines and after stack overflows. Nothing stops native code: where arguments made the kernel
    /// loop or recurse for ever, the reference may do so too, and hang the caller or end the program, which is why this
    /// is not the default.
    Always,
}

impl FallbackPolicy {
    /// Whether a call that failed with this is run again.
    pub(crate) fn covers(self, error: &KernelError) -> bool {
        match self {
            Self::Never => false,
            _ if error.is_refusal() => false,
            Self::OnTrap => !matches!(error, KernelError::EpochDeadline | KernelError::StackOverflow),
            Self::Always => true,
        }
    }
}

/// Where a kernel runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Placement {
    /// In the sandbox.
    #[default]
    Sandboxed,
    /// Natively, as the reference implementation that is compiled into the program: without isolation, without limits
    /// of time and memory, and directly on the caller's tensors, so that a call that fails may leave anything in its
    /// outputs and in-out tensors.
    Native,
}

/// When a kernel that keeps failing is taken out of service.
///
/// Out of service, a kernel's calls go straight to its reference where there is one and the [`FallbackPolicy`] covers
/// the last failure, else they are refused with [`Error::OutOfService`](crate::Error::OutOfService). After `open_for` one call tries the sandbox: its success puts
/// the kernel back in service, its failure takes it out for as long again.
///
/// Traps, panics, failing statuses and overrun budgets count. What does not: statuses that refuse the arguments, errors
/// of the caller or the machine, and deadlines of calls that had asked for less time than the kernel may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BreakerPolicy {
    /// Kernels stay in service whatever they do.
    Never,
    /// So many failures in a row, of whatever callers, take the kernel out of service for a while.
    #[non_exhaustive]
    After {
        /// The failures in a row.
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
    /// Ten failures in a row, 30 seconds.
    fn default() -> Self {
        Self::after(10, Duration::from_secs(30))
    }
}

/// All that a runtime's builder was told about it.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) fallback: FallbackPolicy,
    pub(crate) breaker: BreakerPolicy,
    pub(crate) placements: BTreeMap<String, Placement>,
    pub(crate) references: Vec<NativeKernel>,
    pub(crate) metrics: bool,
}

impl Settings {
    /// Why no kernel of this placement calls its reference, whatever that is like.
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
mod tests {
    use super::*;

    #[test]
    fn answers_are_never_run_again_and_deadlines_only_if_asked_for() {
        let returned = |code| KernelError::Returned { code, message: None };
        for policy in [FallbackPolicy::Never, FallbackPolicy::OnTrap, FallbackPolicy::Always] {
            for code in 1..=3 {
                assert!(!policy.covers(&returned(code)), "{policy:?} {code}");
            }
            for error in [returned(4), returned(5), returned(6), returned(99), KernelError::Unreachable] {
                assert_eq!(policy.covers(&error), policy != FallbackPolicy::Never, "{policy:?} {error:?}");
            }
            for error in [KernelError::EpochDeadline, KernelError::StackOverflow] {
                assert_eq!(policy.covers(&error), policy == FallbackPolicy::Always, "{policy:?} {error:?}");
            }
        }
    }

    #[test]
    fn a_program_that_aborts_at_panics_falls_back_on_nothing() {
        let settings = Settings::default();
        let reason = |placement, panics_abort| settings.has_no_use_for_references(placement, panics_abort);
        assert!(reason(Placement::Sandboxed, true).is_some_and(|reason| reason.contains("abort")));
        assert_eq!(reason(Placement::Sandboxed, false), None);
        // Who gives up the sandbox has asked for whatever the function does.
        assert_eq!(reason(Placement::Native, true), None);
        let never = Settings { fallback: FallbackPolicy::Never, ..Settings::default() };
        assert!(never.has_no_use_for_references(Placement::Sandboxed, false).is_some());
    }
}
