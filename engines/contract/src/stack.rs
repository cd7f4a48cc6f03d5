//! Stack space for a guest's calls.
//!
//! Engines limit a guest's stack relative to the caller's stack pointer, without checking how much the caller's thread
//! has left. On a small thread, a guest that recurses would reach the end of the thread's stack, which ends the
//! process. Each entry therefore goes through [`with_room`].
//!
//! The caller may also be on a stack that the system does not know of, such as a coroutine's or fiber's. The bounds of
//! such a stack are unknown, so a call from there always runs on a newly mapped stack. It is recognized by a stack
//! pointer outside of the thread's own stack; a coroutine's stack that is part of its thread's stack is not recognized.
#![allow(unsafe_code, reason = "a thread's stack is asked of the system; the reasons stand at the blocks")]

use std::ops::Range;

thread_local! {
    /// The range of this thread's own stack; empty if the system does not report it.
    static OWN: Range<usize> = own_stack().unwrap_or_default();
}

/// Runs `f` with at least this many bytes of stack: on the current stack if that is the thread's own and has enough
/// left, else on one that is mapped for the call.
#[inline]
pub fn with_room<R>(bytes: usize, f: impl FnOnce() -> R) -> R {
    if OWN.with(|own| has_room(own, here(), bytes)) { f() } else { on_another_stack(bytes, f) }
}

/// Returns whether the stack has this many bytes below an address in it.
#[inline]
fn has_room(stack: &Range<usize>, at: usize, bytes: usize) -> bool {
    at < stack.end && at.checked_sub(stack.start).is_some_and(|left| left >= bytes)
}

/// Returns an address in the caller's frame.
#[inline(always)]
fn here() -> usize {
    let byte = 0_u8;
    std::hint::black_box(&raw const byte).addr()
}

/// Returns the address range of this thread's own stack.
#[cfg(target_os = "linux")]
fn own_stack() -> Option<Range<usize>> {
    use std::{mem::MaybeUninit, ptr::null_mut};

    let (mut attributes, mut start, mut bytes) = (MaybeUninit::<libc::pthread_attr_t>::uninit(), null_mut(), 0);
    // SAFETY: the first call, if it succeeds, initializes what the second reads and the third frees, and only this
    // function has it. The thread is the caller's, so it exists.
    unsafe {
        if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
            return None;
        }
        let told = libc::pthread_attr_getstack(attributes.as_ptr(), &mut start, &mut bytes) == 0;
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        told.then(|| start.addr()..start.addr().saturating_add(bytes))
    }
}

/// Returns the address range of this thread's own stack as far as `stacker` knows it, which is only the lower end.
/// Addresses above may belong to a coroutine.
#[cfg(not(target_os = "linux"))]
fn own_stack() -> Option<Range<usize>> {
    let here = here();
    Some(here - stacker::remaining_stack()?.min(here)..usize::MAX)
}

#[cold]
#[inline(never)]
fn on_another_stack<R>(bytes: usize, f: impl FnOnce() -> R) -> R {
    stacker::grow(bytes, f)
}

#[cfg(test)]
mod tests;
