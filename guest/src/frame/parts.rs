//! The parts of a call other than its tensors.

use kernelpack_abi::{
    KernelDescriptor, TENSOR_ALIGN,
    params::{ENTRY_SIZE, HEADER_SIZE, Params},
};

use super::memory::LinearMemory;

/// The bytes of a descriptor.
pub(super) type Head = [u8; KernelDescriptor::SIZE as usize];
/// The bytes of a block's header.
pub(super) type Header = [u8; HEADER_SIZE as usize];
/// The bytes of a row of the tensor table.
pub(super) type Row = [u8; ENTRY_SIZE as usize];

/// The parts of a call that are not tensors; they are inside the bounds and readable.
pub(super) struct Parts<'a> {
    pub(super) head: &'a KernelDescriptor,
    pub(super) block: &'a [u8],
    pub(super) params: Params<'a>,
}

impl<'a> Parts<'a> {
    /// Reads the parts; `None` if one is outside the bounds or malformed.
    ///
    /// # Safety
    /// As for [`Frame::open`](super::Frame::open), and nothing writes to the parts for `'a`.
    #[inline(always)]
    pub(super) unsafe fn read(memory: LinearMemory, descriptor: u32) -> Option<Self> {
        // SAFETY: the caller guarantees this for the memory.
        let bytes = unsafe { memory.bytes(descriptor, KernelDescriptor::SIZE, 4)? };
        let head = KernelDescriptor::in_bytes(bytes)?;
        // SAFETY: the caller guarantees this for the memory.
        let block = unsafe { memory.bytes(head.params_offset, head.params_size, TENSOR_ALIGN)? };
        Some(Self { head, block, params: Params::parse(block).ok()? })
    }

    /// Writes the parts to be remembered; false, with nothing written, if there is no room.
    #[inline(always)]
    pub(super) fn write(&self, head: &mut Head, header: &mut Header, rows: &mut [Row]) -> bool {
        let Some((from, table)) = self.block.split_first_chunk() else { return false };
        let count = self.params.entries.len();
        let (Some(table), Some(rows)) = (table.as_chunks().0.get(..count), rows.get_mut(..count)) else { return false };
        for (to, row) in rows.iter_mut().zip(table) {
            *to = *row;
        }
        for (to, word) in head.as_chunks_mut().0.iter_mut().zip(self.head.words()) {
            *to = word.to_ne_bytes();
        }
        *header = *from;
        true
    }
}
