//! Memory that can be mapped in several places at once.
//!
//! All of it lies in one anonymous file of the process, of which each [`SharedMemory`] has a range of pages to itself:
//! one file descriptor, however many tensors there are. A forked child makes a file of its own: it shares the tensors that
//! there were at the fork with its parent, and dropping them there takes nothing from the parent.
//!
//! A range is used again once nobody can reach it: its pages were given back to the system, so that they are zero; whatever
//! maps it into a linear memory holds the [`SharedMemory`] until that is unmapped; and no child was forked that could have
//! it. What cannot be made sure of is left alone for good.
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

/// Pages that the host can read and write, and that can be mapped into linear memories too.
#[derive(Debug)]
pub struct SharedMemory {
    address: NonNull<u8>,
    /// Bytes asked for; the pages hold at least as many.
    len: usize,
    /// The pages in the file.
    range: Range<u64>,
    files: &'static Files,
    /// None where the pages are part of a slab.
    view: Option<View>,
    /// Before anybody had the pages.
    born: Moment,
}

// SAFETY: this is an address range and a range of a file. Whoever makes references to the bytes vouches for them, as
// `Tensor` does by borrowing.
unsafe impl Send for SharedMemory {}
// SAFETY: as above.
unsafe impl Sync for SharedMemory {}

/// A part of shared memory that can be mapped by itself without showing anything of its neighbours.
#[derive(Clone, Debug)]
pub struct SharedPart {
    memory: Arc<SharedMemory>,
    offset: usize,
    mapped_len: usize,
}

/// The file of one process, and what lies in it.
///
/// A forked child has its parent's, too, and must leave it alone: the pages are the parent's, and one of the parent's
/// threads may have held a lock at the fork.
#[derive(Debug)]
pub(super) struct Files {
    process: Lineage,
    file: OwnedFd,
    space: Mutex<Space>,
    slabs: Mutex<Slabs>,
    /// By the address of the first byte.
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
        self.process.is_current()
    }

    /// Maps so many bytes of the file that nobody has, all of them zero.
    pub(super) fn map(&self, len: usize) -> io::Result<View> {
        let align = if len >= HUGE_PAGE { HUGE_PAGE } else { page_size() };
        let range = self.take(len as u64, align as u64)?;
        let view = View::new(&self.file, range.clone());
        if view.is_err() {
            self.give(range);
        }
        view
    }

    /// Unmaps what nobody uses any more; the range can be had again if no child has it.
    pub(super) fn unmap(&self, view: View, born: Moment) {
        // The mapping goes first: a child that is forked afterwards does not have it.
        let range = view.unmap();
        if let Some(range) = range
            && self.empty(&range)
            && born.has_no_child()
        {
            self.give(range);
        }
    }

    /// A range of the file that nobody has.
    fn take(&self, len: u64, align: u64) -> io::Result<Range<u64>> {
        let mut space = self.space.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(start) = space.free.take(len, align) {
            return Ok(start..start + len);
        }
        let end = space.end;
        let start = space.free.ending_at(end).map_or(end, |free| free.start);
        let start = start.checked_next_multiple_of(align).ok_or(io::ErrorKind::FileTooLarge)?;
        let new_end = start.checked_add(len).ok_or(io::ErrorKind::FileTooLarge)?;
        // A file that grows beyond this ends the process by a signal.
        if getrlimit(Resource::Fsize).current.is_some_and(|limit| new_end > limit) {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        ftruncate(&self.file, new_end)?;
        space.end = new_end;
        space.free.give(end..new_end);
        let start = space.free.take(len, align).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(start..start + len)
    }

    /// Frees a range of the file, all of it zero.
    fn give(&self, range: Range<u64>) {
        self.space.lock().unwrap_or_else(PoisonError::into_inner).free.give(range);
    }

    /// Gives the pages of a range back to the system; `false` where that cannot be done, and the pages stay as they are.
    fn empty(&self, range: &Range<u64>) -> bool {
        let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        fallocate(&self.file, hole, range.start, range.end - range.start).is_ok()
    }

    fn slabs(&self) -> MutexGuard<'_, Slabs> {
        // Slabs are never left half changed.
        self.slabs.lock().unwrap_or_else(PoisonError::into_inner)
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
    /// The system has no anonymous files, or no memory; or what it allows is used up.
    pub fn zeros(len: usize) -> io::Result<Arc<Self>> {
        let files = Files::of_process()?;
        let born = Moment::now();
        let mapped_len = len.max(1).checked_next_multiple_of(page_size()).ok_or(io::ErrorKind::OutOfMemory)?;
        // What has no room for a slab may have some for one tensor.
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

    /// The first byte; the others up to the length asked for follow, all of them initialized.
    pub fn address(&self) -> NonNull<u8> {
        self.address
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        let Self { files, born, .. } = *self;
        if !files.is_of_this_process() {
            // The pages are the parent's, and so are slabs.
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
                // A child that has it never had a tensor there: this one's range would not have been given back.
                files.unmap(slab, Moment::now());
            }
        }
    }
}

impl SharedPart {
    /// The part that these bytes are, if they lie in shared memory and share no page with others of it.
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

    /// Bytes of its pages.
    pub fn mapped_len(&self) -> usize {
        self.mapped_len
    }

    /// The address of its first byte in the host.
    pub fn address(&self) -> usize {
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
        self.memory.range.start + self.offset as u64
    }
}

/// Tells the compiler that code it cannot see may read and write these bytes from here on.
///
/// A kernel writes to a tensor through another mapping of the same pages, so that no pointer to the bytes is passed to
/// it: without this, the compiler could take a tensor that it saw borrowed for a call to be the same after it.
#[inline(always)]
pub fn escape(bytes: *const [u8]) {
    // SAFETY: it does nothing. That it does nothing to the bytes is what the compiler must not know.
    unsafe { std::arch::asm!("/* {} */", in(reg) bytes.cast::<u8>(), options(nostack, preserves_flags)) }
}

#[cfg(test)]
mod tests;
