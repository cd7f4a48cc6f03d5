//! Converts Wasmtime's traps to our errors.

use kernelpack_engine::{Backtrace, BacktraceFrame, KernelError, shorten};
use wasmtime::{Trap, WasmBacktrace};

use super::form::Form;

/// The number of characters of Wasmtime's messages that are kept: a message may contain the backtrace with all names.
const MAX_MESSAGE: usize = 1024;

/// Converts an error of a Wasmtime call to ours. Every such error goes through here.
#[cold]
pub(super) fn kernel_error(error: &wasmtime::Error) -> KernelError {
    match error.downcast_ref::<Trap>() {
        Some(Trap::MemoryOutOfBounds) => KernelError::MemoryAccessViolation { offset: fault_address(error), size: 0 },
        Some(trap) => trap_error(*trap),
        None => KernelError::Other { message: shorten(&format!("{error:#}"), MAX_MESSAGE).into_owned() },
    }
}

fn trap_error(trap: Trap) -> KernelError {
    match trap {
        Trap::Interrupt => KernelError::EpochDeadline,
        Trap::MemoryOutOfBounds => KernelError::MemoryAccessViolation { offset: 0, size: 0 },
        Trap::IntegerOverflow | Trap::BadConversionToInteger => KernelError::IntegerOverflow,
        Trap::IntegerDivisionByZero => KernelError::IntegerDivisionByZero,
        Trap::UnreachableCodeReached => KernelError::Unreachable,
        Trap::StackOverflow => KernelError::StackOverflow,
        Trap::BadSignature | Trap::IndirectCallToNull | Trap::TableOutOfBounds => KernelError::IndirectCallTypeMismatch,
        // Traps of disabled proposals: threads, garbage collection, components, stack switching, fuel.
        other => KernelError::Other { message: other.to_string() },
    }
}

/// Returns where the guest was, from the backtrace that Wasmtime attached to the error, in terms of the verified
/// module.
#[cold]
pub(super) fn backtrace(error: &wasmtime::Error, form: &Form) -> Backtrace {
    let frames = error.downcast_ref::<WasmBacktrace>().map_or(&[][..], WasmBacktrace::frames);
    let origins = form.origins();
    let frames = frames
        .iter()
        // Functions that were added are not the author's.
        .filter(|frame| origins.is_none_or(|origins| origins.has(frame.func_index())))
        .map(|frame| {
            let offset = frame.func_offset().zip(origins);
            let offset = offset.and_then(|(offset, origins)| origins.offset(frame.func_index(), offset));
            BacktraceFrame::new(frame.func_name(), frame.func_index(), offset.map(|offset| offset as u64))
        })
        .collect();
    Backtrace::new(frames)
}

/// Returns the address of a memory fault. Wasmtime attaches it as a context without a public type, so it is parsed from
/// the message; 0 if there is none, as for accesses by a libcall.
fn fault_address(error: &wasmtime::Error) -> u32 {
    error
        .chain()
        .find_map(|cause| {
            let text = cause.to_string();
            let (_, rest) = text.split_once("memory fault at wasm address 0x")?;
            let digits = rest.split(|c: char| !c.is_ascii_hexdigit()).next()?;
            u64::from_str_radix(digits, 16).ok()
        })
        .map_or(0, |address| u32::try_from(address).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests;
