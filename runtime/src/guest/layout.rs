//! The layout of a call in a guest's memory.
//!
//! ```text
//! the arena, from a multiple of 64 KiB on
//!   descriptor, params block, copied tensors, scratch                 each at a multiple of 16 bytes
//!   mapped tensors                                                    each after an inaccessible gap
//! ```

use std::{
    io::{self, ErrorKind},
    mem,
    ops::Range,
};

use kernelpack_abi::{
    KernelDescriptor, MAX_TENSORS, Role, TensorArg, TensorData,
    layout::Cursor,
    params::{self, TensorEntry},
};
use kernelpack_engine::Export;
use kernelpack_memory::{HUGE_PAGE, SharedPart};

use super::{
    Failure, Guest,
    place::{Checked, Head},
};

/// The gap before each mapped tensor, and its alignment: a multiple of the page size on every system.
const GAP: u64 = 64 << 10;

/// A tensor to be mapped: shared memory, and where the tensor starts in it.
#[derive(Clone, Debug)]
pub(crate) struct Mapped {
    pub(crate) part: SharedPart,
    pub(crate) offset: u32,
}

/// The layout of a call in memory.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// `None` if nothing was laid out yet.
    export: Option<Export>,
    descriptor: u32,
    /// The bytes from the descriptor to the end of the tensor table, as they were before the kernel could overwrite
    /// them.
    head: Vec<u8>,
    /// The bytes of the scalars, which follow the tensor table.
    scalars_size: usize,
    /// The tensor table.
    entries: Vec<TensorEntry>,
    /// A bit for each row, set if the tensor is mapped.
    mapped: u32,
    /// The range that was made inaccessible, so that tensors could be mapped there.
    closed: Range<usize>,
}

impl Layout {
    pub(super) fn export(&self) -> Export {
        self.export.unwrap_or(Export::Forward)
    }

    pub(super) fn descriptor(&self) -> u32 {
        self.descriptor
    }

    /// Returns the position of descriptor, header and tensor table, and the bytes that belong there.
    #[inline]
    pub(super) fn head(&self) -> (Range<usize>, &[u8]) {
        let start = self.descriptor as usize;
        (start..start + self.head.len(), &self.head)
    }

    /// Returns the position of the scalars, which follow the head.
    #[inline]
    pub(super) fn scalars(&self) -> Range<usize> {
        let start = self.descriptor as usize + self.head.len();
        start..start + self.scalars_size
    }

    /// Returns the position of a copied tensor; `None` if the tensor is mapped.
    #[inline]
    pub(super) fn copied(&self, row: usize) -> Option<Range<usize>> {
        if self.is_mapped(row) {
            return None;
        }
        let TensorEntry { offset, size, .. } = *self.entries.get(row)?;
        Some(offset as usize..offset as usize + size as usize)
    }

    fn is_mapped(&self, row: usize) -> bool {
        self.mapped & (1 << row) != 0
    }

