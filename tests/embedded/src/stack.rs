//! Measures how much of its stack a thread uses: the stack is our own memory, zeroed before and inspected afterwards.
#![allow(unsafe_code, reason = "std::thread takes no memory for a stack")]

use std::{
    ffi::c_void,
    io, mem,
    panic::{self, AssertUnwindSafe},
    ptr,
};

/// More than any call may use, so that the host runs kernels on this stack and does not map another.
const BYTES: usize = 4 << 20;

/// The work of a thread, and its result.
struct Task<F, T> {
    work: Option<F>,
    done: Option<std::thread::Result<T>>,
}

/// Runs `work` on a thread of its own, and returns its result and the bytes of stack that it used.
///
/// # Errors
/// No memory or thread is available.
///
/// # Panics
/// If `work` panics.
pub(crate) fn measured<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<(T, usize)> {
    // Subtracts the stack that the C library and an empty thread use.
    let ((), empty) = run(|| ())?;
    let (result, used) = run(work)?;
    Ok((result, used.saturating_sub(empty)))
}

fn run<T: Send, F: FnOnce() -> T + Send>(work: F) -> io::Result<(T, usize)> {
    let check = |code: i32| if code == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(code)) };
    let mut task = Task { work: Some(work), done: None };
    // SAFETY: new pages, at an address that the system chooses.
    let stack = unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        libc::mmap(ptr::null_mut(), BYTES, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0)
    };
    if stack == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the attributes are initialized before they are used. The stack has this many bytes at a multiple of the
    // page size, only this thread uses it, and it is unmapped after the thread has been joined; without the stack, the
    // task is not run either. The task lives, and nobody else accesses it, until the thread has been joined.
    let started = unsafe {
        let mut attributes = mem::zeroed();
        let mut thread = mem::zeroed();
        check(libc::pthread_attr_init(&mut attributes))
            .and_then(|()| check(libc::pthread_attr_setstack(&mut attributes, stack, BYTES)))
            .and_then(|()| check(libc::pthread_create(&mut thread, &attributes, start::<T, F>, (&raw mut task).cast())))
            .and_then(|()| check(libc::pthread_join(thread, ptr::null_mut())))
    };
    // SAFETY: the pages are mapped, and the thread that wrote to them has ended.
    let used = unsafe {
        let bytes = std::slice::from_raw_parts(stack.cast::<u8>(), BYTES);
        BYTES - bytes.iter().position(|byte| *byte != 0).unwrap_or(BYTES)
    };
    // SAFETY: the stack was mapped above, and no pointer to it remains.
    unsafe { libc::munmap(stack, BYTES) };
    started?;
    match task.done {
        Some(Ok(result)) => Ok((result, used)),
        Some(Err(panicked)) => panic::resume_unwind(panicked),
        None => Err(io::Error::other("the thread did not run")),
    }
}

extern "C" fn start<T: Send, F: FnOnce() -> T + Send>(task: *mut c_void) -> *mut c_void {
    // SAFETY: `run` passed a pointer to a task of this type, and waits until this thread has ended.
    let task = unsafe { &mut *task.cast::<Task<F, T>>() };
    task.done = task.work.take().map(|work| panic::catch_unwind(AssertUnwindSafe(work)));
    ptr::null_mut()
}
