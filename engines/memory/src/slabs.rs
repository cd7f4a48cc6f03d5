//! Mappings that are shared by small allocations, each with its own pages.

use std::{collections::BTreeMap, io, ops::Range, ptr::NonNull};

use rustix::{mm::Advice, param::page_size};

use super::{HUGE_PAGE, ranges::Ranges, view::View};

/// Mapped ranges of a file that have free pages.
#[derive(Debug, Default)]
pub(super) struct Slabs {
    /// Keyed by their starts in the file.
    slabs: BTreeMap<u64, Slab>,
}

#[derive(Debug)]
struct Slab {
    view: View,
    /// Free pages, as offsets in the file.
    free: Ranges,
}

impl Slabs {
    /// The size of the largest allocation that comes from a slab.
    pub(super) const LARGEST: usize = HUGE_PAGE / 8;

    /// Takes this many bytes of whole pages from a slab, and returns their address and their range in the file. `map`
    /// maps [`HUGE_PAGE`] bytes for another slab.
    pub(super) fn take(
        &mut self,
        len: usize,
        map: impl FnOnce() -> io::Result<View>,
    ) -> io::Result<(NonNull<u8>, Range<u64>)> {
        if let Some(taken) = self.slabs.values_mut().find_map(|slab| slab.take(len)) {
            return Ok(taken);
        }
        let view = map()?;
        // One small allocation must not take up a huge page.
        view.advise(Advice::LinuxNoHugepage);
        let mut free = Ranges::default();
        free.give(view.range());
        let slab = self.slabs.entry(view.range().start).or_insert(Slab { view, free });
        slab.take(len).ok_or(io::ErrorKind::OutOfMemory.into())
    }

    /// Takes back pages, which must be zero, and returns the slab if no other page of it is in use.
    pub(super) fn give(&mut self, range: Range<u64>) -> Option<View> {
        let (&start, slab) = self.slabs.range_mut(..=range.start).next_back()?;
        slab.free.give(range);
        if !slab.free.is_exactly(&slab.view.range()) {
            return None;
        }
        self.slabs.remove(&start).map(|slab| slab.view)
    }
}

impl Slab {
    fn take(&mut self, len: usize) -> Option<(NonNull<u8>, Range<u64>)> {
        let start = self.free.take(len as u64, page_size() as u64)?;
        let offset = (start - self.view.range().start) as usize;
        let address = NonNull::new(self.view.address().as_ptr().wrapping_add(offset))?;
        Some((address, start..start + len as u64))
    }
}