    #[inline]
    pub(super) fn fits(&self, export: Export, tensors: &[TensorArg<'_>], scalars: &[u8]) -> bool {
        self.export == Some(export)
            && tensors.len() == self.entries.len()
            && scalars.len() == self.scalars_size
            && self.entries.iter().zip(tensors).all(|(entry, tensor)| entry_fits(entry, tensor))
    }
}

/// Returns whether a tensor differs only in values from the one that the row was made for.
#[inline]
pub(super) fn entry_fits(entry: &TensorEntry, tensor: &TensorArg<'_>) -> bool {
    let (role, len) = match &tensor.data {
        // The size of scratch follows from the shapes of the other tensors.
        TensorData::Scratch => return entry.role == Role::Scratch as u8,
        TensorData::Absent => return entry.is_absent(),
        TensorData::In(data) => (Role::In, data.len()),
        TensorData::Out(data) => (Role::Out, data.len()),
        TensorData::InOut(data) => (Role::InOut, data.len()),
    };
    entry.role == role as u8
        && entry.dtype == tensor.dtype.code()
        && entry.size as usize == len
        && !entry.is_absent()
        && entry.has_shape(&tensor.shape)
}

impl Guest {
    /// Lays out a checked call in place of the last one.
    ///
    /// Rows that have a part of shared memory are mapped; calls copy the others. A guest with mapped tensors cannot be
    /// laid out again.
    pub(crate) fn lay_out(
        &mut self,
        export: Export,
        call: &Checked<'_>,
        tensors: &[TensorArg<'_>],
        scalars: &[u8],
        parts: &[Option<Mapped>],
    ) -> Result<(), Failure> {
        self.layout.export = None;
        self.layout.mapped = 0;
        let mut entries = [TensorEntry::default(); MAX_TENSORS];
        let entries = &mut entries[..tensors.len().min(MAX_TENSORS)];
        let block_size = params::block_size(entries.len(), scalars.len() as u32);

        let mut cursor = Cursor::new(0);
        let descriptor = self.place(&mut cursor, u64::from(KernelDescriptor::SIZE))?;
        let head = Head { descriptor, block: self.place(&mut cursor, u64::from(block_size))?, block_size };
        // Mapped tensors are placed after all copied ones.
        let is_mapped = |row| part(parts, row).map(|_| 0);
        self.place_tensors(&mut cursor, call, tensors, entries, is_mapped)?;
        let copied_end = cursor.end();
        for (row, entry) in entries.iter_mut().enumerate() {
            if let Some(Mapped { part, offset }) = part(parts, row) {
                entry.offset = self.place_part(&mut cursor, part)? + offset;
            }
        }

        let start = self.reserve(cursor.end())?;
        let mut bytes = mem::take(&mut self.layout.head);
        bytes.clear();
        bytes.resize(head.end() as usize, 0);
        let written = self.write_call(start, head, entries, scalars, &mut bytes);
        self.layout.head = bytes;
        written?;

        if cursor.end() != copied_end {
            self.map(start as usize + copied_end as usize, entries, parts).map_err(Failure::Unmappable)?;
        }
        self.layout.descriptor = start + head.descriptor;
        self.layout.head.truncate(head.end() as usize - scalars.len());
        self.layout.scalars_size = scalars.len();
        self.layout.entries.clear();
        self.layout.entries.extend_from_slice(entries);
        self.layout.export = Some(export);
        self.restore_head()
    }

    /// Forgets the layout, because its memory is overwritten.
    pub(super) fn forget(&mut self) {
        self.layout = Layout::default();
    }

    /// Maps the rows that have a part at the offsets of their entries, which are after everything else.
    fn map(&mut self, from: usize, entries: &[TensorEntry], parts: &[Option<Mapped>]) -> io::Result<()> {
        self.layout.closed = from.next_multiple_of(GAP as usize)..self.arena_end as usize;
        let mapper = self.instance.as_mapper().ok_or(ErrorKind::Unsupported)?;
        mapper.close(self.layout.closed.clone())?;
        for (row, entry) in entries.iter().enumerate() {
            if let Some(Mapped { part, offset }) = part(parts, row) {
                let writable = Role::from_code(entry.role).is_some_and(Role::writes);
                mapper.map((entry.offset - offset) as usize, part, writable)?;
                self.layout.mapped |= 1 << row;
            }
        }
        Ok(())
    }

    /// Unmaps all tensors; after that, the guest can be cleaned up, but not called.
    pub(crate) fn unmap(&mut self) -> io::Result<()> {
        self.layout.export = None;
        if self.layout.closed.is_empty() {
            return Ok(());
        }
        let mapper = self.instance.as_mapper().ok_or(ErrorKind::Unsupported)?;
        mapper.close(self.layout.closed.clone())
    }

    /// Finds a place in the arena for the pages of a part.
    fn place_part(&self, cursor: &mut Cursor, part: &SharedPart) -> Result<u32, Failure> {
        let len = part.mapped_len() as u64;
        let gap_end = cursor.end() + GAP;
        let offset = if len >= HUGE_PAGE as u64 {
            // Huge pages must be aligned in memory, not just in the arena.
            let start = self.arena_start;
            (start + gap_end).next_multiple_of(HUGE_PAGE as u64) - start
        } else {
            gap_end.next_multiple_of(GAP)
        };
        let too_large = || self.too_large(offset.saturating_add(len));
        *cursor = Cursor::new(u32::try_from(offset).map_err(|_| too_large())?);
        cursor.place(len).ok_or_else(too_large)
    }
}

fn part(parts: &[Option<Mapped>], row: usize) -> Option<&Mapped> {
    parts.get(row)?.as_ref()
}
