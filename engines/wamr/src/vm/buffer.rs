//! Parts of the pool that are lent for reading files.
#![allow(unsafe_code, reason = "the pool gives out pointers; the reasons stand at the blocks")]

use std::{ptr::NonNull, slice, sync::Arc};

use kernelpack_manifest::Memory;
use kernelpack_wamr_sys as sys;

use super::{
    Vm,
    pool::{free, malloc, realloc},
};

/// Bytes from the pool.
#[derive(Debug)]
pub(crate) struct Buffer {
    start: NonNull<u8>,
    len: usize,
    _vm: Arc<Vm>,
}

// SAFETY: the bytes belong to this buffer alone; readers have a reference to it, writers a unique one.
unsafe impl Send for Buffer {}
// SAFETY: as above.
unsafe impl Sync for Buffer {}

impl Buffer {
    /// Allocates this many zero bytes at the end of the pool that linear memories use, if there is room.
    pub(crate) fn new(vm: &Arc<Vm>, len: usize) -> Option<Self> {
        // SAFETY: it has no preconditions.
        let start = unsafe { malloc(sys::FOR_LINEAR_MEMORY, u32::try_from(len).ok()?) };
        Some(Self { start: NonNull::new(start.cast())?, len, _vm: vm.clone() })
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: this many bytes were given to this buffer alone, initially zero, and the pool exists as long as a
        // `Vm`.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl AsMut<[u8]> for Buffer {
    fn as_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl Memory for Buffer {
    fn truncate(&mut self, len: usize) {
        if len < self.len {
            self.len = len;
            // SAFETY: allocated in `new`, with at least this many bytes, and nobody has a reference to them. The
            // allocation may move, or keep its size if the system has no memory for the pool's list.
            let start = unsafe { realloc(sys::FOR_LINEAR_MEMORY, false, self.start.as_ptr().cast(), len as u32) };
            self.start = NonNull::new(start.cast()).unwrap_or(self.start);
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: allocated in `new`, and all references to the bytes borrowed this.
        unsafe { free(sys::FOR_LINEAR_MEMORY, self.start.as_ptr().cast()) };
    }
}
