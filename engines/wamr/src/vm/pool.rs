//! The pool for all of WAMR's memory: one allocation, made when the runtime starts.
#![allow(unsafe_code, reason = "calls of C functions; the reasons stand at the blocks")]

use std::{
    alloc::{Layout, alloc_zeroed, dealloc},
    ffi::{c_uint, c_void},
    ptr::{self, NonNull},
    sync::Mutex,
};

use kernelpack_wamr_sys as sys;

use super::{
    super::blocks::{Blocks, End, UNIT},
    StartError, locked,
};

/// The process's pool. Its lock may be taken while the lock for making and freeing is held, but not the other way
/// round; calls that grow memory take only this one.
static POOL: Mutex<Option<Pool>> = Mutex::new(None);

/// Makes the pool, if the machine has this much memory. The caller ensures that there is no pool and that WAMR is not
/// running.
pub(super) fn open(bytes: usize) -> Result<(), StartError> {
    *locked(&POOL) = Some(Pool::new(bytes)?);
    Ok(())
}

/// Frees the pool, which is no longer in use.
pub(super) fn close() {
    *locked(&POOL) = None;
}

/// Returns the number of bytes of the pool that are in use.
pub(super) fn used() -> usize {
    locked(&POOL).as_ref().map_or(0, |pool| pool.blocks.used() * UNIT)
}

struct Pool {
    blocks: Blocks,
    base: NonNull<u8>,
    layout: Layout,
}

// SAFETY: the pointer is to memory that the pool owns.
unsafe impl Send for Pool {}

impl Pool {
    /// Allocates a pool of this many bytes, if the machine has them.
    fn new(bytes: usize) -> Result<Self, StartError> {
        let refused = StartError::Refused(bytes);
        let Some(units) = u32::try_from(bytes / UNIT).ok().filter(|units| *units > 0) else { return Err(refused) };
        let Ok(layout) = Layout::from_size_align(units as usize * UNIT, UNIT) else { return Err(refused) };
        // SAFETY: the size is not zero. Systems that provide memory at first use need not do so now.
        let base = NonNull::new(unsafe { alloc_zeroed(layout) }).ok_or(StartError::OutOfMemory(bytes))?;
        Ok(Self { blocks: Blocks::new(units), base, layout })
    }

    fn at(&self, start: u32) -> *mut u8 {
        self.base.as_ptr().wrapping_add(start as usize * UNIT)
    }

    /// Returns the position of an allocation in this pool.
    fn place(&self, ptr: *const c_void) -> u32 {
        (ptr.addr().wrapping_sub(self.base.addr().get()) / UNIT) as u32
    }

    fn allocate(&mut self, usage: c_uint, size: c_uint) -> *mut u8 {
        let linear = usage == sys::FOR_LINEAR_MEMORY;
        let end = if linear { End::Front } else { End::Back };
        let Some(start) = self.blocks.allocate(size.div_ceil(UNIT as u32).max(1), end) else { return ptr::null_mut() };
        let ptr = self.at(start);
        if linear {
            // SAFETY: this many bytes from there on are in the pool and were just given to this allocation alone.
            unsafe { ptr.write_bytes(0, size as usize) };
        }
        ptr
    }

    fn reallocate(&mut self, usage: c_uint, old: *mut u8, size: c_uint) -> *mut u8 {
        let start = self.place(old.cast());
        let Some(had) = self.blocks.size(start) else { return ptr::null_mut() };
        let had = had as usize * UNIT;
        let new = if self.blocks.resize(start, size.div_ceil(UNIT as u32).max(1)) {
            old
        } else {
            let new = self.allocate(usage, size);
            if !new.is_null() {
                // SAFETY: both are different allocations in this pool, of at least this many bytes.
                unsafe { ptr::copy_nonoverlapping(old, new, had.min(size as usize)) };
                self.blocks.free(start);
            }
            new
        };
        if usage == sys::FOR_LINEAR_MEMORY && !new.is_null() && size as usize > had {
            // SAFETY: the allocation has `size` bytes now, and those from `had` on are not referenced elsewhere.
            unsafe { new.add(had).write_bytes(0, size as usize - had) };
        }
        new
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this layout; WAMR, which used parts of it, has ended or never started.
        unsafe { dealloc(self.base.as_ptr(), self.layout) };
    }
}

pub(super) unsafe extern "C" fn malloc(usage: c_uint, size: c_uint) -> *mut c_void {
    locked(&POOL).as_mut().map_or(ptr::null_mut(), |pool| pool.allocate(usage, size).cast())
}

pub(super) unsafe extern "C" fn realloc(usage: c_uint, _: bool, old: *mut c_void, size: c_uint) -> *mut c_void {
    if old.is_null() {
        // SAFETY: it has no preconditions.
        return unsafe { malloc(usage, size) };
    }
    locked(&POOL).as_mut().map_or(ptr::null_mut(), |pool| pool.reallocate(usage, old.cast(), size).cast())
}

pub(super) unsafe extern "C" fn free(_: c_uint, old: *mut c_void) {
    if let Some(pool) = locked(&POOL).as_mut().filter(|_| !old.is_null()) {
        let start = pool.place(old);
        pool.blocks.free(start);
    }
}
