//! Parts of the pool that are lent to those who read files.
#![allow(unsafe_code, reason = "the pool gives out pointers; the reasons stand at the blocks")]

use std::{ptr::NonNull, slice, sync::Arc};

use kernelpack_manifest::Memory;
use kernelpack_wamr_sys as sys;

use super::{
    Vm,
    pool::{free, malloc, realloc},
};

/// Bytes of the pool.
#[derive(Debug)]
pub(crate) struct Buffer {
    start: NonNull<u8>,
    len: usize,
    _vm: Arc<Vm>,
}

// SAFETY: the bytes are this buffer's alone; who reads them has a reference to it, who writes them a unique one.
unsafe impl Send for Buffer {}
// SAFETY: as above.
unsafe impl Sync for Buffer {}

impl Buffer {
    /// So many bytes, all zero, from where linear memories come to lie, if the pool has them.
    pub(crate) fn new(vm: &Arc<Vm>, len: usize) -> Option<Self> {
        // SAFETY: it has no conditions.
        let start = unsafe { malloc(sys::FOR_LINEAR_MEMORY, u32::try_from(len).ok()?) };
        Some(Self { start: NonNull::new(start.cast())?, len, _vm: vm.clone() })
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: so many bytes were given to this buffer alone, zero at first, and the pool is there while a `Vm` is.
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
            // It may move, or stay as it is where the system has no memory for the pool's list.
            // SAFETY: allocated in `new`, with at least so many bytes, and nobody has a reference to them.
            let start = unsafe { realloc(sys::FOR_LINEAR_MEMORY, false, self.start.as_ptr().cast(), len as u32) };
            self.start = NonNull::new(start.cast()).unwrap_or(self.start);
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: allocated in `new`, and whoever looked at the bytes borrowed this.
        unsafe { free(sys::FOR_LINEAR_MEMORY, self.start.as_ptr().cast()) };
    }
}
