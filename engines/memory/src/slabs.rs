//! Mappings that small pieces of memory share, each with pages of its own.

use std::{collections::BTreeMap, io, ops::Range, ptr::NonNull};

use rustix::{mm::Advice, param::page_size};

use super::{HUGE_PAGE, ranges::Ranges, view::View};

/// Mapped ranges of a file with free pages in them.
#[derive(Debug, Default)]
pub(super) struct Slabs {
    /// By their starts in the file.
    slabs: BTreeMap<u64, Slab>,
}

#[derive(Debug)]
struct Slab {
    view: View,
    /// In the file.
    free: Ranges,
}

impl Slabs {
    /// Bytes of the largest pieces that a slab is for.
    pub(super) const LARGEST: usize = HUGE_PAGE / 8;

    /// Takes so many bytes of whole pages out of a slab: their address, and where they are in the file. `map` maps
    /// [`HUGE_PAGE`] bytes for another slab.
    pub(super) fn take(
        &mut self,
        len: usize,
        map: impl FnOnce() -> io::Result<View>,
    ) -> io::Result<(NonNull<u8>, Range<u64>)> {
        if let Some(taken) = self.slabs.values_mut().find_map(|slab| slab.take(len)) {
            return Ok(taken);
        }
        let view = map()?;
        // One small piece shall not take all of it.
        view.advise(Advice::LinuxNoHugepage);
        let mut free = Ranges::default();
        free.give(view.range());
        let slab = self.slabs.entry(view.range().start).or_insert(Slab { view, free });
        slab.take(len).ok_or(io::ErrorKind::OutOfMemory.into())
    }

    /// Takes pages back, all of them zero, and gives the slab if nobody has any other page of it.
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
