//! Converts WAMR's exceptions to our errors.

use kernelpack_engine::KernelError;

/// Converts a message of WAMR to our error. Every exception goes through here.
#[cold]
pub(crate) fn kernel_error(exception: &str) -> KernelError {
    let text = exception.strip_prefix("Exception: ").unwrap_or(exception);
    match text {
        // WAMR does not report the address.
        "out of bounds memory access" => KernelError::MemoryAccessViolation { offset: 0, size: 0 },
        "integer overflow" | "invalid conversion to integer" => KernelError::IntegerOverflow,
        "integer divide by zero" => KernelError::IntegerDivisionByZero,
        "unreachable" => KernelError::Unreachable,
        "native stack overflow"
        | "wasm operand stack overflow"
        | "wasm auxiliary stack overflow"
        | "wasm auxiliary stack underflow" => KernelError::StackOverflow,
        "indirect call type mismatch"
        | "undefined element"
        | "uninitialized element"
        | "invalid function index"
        | "out of bounds table access" => KernelError::IndirectCallTypeMismatch,
        // A terminated instance is not called again, and termination itself is recognized before this point.
        other => KernelError::Other { message: other.to_owned() },
    }
}

#[cfg(test)]
mod tests;
