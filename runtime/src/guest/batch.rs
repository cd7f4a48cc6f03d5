//! Lays out and runs many calls in one entry of the sandbox.
//!
//! ```text
//! the arena, from a multiple of 64 KiB on
//!   the descriptors, one after the other
//!   the params blocks, all of one size                                each at a multiple of 16 bytes
//!   for each call: tensors, scratch                                   each at a multiple of 16 bytes
//! ```
//!
//! Everything before the tensors is written in one piece. A guest remembers the layout of its last batch as well as
//! that of its last single call: a batch that differs from the last one only in values is not checked or laid out
//! again. Both layouts may use the same bytes, since everything that a call reads is written each time.

use std::{mem, ops::Range};

use kernelpack_abi::{
    BatchStatus, KernelDescriptor, Signature, TENSOR_ALIGN, TensorArg, TensorData,
    layout::Cursor,
    params::{self, TensorEntry},
};

use super::{
    Calls, Failure, Guest,
    layout::entry_fits,
    place::{Checked, Head},
    unreachable,
};
use crate::KernelError;

/// The layout of a batch in memory.
#[derive(Debug, Default)]
pub(super) struct BatchLayout {
    /// From the first descriptor to the end of the last tensor; empty if nothing was laid out yet.
    range: Range<usize>,
    /// The bytes up to the end of the last params block, as they were before a kernel could overwrite them.
    head: Vec<u8>,
    /// Where the scalars of the first call are in `head`, their size, and the distance from each call's scalars to the
    /// next call's, all in bytes.
    scalars: usize,
    scalar_bytes: usize,
    pitch: usize,
    calls: usize,
    /// The tensor tables of all calls.
    entries: Vec<TensorEntry>,
    /// Which rows have the same input as the preceding call, and so share its place.
    shared: Vec<bool>,
}

impl BatchLayout {
    /// Copies what the calls read to the memory of the batch. Returns false if they differ from the laid-out calls in
    /// more than values; some of them may have been copied then.
    fn copy_in(&mut self, memory: &mut [u8], calls: &Calls<'_>) -> bool {
        let (tensors, rows) = (calls.tensors(), calls.rows());
        if calls.len() != self.calls || calls.scalar_bytes() != self.scalar_bytes || tensors.len() != self.entries.len()
        {
            return false;
        }
        for (index, ((entry, shared), tensor)) in self.entries.iter().zip(&self.shared).zip(tensors).enumerate() {
            // One arm per role, so that the role is tested only once.
            let data: &[u8] = match &tensor.data {
                TensorData::In(data) => {
                    if is_shared(tensors, rows, index, data) != *shared || !entry_fits(entry, tensor) {
                        return false;
                    }
                    if *shared {
                        continue;
                    }
                    data
                }
                TensorData::InOut(data) if entry_fits(entry, tensor) => data,
                _ if entry_fits(entry, tensor) => continue,
                _ => return false,
            };
            let Some(to) = memory.get_mut(bytes_of(entry, &self.range)) else { return false };
            to.copy_from_slice(data);
        }
        let mut at = self.scalars;
        for scalars in calls.scalars() {
            let Some(to) = self.head.get_mut(at..at + scalars.len()) else { return false };
            to.copy_from_slice(scalars);
            at += self.pitch;
        }
        memory.get_mut(..self.head.len()).map(|to| to.copy_from_slice(&self.head)).is_some()
    }

    /// Copies to the caller what the calls wrote; false if that memory is out of reach.
    fn copy_out(&self, memory: &[u8], calls: &mut Calls<'_>) -> bool {
        for (entry, tensor) in self.entries.iter().zip(calls.tensors_mut()) {
            if let TensorData::Out(data) | TensorData::InOut(data) = &mut tensor.data {
                let Some(from) = memory.get(bytes_of(entry, &self.range)) else { return false };
                data.copy_from_slice(from);
            }
        }
        true
    }
}

impl Guest {
    /// Returns whether the guest's module can run many calls in one entry.
    pub(crate) fn has_batch(&self) -> bool {
        self.instance.has_batch()
    }

    /// Checks the calls and lays them out in place of the last batch.
    pub(crate) fn lay_out_batch(&mut self, signature: &Signature<'_>, calls: &Calls<'_>) -> Result<(), Failure> {
        let mut layout = mem::take(&mut self.batch);
        self.lay_out_calls(&mut layout, signature, calls)?;
        self.batch = layout;
        Ok(())
    }

