//! Failures of kernels inside the sandbox.

use std::fmt;

use kernelpack_abi::Status;

/// The reason why a kernel failed.
///
/// After any of these failures, the next call works, since an instance that trapped is discarded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KernelError {
    /// The call ran longer than its budget.
    EpochDeadline,
    /// The kernel accessed memory outside of its linear memory.
    MemoryAccessViolation {
        /// The address in linear memory if the engine reports it, else 0.
        offset: u32,
        /// The size of the access in bytes if it is known, else 0.
        size: u32,
    },
    /// Integer arithmetic, or the conversion of a float to an integer, overflowed.
    IntegerOverflow,
    /// An integer was divided by zero.
    IntegerDivisionByZero,
    /// The kernel executed `unreachable` and left no message.
    Unreachable,
    /// The kernel's calls were nested too deeply.
    StackOverflow,
    /// The kernel called through a table entry that is missing or has another type.
    IndirectCallTypeMismatch,
    /// The kernel returned a status other than OK, or panicked.
    Returned {
        /// The [`Status`] code returned, or that of `INTERNAL_ERROR` for a panic; a kernel can return any number.
        code: u32,
        /// The message that the kernel left.
        message: Option<String>,
    },
    /// The engine stopped the kernel for a reason that has no variant here.
    Other {
        /// The engine's message.
        message: String,
    },
}

impl KernelError {
    /// Returns the kind of failure as a word for logs and metrics: the variant's name in snake case, or for
    /// [`Returned`](Self::Returned) the status, such as `internal_error`, or `unknown_status`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::EpochDeadline => "epoch_deadline",
            Self::MemoryAccessViolation { .. } => "memory_access_violation",
            Self::IntegerOverflow => "integer_overflow",
            Self::IntegerDivisionByZero => "integer_division_by_zero",
            Self::Unreachable => "unreachable",
            Self::StackOverflow => "stack_overflow",
            Self::IndirectCallTypeMismatch => "indirect_call_type_mismatch",
            Self::Returned { .. } => match self.status() {
                Some(Status::InvalidInput) => "invalid_input",
                Some(Status::InvalidOutput) => "invalid_output",
                Some(Status::InvalidParams) => "invalid_params",
                Some(Status::OutOfMemory) => "out_of_memory",
                Some(Status::NotImplemented) => "not_implemented",
                Some(Status::InternalError) => "internal_error",
                Some(Status::Ok) | None => "unknown_status",
            },
            Self::Other { .. } => "other",
        }
    }

    /// Returns whether the kernel rejected its arguments, rather than failing by itself: the statuses `INVALID_INPUT`,
    /// `INVALID_OUTPUT` and `INVALID_PARAMS`.
    pub fn is_refusal(&self) -> bool {
        matches!(self.status(), Some(Status::InvalidInput | Status::InvalidOutput | Status::InvalidParams))
    }

    /// Returns the status that the kernel returned, if it is a known one.
    fn status(&self) -> Option<Status> {
        match self {
            Self::Returned { code, .. } => i32::try_from(*code).ok().and_then(Status::from_code),
            _ => None,
        }
    }

    /// Makes the error for a status other than OK that a guest returned.
    pub fn returned(status: i32, message: Option<String>) -> Self {
        Self::Returned { code: status as u32, message }
    }
}

impl fmt::Display for KernelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EpochDeadline => f.write_str("it ran longer than its budget"),
            // Memory exists at address 0, so an offset of 0 means that the address is unknown.
            Self::MemoryAccessViolation { offset: 0, size: 0 } => {
                f.write_str("it accessed memory out of bounds, the engine does not tell where")
            }
            Self::MemoryAccessViolation { offset, size: 0 } => {
                write!(f, "it accessed memory out of bounds at {offset:#x}")
            }
            Self::MemoryAccessViolation { offset, size } => {
                write!(f, "it accessed {size} bytes of memory out of bounds at {offset:#x}")
            }
            Self::IntegerOverflow => f.write_str("an integer operation overflowed"),
            Self::IntegerDivisionByZero => f.write_str("an integer was divided by zero"),
            Self::Unreachable => f.write_str("it executed unreachable code"),
            Self::StackOverflow => f.write_str("its stack overflowed"),
            Self::IndirectCallTypeMismatch => f.write_str("it made an indirect call to a missing or mistyped function"),
            Self::Returned { code, message } => {
                match self.status() {
                    Some(status) => write!(f, "it failed with {status} ({code})")?,
                    None => write!(f, "it returned {code}, which is no status")?,
                }
                match message {
                    // A guest can write anything; control characters must not reach a terminal.
                    Some(message) => write!(f, ": {}", message.escape_debug()),
                    None => Ok(()),
                }
            }
            Self::Other { message } => write!(f, "the engine stopped it: {}", message.escape_debug()),
        }
    }
}

impl std::error::Error for KernelError {}
