//! Memory that can be mapped in several places at once.
//!
//! All shared memory is in one anonymous file per process, in which each [`SharedMemory`] has a range of pages to
//! itself. So one file descriptor suffices for any number of tensors. A forked child makes its own file. It shares the
//! tensors that existed at the fork with its parent, and dropping them in the child takes nothing from the parent.
//!
//! A range is reused only once nothing can access it: its pages were given back to the system, so they are zero;
//! anything that maps it into a linear memory holds the [`SharedMemory`] until it is unmapped; and no child was forked
//! that could have it. A range for which this cannot be ensured is never reused.
#![allow(unsafe_code, reason = "the host's view of shared pages; each block says why it may")]

use std::{
    collections::BTreeMap,
    io,
    ops::Range,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
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
    mm::Advice,
    param::page_size,
    process::{Resource, getrlimit},
};

use super::{
    HUGE_PAGE,
    forks::{self, Moment},
    ranges::Ranges,
    slabs::Slabs,
    view::View,
};
use crate::lineage::Lineage;

/// Pages that the host can read and write, and that can also be mapped into linear memories.
#[derive(Debug)]
pub struct SharedMemory {
    address: NonNull<u8>,
    /// The requested size in bytes; the pages hold at least as many.
    len: usize,
    /// The pages in the file.
    range: Range<u64>,
    files: &'static Files,
    /// `None` if the pages are part of a slab.
    view: Option<View>,
    /// A moment before the pages were first used.
    born: Moment,
}

// SAFETY: this is an address range and a range of a file. Code that makes references to the bytes is responsible for
// them, as `Tensor` is by borrowing.
unsafe impl Send for SharedMemory {}
// SAFETY: as above.
unsafe impl Sync for SharedMemory {}

/// A part of shared memory that can be mapped alone, without exposing its neighbours.
#[derive(Clone, Debug)]
pub struct SharedPart {
    memory: Arc<SharedMemory>,
    offset: usize,
    mapped_len: usize,
}

/// The file of one process and its contents.
///
/// A forked child also inherits its parent's, and must not touch it: the pages are the parent's, and one of the
/// parent's threads may have held a lock at the fork.
#[derive(Debug)]
pub(super) struct Files {
    process: Lineage,
    file: OwnedFd,
    space: Mutex<Space>,
    slabs: Mutex<Slabs>,
    /// Keyed by the address of the first byte.
    live: Mutex<BTreeMap<usize, Weak<SharedMemory>>>,
}

/// The ranges of a file.
#[derive(Debug, Default)]
struct Space {
    end: u64,
    free: Ranges,
}

impl Files {
    fn new() -> io::Result<Self> {
        forks::count()?;
        let file = memfd_create("kernelpack-tensors", MemfdFlags::CLOEXEC)?;
        Ok(Self {
            process: Lineage::current(),
            file,
            space: Mutex::default(),
            slabs: Mutex::default(),
            live: Mutex::default(),
        })
    }