    fn lay_out_calls(
        &mut self,
        layout: &mut BatchLayout,
        signature: &Signature<'_>,
        calls: &Calls<'_>,
    ) -> Result<(), Failure> {
        let (count, rows, scalar_bytes) = (calls.len(), calls.rows(), calls.scalar_bytes());
        let block_size = params::block_size(rows, scalar_bytes as u32);
        let pitch = block_size.next_multiple_of(TENSOR_ALIGN);
        let mut cursor = Cursor::new(0);
        let descriptors = self.place(&mut cursor, count as u64 * u64::from(KernelDescriptor::SIZE))?;
        // Every block, even the last one, is padded to a multiple of 16 bytes.
        let blocks = self.place(&mut cursor, count as u64 * u64::from(pitch))?;
        let head_of = |index: usize| Head {
            descriptor: descriptors + index as u32 * KernelDescriptor::SIZE,
            block: blocks + index as u32 * pitch,
            block_size,
        };
        let BatchLayout { head, entries, shared, .. } = layout;
        head.clear();
        entries.clear();
        shared.clear();
        head.resize(cursor.end() as usize, 0);
        entries.resize(count * rows, TensorEntry::default());
        shared.extend(calls.tensors().iter().enumerate().map(|(index, tensor)| match &tensor.data {
            TensorData::In(data) => is_shared(calls.tensors(), rows, index, data),
            _ => false,
        }));

        for index in 0..count {
            let (tensors, _) = calls.call(index);
            let checked = Checked::new(signature, tensors).map_err(Failure::Refused)?;
            let (earlier, table) = entries.split_at_mut(index * rows);
            let elsewhere = |row: usize| {
                let is_shared = *shared.get(index * rows + row)?;
                let before = earlier.get((index * rows + row).checked_sub(rows)?)?;
                is_shared.then_some(before.offset)
            };
            self.place_tensors(&mut cursor, &checked, tensors, &mut table[..rows], elsewhere)?;
        }

        let start = self.reserve(cursor.end())?;
        for index in 0..count {
            let (_, scalars) = calls.call(index);
            let table = &mut entries[index * rows..(index + 1) * rows];
            self.write_call(start, head_of(index), table, scalars, head)?;
        }
        layout.range = start as usize..start as usize + cursor.end() as usize;
        layout.scalars = head_of(0).end() as usize - scalar_bytes;
        (layout.scalar_bytes, layout.pitch, layout.calls) = (scalar_bytes, pitch as usize, count);
        Ok(())
    }

    /// Copies in what the calls read, runs them and, if all of them succeed, copies out what they wrote.
    ///
    /// Returns `None` without running anything if they differ from the last batch laid out in more than values.
    pub(crate) fn run_batch(&mut self, calls: &mut Calls<'_>, ticks: u32) -> Option<Result<(), Failure>> {
        let memory = self.instance.bytes(self.batch.range.clone())?;
        if !self.batch.copy_in(memory, calls) {
            return None;
        }
        Some(self.enter_batch(calls.len() as u32, ticks).and_then(|()| {
            let memory = self.instance.bytes(self.batch.range.clone()).ok_or_else(unreachable)?;
            if self.batch.copy_out(memory, calls) { Ok(()) } else { Err(unreachable()) }
        }))
    }

    fn enter_batch(&mut self, count: u32, ticks: u32) -> Result<(), Failure> {
        match self.instance.call_batch(self.batch.range.start as u32, count, ticks) {
            Ok(BatchStatus::OK) => Ok(()),
            Ok(BatchStatus { code: 0, .. }) => Err(Failure::Returned(KernelError::Other {
                message: "the batch reports a failed call, but not how it failed".to_owned(),
            })),
            Ok(BatchStatus { code, .. }) => Err(self.failure(Ok(code))),
            Err(stop) => Err(self.failure(Err(stop))),
        }
    }
}

/// Returns the position of a tensor in the range of its batch.
#[inline]
fn bytes_of(entry: &TensorEntry, range: &Range<usize>) -> Range<usize> {
    let start = (entry.offset as usize).wrapping_sub(range.start);
    start..start.wrapping_add(entry.size as usize)
}

/// Returns whether the preceding call has the same input, such as weights. Equal addresses are enough, since both
/// inputs are borrowed for the whole batch.
#[inline]
fn is_shared(tensors: &[TensorArg<'_>], rows: usize, index: usize, data: &[u8]) -> bool {
    // For the first call, this wraps around to an index that no tensor has.
    let before = tensors.get(index.wrapping_sub(rows));
    matches!(before, Some(TensorArg { data: TensorData::In(before), .. }) if std::ptr::eq(data, *before))
}
