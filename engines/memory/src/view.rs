//! The host's mapping of a file's pages.
#![allow(unsafe_code, reason = "address space is taken and given back by system calls; each block says why it may")]

use std::{
    ffi::c_void,
    io,
    ops::Range,
    os::fd::OwnedFd,
    ptr::{NonNull, null_mut},
};

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, munmap};

use super::mappings::Mappings;

/// A range of a file that is mapped for reading and writing, until it is [unmapped](Self::unmap).
#[derive(Debug)]
pub(super) struct View {
    address: NonNull<c_void>,
    range: Range<u64>,
    _mappings: Mappings,
}

// SAFETY: this is an address range; it returns no references to the memory.
unsafe impl Send for View {}
// SAFETY: as above.
unsafe impl Sync for View {}

impl View {
    /// Maps a range of whole pages.
    pub(super) fn new(file: &OwnedFd, range: Range<u64>) -> io::Result<Self> {
        let len = len(&range);
        let mut mappings = Mappings::default();
        mappings.for_tensors(1)?;
        // SAFETY: a new mapping at an address that the system chooses touches nothing that exists.
        let address =
            unsafe { mmap(null_mut(), len, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED, file, range.start)? };
        // The system maps address 0 only when a caller requests it.
        let address = NonNull::new(address).ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(Self { address, range, _mappings: mappings })
    }

    /// Asks the system to use huge pages or small ones, if it takes advice.
    pub(super) fn advise(&self, advice: Advice) {
        // SAFETY: the range is mapped, and such advice does not change its contents.
        let _ = unsafe { madvise(self.address.as_ptr(), len(&self.range), advice) };
    }

    /// Returns the address of the first byte; all others are initialized too.
    pub(super) fn address(&self) -> NonNull<u8> {
        self.address.cast()
    }

    /// Returns the mapped range of the file.
    pub(super) fn range(&self) -> Range<u64> {
        self.range.clone()
    }

    /// Unmaps the range and returns it; `None` if the system fails, and the range is still mapped.
    pub(super) fn unmap(self) -> Option<Range<u64>> {
        // SAFETY: this owns the mapping, and every user borrowed from an owner of it.
        let unmapped = unsafe { munmap(self.address.as_ptr(), len(&self.range)) };
        if unmapped.is_err() {
            std::mem::forget(self);
            return None;
        }
        Some(self.range)
    }
}

/// Returns the length of a mapped range, which is at most as large as the address space.
fn len(range: &Range<u64>) -> usize {
    (range.end - range.start) as usize
}
