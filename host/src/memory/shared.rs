//! Memory that can be mapped in several places at once.
//!
//! All of it lies in one anonymous file of the process, of which each [`SharedMemory`] has a range of pages to itself:
//! one file descriptor, however many tensors there are. Ranges are never used twice, since a file may be far larger
//! than what it holds; dropping one gives its pages back to the system. A forked child makes a file of its own: it shares
//! the tensors that there were at the fork with its parent, and dropping them there takes nothing from the parent.
#![allow(unsafe_code, reason = "the host's view of shared pages; each block says why it may")]

use std::{
    collections::BTreeMap,
    ffi::c_void,
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    process,
    ptr::{NonNull, null_mut},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{
            AtomicPtr,
            Ordering::{AcqRel, Acquire},
        },
    },
};

use rustix::{
    fs::{FallocateFlags, MemfdFlags, fallocate, ftruncate, memfd_create},
    mm::{Advice, MapFlags, ProtFlags, madvise, mmap, munmap},
    param::page_size,
    process::{Resource, getrlimit},
};

use super::HUGE_PAGE;

/// Pages that the host can read and write, and that can be mapped into linear memories too.
#[derive(Debug)]
pub(crate) struct SharedMemory {
    address: NonNull<u8>,
    /// Bytes asked for; the pages hold at least as many.
    len: usize,
    /// Bytes of the pages.
    mapped_len: usize,
    files: &'static Files,
    file_offset: u64,
}

// SAFETY: this is an address range and a range of a file. Whoever makes references to the bytes vouches for them, as
// `Tensor` does by borrowing.
unsafe impl Send for SharedMemory {}
// SAFETY: as above.
unsafe impl Sync for SharedMemory {}

/// A part of shared memory that can be mapped by itself without showing anything of its neighbours.
#[derive(Clone, Debug)]
pub(crate) struct SharedPart {
    memory: Arc<SharedMemory>,
    offset: usize,
    mapped_len: usize,
}

/// The file of one process, and what lies in it.
///
/// A forked child has its parent's, too, and must leave it alone: the pages are the parent's, and one of the parent's
/// threads may have held a lock at the fork.
#[derive(Debug)]
struct Files {
    process: u32,
    file: OwnedFd,
    end: Mutex<u64>,
    /// By the address of the first byte.
    live: Mutex<BTreeMap<usize, Weak<SharedMemory>>>,
}

impl Files {
    fn new() -> io::Result<Self> {
        let file = memfd_create("kernelpack-tensors", MemfdFlags::CLOEXEC)?;
        Ok(Self { process: process::id(), file, end: Mutex::new(0), live: Mutex::new(BTreeMap::new()) })
    }

