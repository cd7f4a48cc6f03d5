//! Room for the stack of calls under the caller.
//!
//! Engines bound a guest's stack from where the caller's stack pointer is, without asking how much the caller's thread
//! has left. A guest that recurses on a small thread would meet the end of that thread's stack, which ends the process.
//! [`with_room`] therefore comes before each entry.
//!
//! The caller may also be on a stack that the thread's system knows nothing of, as coroutines and fibers are. Nobody can
//! be asked how large that is, so a call from such a stack gets a stack that is mapped for it, whatever was left. It is
//! told by the stack pointer, which is outside of the thread's own stack then; a coroutine's stack that is a part of its
//! thread's own is not told.
#![allow(unsafe_code, reason = "a thread's stack is asked of the system; the reasons stand at the blocks")]

use std::ops::Range;

thread_local! {
    /// Where this thread's own stack is; nowhere if the system does not tell.
    static OWN: Range<usize> = own_stack().unwrap_or_default();
}

/// Runs something that needs so many bytes of stack: on this thread's, or, where that has less left or is not the one in
/// use, on one that is mapped for the call.
#[inline]
pub fn with_room<R>(bytes: usize, f: impl FnOnce() -> R) -> R {
    if OWN.with(|own| has_room(own, here(), bytes)) { f() } else { on_another_stack(bytes, f) }
}

/// Whether there are so many bytes of this stack below an address in it.
#[inline]
fn has_room(stack: &Range<usize>, at: usize, bytes: usize) -> bool {
    at < stack.end && at.checked_sub(stack.start).is_some_and(|left| left >= bytes)
}

/// An address in the caller's frame.
#[inline(always)]
fn here() -> usize {
    let byte = 0_u8;
    std::hint::black_box(&raw const byte).addr()
}

/// The addresses of this thread's own stack.
#[cfg(target_os = "linux")]
fn own_stack() -> Option<Range<usize>> {
    use std::{mem::MaybeUninit, ptr::null_mut};

    let (mut attributes, mut start, mut bytes) = (MaybeUninit::<libc::pthread_attr_t>::uninit(), null_mut(), 0);
    // SAFETY: the first call, if it succeeds, makes what the second reads and the third frees; nobody has it but this
    // function. The thread is the caller's, so it exists.
    unsafe {
        if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
            return None;
        }
        let told = libc::pthread_attr_getstack(attributes.as_ptr(), &mut start, &mut bytes) == 0;
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        told.then(|| start.addr()..start.addr().saturating_add(bytes))
    }
}

/// The addresses of this thread's own stack as far as `stacker` knows them: where it ends at the bottom. What is above may
/// be a coroutine's.
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
