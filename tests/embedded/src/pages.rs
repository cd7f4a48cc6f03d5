//! Measures the pages that WAMR maps outside of its pool, for native code, and their peak. The linker replaces calls of
//! WAMR's functions by calls of these, see `build.rs`; on systems whose linker cannot do that, nothing is counted.
#![allow(unsafe_code, reason = "functions of C are counted by standing in for them")]

use std::{
    ffi::{c_int, c_void},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

static MAPPED: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// Returns the number of bytes that are mapped now.
pub(crate) fn held() -> usize {
    MAPPED.load(Relaxed)
}

/// Returns the peak of mapped bytes since the last call.
pub(crate) fn most() -> usize {
    MOST.swap(held(), Relaxed)
}

/// Whether pages are counted.
pub(crate) const COUNTED: bool = cfg!(target_os = "linux");

#[cfg(target_os = "linux")]
unsafe extern "C" {
    fn __real_os_mmap(hint: *mut c_void, size: usize, prot: c_int, flags: c_int, file: c_int) -> *mut c_void;
    fn __real_os_munmap(addr: *mut c_void, size: usize);
}

#[cfg(target_os = "linux")]
fn pages(size: usize) -> usize {
    // SAFETY: `sysconf` has no preconditions.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    size.next_multiple_of(usize::try_from(page).unwrap_or(4096))
}

// SAFETY: this is the only definition of the name, which the linker uses in place of `os_mmap`.
#[cfg(target_os = "linux")]
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_os_mmap(
    hint: *mut c_void,
    size: usize,
    prot: c_int,
    flags: c_int,
    file: c_int,
) -> *mut c_void {
    // SAFETY: the caller's guarantees are passed on.
    let addr = unsafe { __real_os_mmap(hint, size, prot, flags, file) };
    if !addr.is_null() {
        MOST.fetch_max(MAPPED.fetch_add(pages(size), Relaxed) + pages(size), Relaxed);
    }
    addr
}

// SAFETY: this is the only definition of the name, which the linker uses in place of `os_munmap`.
#[cfg(target_os = "linux")]
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_os_munmap(addr: *mut c_void, size: usize) {
    MAPPED.fetch_sub(pages(size), Relaxed);
    // SAFETY: the caller's guarantees are passed on.
    unsafe { __real_os_munmap(addr, size) };
}
