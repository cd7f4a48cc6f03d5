//! Room for the stack of calls under the caller.
//!
//! Engines bound a guest's stack from where the caller's stack pointer is, without asking how much the caller's thread
//! has left. A guest that recurses on a small thread would meet the end of that thread's stack, which ends the process.
//! [`with_room`] therefore comes before each entry.

/// Runs something that needs so many bytes of stack: on this thread's, or, where that has less left, on one that is
/// mapped for the call.
#[inline]
pub(super) fn with_room<R>(bytes: usize, f: impl FnOnce() -> R) -> R {
    // As `stacker::maybe_grow`, but that what nearly always happens is compiled into its caller.
    if stacker::remaining_stack().is_some_and(|left| left >= bytes) { f() } else { on_another_stack(bytes, f) }
}

#[cold]
#[inline(never)]
fn on_another_stack<R>(bytes: usize, f: impl FnOnce() -> R) -> R {
    stacker::grow(bytes, f)
}
