//! WAMR's exceptions as ours.

use kernelpack_engine::KernelError;

/// The one place where WAMR's texts become ours.
#[cold]
pub(crate) fn kernel_error(exception: &str) -> KernelError {
    let text = exception.strip_prefix("Exception: ").unwrap_or(exception);
    match text {
        // WAMR does not tell the address.
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
        // No call of an instance that was terminated is begun; what ends one is told apart before it comes here.
        other => KernelError::Other { message: other.to_owned() },
    }
}

#[cfg(test)]
mod tests;