    /// Those of this process, which are made at first use and stay.
    ///
    /// # Errors
    /// The system has no such files.
    fn of_process() -> io::Result<&'static Self> {
        // The last ones made: a forked child finds its parent's here.
        static FILES: AtomicPtr<Files> = AtomicPtr::new(null_mut());
        let mut made = None;
        loop {
            let last = FILES.load(Acquire);
            // SAFETY: null, or what a leaked box holds, which nobody frees or writes to but through locks.
            if let Some(files) = unsafe { last.as_ref() }.filter(|files| files.is_of_this_process()) {
                return Ok(files);
            }
            let new = match made.take() {
                Some(new) => new,
                None => Box::new(Self::new()?),
            };
            let new = Box::into_raw(new);
            if FILES.compare_exchange(last, new, AcqRel, Acquire).is_err() {
                // SAFETY: it was made of a box just now, and nobody has seen it.
                made = Some(unsafe { Box::from_raw(new) });
            }
        }
    }

    fn is_of_this_process(&self) -> bool {
        self.process == process::id()
    }

    /// A range of the file that nobody had before.
    fn take(&self, len: u64, align: u64) -> io::Result<u64> {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let start = end.checked_next_multiple_of(align).ok_or(io::ErrorKind::FileTooLarge)?;
        let new_end = start.checked_add(len).ok_or(io::ErrorKind::FileTooLarge)?;
        // A file that grows beyond this ends the process by a signal.
        if getrlimit(Resource::Fsize).current.is_some_and(|limit| new_end > limit) {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        ftruncate(&self.file, new_end)?;
        *end = new_end;
        Ok(start)
    }

    fn live(&self) -> MutexGuard<'_, BTreeMap<usize, Weak<SharedMemory>>> {
        // A map is never left half changed.
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SharedMemory {
    /// So many zero bytes, at the start of a page.
    ///
    /// # Errors
    /// The system has no anonymous files, or no memory.
    pub(crate) fn zeros(len: usize) -> io::Result<Arc<Self>> {
        let files = Files::of_process()?;
        let align = if len >= HUGE_PAGE { HUGE_PAGE } else { page_size() };
        let mapped_len = len.max(1).checked_next_multiple_of(page_size()).ok_or(io::ErrorKind::OutOfMemory)?;
        let file_offset = files.take(mapped_len as u64, align as u64)?;
        // SAFETY: a new mapping at an address of the system's choice touches nothing that exists.
        let address = unsafe {
            mmap(
                null_mut(),
                mapped_len,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
                &files.file,
                file_offset,
            )?
        };
        if mapped_len >= HUGE_PAGE {
            // SAFETY: the range was just mapped. Where the advice is not taken, pages are small, and that is all.
            let _ = unsafe { madvise(address, mapped_len, Advice::LinuxHugepage) };
        }
        let address = NonNull::new(address.cast()).ok_or(io::ErrorKind::AddrNotAvailable)?;
        let memory = Arc::new(Self { address, len, mapped_len, files, file_offset });
        files.live().insert(address.as_ptr().addr(), Arc::downgrade(&memory));
        Ok(memory)
    }

    /// The first byte; the others up to the length asked for follow, all of them initialized.
    pub(crate) fn address(&self) -> NonNull<u8> {
        self.address
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        let is_ours = self.files.is_of_this_process();
        if is_ours {
            self.files.live().remove(&self.address.as_ptr().addr());
        }
        // SAFETY: this owns the mapping, and who used it borrowed from an owner of this.
        let unmapped = unsafe { munmap(self.address.as_ptr().cast::<c_void>(), self.mapped_len) };
        debug_assert!(unmapped.is_ok());
        if !is_ours {
            return;
        }
        // Where holes cannot be made, the pages stay until the process ends; nobody can reach them.
        let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        let _ = fallocate(&self.files.file, hole, self.file_offset, self.mapped_len as u64);
    }
}

impl SharedPart {
    /// The part that these bytes are, if they lie in shared memory and share no page with others of it.
    pub(crate) fn of(bytes: *const [u8]) -> Option<Self> {
        let start = bytes.cast::<u8>().addr();
        let memory = {
            let live = Files::of_process().ok()?.live();
            live.range(..=start).next_back()?.1.upgrade()?
        };
        let offset = start - memory.address.as_ptr().addr();
        let end = offset.checked_add(bytes.len())?;
        let page = page_size();
        let whole_pages = offset.is_multiple_of(page) && (end.is_multiple_of(page) || end == memory.len);
        if end > memory.len || bytes.len() == 0 || !whole_pages {
            return None;
        }
        Some(Self { offset, mapped_len: bytes.len().next_multiple_of(page), memory })
    }

    /// Bytes of its pages.
    pub(crate) fn mapped_len(&self) -> usize {
        self.mapped_len
    }

    /// The address of its first byte in the host.
    pub(crate) fn address(&self) -> usize {
        self.memory.address.as_ptr().addr() + self.offset
    }

    /// A part that no system maps.
    #[cfg(test)]
    pub(super) fn at_no_page(&self) -> Self {
        Self { offset: self.offset + 1, ..self.clone() }
    }

    pub(super) fn file(&self) -> BorrowedFd<'_> {
        self.memory.files.file.as_fd()
    }

    pub(super) fn file_offset(&self) -> u64 {
        self.memory.file_offset + self.offset as u64
    }
}

/// Tells the compiler that code it cannot see may read and write these bytes from here on.
///
/// A kernel writes to a tensor through another mapping of the same pages, so that no pointer to the bytes is passed to
/// it: without this, the compiler could take a tensor that it saw borrowed for a call to be the same after it.
#[inline(always)]
pub(crate) fn escape(bytes: *const [u8]) {
    // SAFETY: it does nothing. That it does nothing to the bytes is what the compiler must not know.
    unsafe { std::arch::asm!("/* {} */", in(reg) bytes.cast::<u8>(), options(nostack, preserves_flags)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(memory: &SharedMemory, range: std::ops::Range<usize>) -> *const [u8] {
        std::ptr::slice_from_raw_parts(memory.address.as_ptr().wrapping_add(range.start), range.len())
    }

    #[test]
    fn only_whole_pages_can_be_mapped_by_themselves() {
        let page = page_size();
        let memory = SharedMemory::zeros(3 * page + 8).unwrap();
        let part = |range| SharedPart::of(bytes(&memory, range));
        let mapped_len = |range| part(range).map(|part| part.mapped_len());
        assert_eq!(mapped_len(0..3 * page + 8), Some(4 * page));
        assert_eq!(mapped_len(page..2 * page), Some(page));
        assert_eq!(mapped_len(2 * page..3 * page + 8), Some(2 * page));
        assert_eq!(mapped_len(0..page - 4), None);
        assert_eq!(mapped_len(4..page), None);
        assert_eq!(mapped_len(page..page), None);
        assert_eq!(mapped_len(0..4 * page), None, "beyond the bytes asked for");
        assert!(SharedPart::of(&[0u8; 64]).is_none());
    }

    #[test]
    fn what_was_dropped_is_not_found() {
        let memory = SharedMemory::zeros(100).unwrap();
        let all = bytes(&memory, 0..100);
        assert!(SharedPart::of(all).is_some());
        drop(memory);
        assert!(SharedPart::of(all).is_none());
    }
}
