//! The codes that a guest export returns.

use core::fmt;

/// The status that a guest export returns, with the codes and names of appendix B of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Status {
    /// The call succeeded and every output is written.
    Ok = 0,
    /// An input tensor has the wrong shape, type or value.
    InvalidInput = 1,
    /// An output tensor has the wrong shape or type.
    InvalidOutput = 2,
    /// The params block or a scalar in it is wrong.
    InvalidParams = 3,
    /// The kernel ran out of memory.
    OutOfMemory = 4,
    /// The kernel does not support the operation.
    NotImplemented = 5,
    /// The kernel failed for a reason of its own.
    InternalError = 6,
}

impl Status {
    /// Returns the status with this code, or `None` for a code that the ABI does not define.
    pub const fn from_code(code: i32) -> Option<Self> {
        Some(match code {
            0 => Self::Ok,
            1 => Self::InvalidInput,
            2 => Self::InvalidOutput,
            3 => Self::InvalidParams,
            4 => Self::OutOfMemory,
            5 => Self::NotImplemented,
            6 => Self::InternalError,
            _ => return None,
        })
    }

    /// Returns the code that crosses the boundary.
    pub const fn code(self) -> i32 {
        self as i32
    }

    /// Returns the specification's name, such as `INVALID_INPUT`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::InvalidInput => "INVALID_INPUT",
            Self::InvalidOutput => "INVALID_OUTPUT",
            Self::InvalidParams => "INVALID_PARAMS",
            Self::OutOfMemory => "OUT_OF_MEMORY",
            Self::NotImplemented => "NOT_IMPLEMENTED",
            Self::InternalError => "INTERNAL_ERROR",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The result of `kernel_forward_batch`: how far it got, and the status with which it stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchStatus {
    /// The status of the call that failed, or 0 if none did.
    pub code: i32,
    /// The index of the call that failed, or 0 if none did.
    pub index: u32,
}

impl BatchStatus {
    /// The status of a batch in which every call succeeded.
    pub const OK: Self = Self { code: Status::Ok.code(), index: 0 };

    /// Decodes the value that crosses the boundary.
    pub const fn from_bits(bits: i64) -> Self {
        Self { code: bits as i32, index: (bits as u64 >> 32) as u32 }
    }

    /// Encodes the value that crosses the boundary: the index in the upper 32 bits, the code in the lower 32.
    pub const fn to_bits(self) -> i64 {
        ((self.index as u64) << 32 | self.code as u32 as u64) as i64
    }
}

#[cfg(test)]
mod tests;
