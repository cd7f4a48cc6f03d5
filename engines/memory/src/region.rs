//! The address space of one linear memory.
//!
//! Nothing else in the process knows the addresses of a region, so only the guest, and the host between calls, can be
//! affected by what is mapped there. The invariant: bytes `0..size` are the linear memory, all others are inaccessible
//! until the region is dropped, which unmaps all of it.
#![allow(unsafe_code, reason = "address space is made and changed by system calls; each block says why it may")]

use std::{
    ffi::c_void,
    io, mem,
    ops::Range,
    ptr::{NonNull, null_mut},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rustix::mm::{Advice, MapFlags, MprotectFlags, ProtFlags, madvise, mmap, mmap_anonymous, mprotect, munmap};

use super::{HUGE_PAGE, SharedPart, mappings::Mappings};

/// The number of bytes closed at once: eight thousand pages, each of which costs the system time if the guest used it.
const CLOSED_AT_ONCE: usize = 32 << 20;

/// Reserved address space with a linear memory at its start.
#[derive(Debug)]
pub struct Region {
    /// The start of the reservation, which is before `base` if it was not aligned.
    reserved: NonNull<c_void>,
    reserved_len: usize,
    /// The start of the linear memory, a multiple of [`HUGE_PAGE`].
    base: NonNull<u8>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    size: usize,
    stopped: bool,
    /// How many bytes of the linear memory have been made inaccessible by `stop`.
    closed: usize,
    /// Whether replacing a mapping failed, after which the range may have a hole in which the system places other
    /// mappings.
    torn: bool,
    /// The parts that are mapped here, held so that their pages are not reused before this region is unmapped.
    parts: Vec<SharedPart>,
    mappings: Mappings,
}

// SAFETY: the pointers are addresses that this region owns; its methods only pass them to system calls, under the lock,
// and return no references to the memory.
unsafe impl Send for Region {}
// SAFETY: as above.
unsafe impl Sync for Region {}

impl Region {
    /// Reserves this many bytes of address space, all inaccessible.
    pub fn reserve(bytes: usize) -> io::Result<Self> {
        let reserved_len = bytes.checked_add(HUGE_PAGE).ok_or(io::ErrorKind::OutOfMemory)?;
        // Before the linear memory, the linear memory itself, and after it.
        let mut mappings = Mappings::default();
        mappings.for_memories(3)?;
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        // SAFETY: a new mapping at an address that the system chooses touches nothing that exists.
        let start = unsafe { mmap_anonymous(null_mut(), reserved_len, ProtFlags::empty(), flags)? };
        let padding = start.cast::<u8>().align_offset(HUGE_PAGE);
        let base = NonNull::new(start.cast::<u8>().wrapping_add(padding));
        let (Some(reserved), Some(base)) = (NonNull::new(start), base) else {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        };
        let state = State { size: 0, stopped: false, closed: 0, torn: false, parts: Vec::new(), mappings };
        Ok(Self { reserved, reserved_len, base, state: Mutex::new(state) })
    }

    /// Returns the address of offset 0.
    pub fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// Returns the size of linear memory in bytes.
    pub fn size(&self) -> usize {
        self.lock().size
    }

    /// Makes the linear memory at least this large; added bytes are zero. A stopped region does not grow.
    pub fn grow_to(&self, size: usize) -> io::Result<()> {
        let mut state = self.lock();
        if state.stopped || state.torn {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        if size > state.size {
            let added = self.checked(state.size..size)?;
            // SAFETY: the range is in this region's reservation, and was inaccessible before.
            unsafe { mprotect(added, size - state.size, MprotectFlags::READ | MprotectFlags::WRITE)? };
            state.size = size;
        }
        Ok(())
    }

    /// Makes the next part of the linear memory permanently inaccessible, from the start on, and returns whether that
    /// was the last part. A running guest faults at its next access to a closed part; address 0 is closed first.
    ///
    /// A part is what the system changes within a millisecond or two. A memory that is partly closed does not grow.
    /// Only the guest may be using the memory, since host code would crash on such a fault.
    pub fn stop(&self) -> io::Result<bool> {
        let mut state = self.lock();
        state.stopped = true;
        let part = state.closed..state.size.min(state.closed.saturating_add(CLOSED_AT_ONCE));
        let at = self.checked(part.clone())?;
        // Linux under qemu rejects an empty range.
        if part.is_empty() {
            return Ok(true);
        }
        // SAFETY: bytes `0..size` belong to this region. Accesses by the guest become traps, and the caller ensures
        // that the host makes none now.
        unsafe { mprotect(at, part.len(), MprotectFlags::empty())? };
        state.closed = part.end;
        Ok(state.closed == state.size)
    }

    /// Maps a part of shared memory over the bytes at `offset`, read-only or writable.
    ///
    /// The offset is a multiple of the page size, and the part's pages must be in the linear memory. If this fails, the
    /// guest must not run again.
    pub fn map(&self, offset: usize, part: &SharedPart, writable: bool) -> io::Result<()> {
        let mut state = self.lock();
        let len = part.mapped_len();
        if offset.checked_add(len).is_none_or(|end| end > state.size) || state.stopped || state.torn {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let at = self.checked(offset..offset + len)?;
        let access = if writable { ProtFlags::READ | ProtFlags::WRITE } else { ProtFlags::READ };
        let populate = if writable { Advice::LinuxPopulateWrite } else { Advice::LinuxPopulateRead };
        // The part, and the memory after it.
        state.mappings.for_memories(2)?;
        state.parts.push(part.clone());
        // SAFETY: the replaced pages are in this region's linear memory, and nobody holds a reference to them: the host
        // only makes references to bytes that nothing is mapped over (`Instance::bytes`).
        unsafe {
            let mapped = mmap(at, len, access, MapFlags::SHARED | MapFlags::FIXED, part.file(), part.file_offset());
            if let Err(error) = mapped {
                state.torn = true;
                return Err(error.into());
            }
            // If the system ignores the advice, pages are small or come later, which makes no other difference.
            if len >= HUGE_PAGE {
                let _ = madvise(at, len, Advice::LinuxHugepage);
            }
            let _ = madvise(at, len, populate);
        }
        Ok(())
    }

    /// Makes a range of the linear memory inaccessible, including anything mapped there; both ends are multiples of the
    /// page size.
    pub fn hide(&self, range: Range<usize>) -> io::Result<()> {
        let state = self.lock();
        if range.end > state.size || state.torn {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        if range.is_empty() {
            return Ok(());
        }
        let at = self.checked(range.clone())?;
        // SAFETY: as in `map`.
        unsafe { mprotect(at, range.len(), MprotectFlags::empty())? };
        Ok(())
    }

    /// Returns the address of a range, which must be in the reservation for the linear memory.
    fn checked(&self, range: Range<usize>) -> io::Result<*mut c_void> {
        let room = self.reserved_len - (self.base.as_ptr().addr() - self.reserved.as_ptr().addr());
        if range.start > range.end || range.end > room {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        Ok(self.base.as_ptr().wrapping_add(range.start).cast())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is never left half-updated: the size is set last.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        let mut state = self.lock();
        // If a mapping was torn, part of the range may belong to others and must not be unmapped, and it is unknown
        // which part.
        //
        // SAFETY: otherwise the region owns the whole range, including anything mapped over it, and nothing can access
        // it any more: the instance that used the memory owned the last handle.
        let unmapped = !state.torn && unsafe { munmap(self.reserved.as_ptr(), self.reserved_len) }.is_ok();
        if !unmapped {
            mem::forget((mem::take(&mut state.parts), mem::take(&mut state.mappings)));
        }
    }
}

#[cfg(test)]
mod tests;