    /// Returns the files of this process, which are made at first use and never freed.
    ///
    /// # Errors
    /// The system does not support anonymous files.
    fn of_process() -> io::Result<&'static Self> {
        // The files made last; a forked child finds its parent's here.
        static FILES: AtomicPtr<Files> = AtomicPtr::new(null_mut());
        let mut made = None;
        loop {
            let last = FILES.load(Acquire);
            // SAFETY: null or a leaked box, which is never freed, and is only modified under its locks.
            if let Some(files) = unsafe { last.as_ref() }.filter(|files| files.is_of_this_process()) {
                return Ok(files);
            }
            let new = match made.take() {
                Some(new) => new,
                None => Box::new(Self::new()?),
            };
            let new = Box::into_raw(new);
            if FILES.compare_exchange(last, new, AcqRel, Acquire).is_err() {
                // SAFETY: it comes from a box that was made above, and no other thread has seen it.
                made = Some(unsafe { Box::from_raw(new) });
            }
        }
    }

    fn is_of_this_process(&self) -> bool {
        self.process.is_current()
    }

    /// Maps this many unused bytes of the file, all zero.
    pub(super) fn map(&self, len: usize) -> io::Result<View> {
        let align = if len >= HUGE_PAGE { HUGE_PAGE } else { page_size() };
        let range = self.take(len as u64, align as u64)?;
        let view = View::new(&self.file, range.clone());
        if view.is_err() {
            self.give(range);
        }
        view
    }

    /// Unmaps memory that is no longer used; the range is reused if no child has it.
    pub(super) fn unmap(&self, view: View, born: Moment) {
        // Unmapped first: a child that is forked afterwards does not have the mapping.
        let range = view.unmap();
        if let Some(range) = range
            && self.empty(&range)
            && born.has_no_child()
        {
            self.give(range);
        }
    }

    /// Takes an unused range of the file.
    fn take(&self, len: u64, align: u64) -> io::Result<Range<u64>> {
        let mut space = self.space.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(start) = space.free.take(len, align) {
            return Ok(start..start + len);
        }
        let end = space.end;
        let start = space.free.ending_at(end).map_or(end, |free| free.start);
        let start = start.checked_next_multiple_of(align).ok_or(io::ErrorKind::FileTooLarge)?;
        let new_end = start.checked_add(len).ok_or(io::ErrorKind::FileTooLarge)?;
        // Growing a file beyond this limit ends the process with a signal.
        if getrlimit(Resource::Fsize).current.is_some_and(|limit| new_end > limit) {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        ftruncate(&self.file, new_end)?;
        space.end = new_end;
        space.free.give(end..new_end);
        let start = space.free.take(len, align).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(start..start + len)
    }

    /// Frees a range of the file, which must be zero.
    fn give(&self, range: Range<u64>) {
        self.space.lock().unwrap_or_else(PoisonError::into_inner).free.give(range);
    }

    /// Gives the pages of a range back to the system; returns `false`, with the pages unchanged, if that is not
    /// possible.
    fn empty(&self, range: &Range<u64>) -> bool {
        let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        fallocate(&self.file, hole, range.start, range.end - range.start).is_ok()
    }

    fn slabs(&self) -> MutexGuard<'_, Slabs> {
        // The slabs are never left half-updated.
        self.slabs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn live(&self) -> MutexGuard<'_, BTreeMap<usize, Weak<SharedMemory>>> {
        // The map is never left half-updated.
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SharedMemory {
    /// Allocates this many zero bytes at the start of a page.
    ///
    /// # Errors
    /// The system does not support anonymous files, has no memory left, or a limit is reached.
    pub fn zeros(len: usize) -> io::Result<Arc<Self>> {
        let files = Files::of_process()?;
        let born = Moment::now();
        let mapped_len = len.max(1).checked_next_multiple_of(page_size()).ok_or(io::ErrorKind::OutOfMemory)?;
        // If there is no room for a whole slab, there may be some for one tensor.
        let take = || files.slabs().take(mapped_len, || files.map(HUGE_PAGE));
        let in_slab = (mapped_len <= Slabs::LARGEST).then(take).and_then(Result::ok);
        let (address, range, view) = match in_slab {
            Some((address, range)) => (address, range, None),
            None => {
                let view = files.map(mapped_len)?;
                if mapped_len >= HUGE_PAGE {
                    view.advise(Advice::LinuxHugepage);
                }
                (view.address(), view.range(), Some(view))
            }
        };
        let memory = Arc::new(Self { address, len, range, files, view, born });
        files.live().insert(address.as_ptr().addr(), Arc::downgrade(&memory));
        Ok(memory)
    }

    /// Returns the address of the first byte; all bytes up to the requested length follow, and are initialized.
    pub fn address(&self) -> NonNull<u8> {
        self.address
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        let Self { files, born, .. } = *self;
        if !files.is_of_this_process() {
            // In a forked child, the pages are the parent's, and so are the slabs.
            if let Some(view) = self.view.take() {
                let _ = view.unmap();
            }
            return;
        }
        files.live().remove(&self.address.as_ptr().addr());
        if let Some(view) = self.view.take() {
            files.unmap(view, born);
            return;
        }
        if files.empty(&self.range) && born.has_no_child() {
            let unused = files.slabs().give(self.range.clone());
            if let Some(slab) = unused {
                // A child that has the slab never had a tensor in it, or this tensor's range would not have been freed.
                files.unmap(slab, Moment::now());
            }
        }
    }
}

impl SharedPart {
    /// Returns the part that consists of these bytes, if they are in shared memory and share no page with other
    /// tensors.
    pub fn of(bytes: *const [u8]) -> Option<Self> {
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

    /// Returns the size of its pages in bytes.
    pub fn mapped_len(&self) -> usize {
        self.mapped_len
    }

    /// Returns the address of its first byte in the host.
    pub fn address(&self) -> usize {
        self.memory.address.as_ptr().addr() + self.offset
    }

    /// Returns a part that no system can map.
    #[cfg(test)]
    pub(super) fn at_no_page(&self) -> Self {
        Self { offset: self.offset + 1, ..self.clone() }
    }

    pub(super) fn file(&self) -> BorrowedFd<'_> {
        self.memory.files.file.as_fd()
    }

    pub(super) fn file_offset(&self) -> u64 {
        self.memory.range.start + self.offset as u64
    }
}

/// Tells the compiler that code it cannot see may read and write these bytes.
///
/// A kernel writes to a tensor through another mapping of the same pages, so no pointer to the bytes is passed to it.
/// Without this, the compiler could assume that a tensor which was borrowed for a call is unchanged after it.
#[inline(always)]
pub fn escape(bytes: *const [u8]) {
    // SAFETY: the assembly is empty. The compiler must not know that it leaves the bytes alone.
    unsafe { std::arch::asm!("/* {} */", in(reg) bytes.cast::<u8>(), options(nostack, preserves_flags)) }
}

#[cfg(test)]
mod tests;
