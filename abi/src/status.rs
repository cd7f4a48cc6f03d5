//! The codes that a guest export returns.

use core::fmt;

/// What a guest export returned, with the codes and names of the specification's appendix B.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Status {
    /// The call succeeded and every output is written.
    Ok = 0,
    /// An input tensor has a wrong shape, type or value.
    InvalidInput = 1,
    /// An output tensor has a wrong shape or type.
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
    /// The status with this code, or `None` for a code that the ABI does not define.
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

    /// The code that crosses the boundary.
    pub const fn code(self) -> i32 {
        self as i32
    }

    /// The specification's name, such as `INVALID_INPUT`.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_those_of_the_specification() {
        let names = ["OK", "INVALID_INPUT", "INVALID_OUTPUT", "INVALID_PARAMS", "OUT_OF_MEMORY", "NOT_IMPLEMENTED"];
        for (code, name) in names.into_iter().chain(["INTERNAL_ERROR"]).enumerate() {
            let status = Status::from_code(code as i32).unwrap();
            assert_eq!((status.code(), status.name()), (code as i32, name));
        }
        assert_eq!(Status::from_code(7), None);
        assert_eq!(Status::from_code(-1), None);
    }
}
