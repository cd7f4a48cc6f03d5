//! The reasons why a kernel's function gives no results on the build machine.

use std::time::Duration;

use kernelpack_abi::Status;

/// The reason why a function returned no results.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoAnswer {
    /// The program has no function for this kernel, since `#[kernel]` did not register one.
    #[error("is not registered by #[kernel]")]
    Unregistered,
    /// The function needs what `init` prepares, which exists only in an instance.
    #[error("needs its init, which only runs in the sandbox")]
    NeedsInit,
    /// The function returns something else when it is called again, so no result can be expected.
    #[error("gives other results when it is called again: it keeps state between calls")]
    Unsteady,
    /// The function returned an error.
    #[error("failed with {}{}{message}", .status.name(), if .message.is_empty() { "" } else { ": " })]
    Refused {
        /// The error's status.
        status: Status,
        /// Its message.
        message: String,
    },
    /// The function panicked or crashed.
    #[error("ended its process ({status}){}{message}", if .message.is_empty() { "" } else { ": " })]
    Crashed {
        /// How the process ended.
        status: String,
        /// The last lines that it printed.
        message: String,
    },
    /// The function did not return in time.
    #[error("did not return within {limit:?}")]
    TimedOut {
        /// The time limit.
        limit: Duration,
    },
    /// Even a small call would be too large for a vector.
    #[error("takes tensors too large for a vector, which has at most {limit} bytes")]
    TooLarge {
        /// The most bytes of a vector.
        limit: usize,
    },
}
