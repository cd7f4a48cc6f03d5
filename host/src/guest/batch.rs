//! Many calls in one entry of the sandbox.
//!
//! ```text
//! the arena, from a multiple of 64 KiB on
//!   the descriptors, one behind the other
//!   of each call: params block, tensors, scratch                      each at a multiple of 16 bytes
//! ```

use std::ops::Range;

use kernelpack_abi::{
    BatchStatus, KernelDescriptor, MAX_TENSORS, Signature, TensorArg, TensorData,
    layout::{self, Bounds, Cursor},
    params::{self, TensorEntry},
};
use zerocopy::IntoBytes;

use super::{Failure, Guest, check, layout::shape_of};
use crate::{BadCall, KernelError};

/// One call of a batch.
pub(crate) struct BatchCall<'a> {
    pub(crate) tensors: Vec<TensorArg<'a>>,
    pub(crate) scalars: Vec<u8>,
}

/// Where the bytes of a tensor are to be copied to.
type Copies<'a> = Vec<(Range<usize>, &'a [u8])>;

impl Guest {
    /// Whether its module runs many calls at one entry.
    pub(crate) fn has_batch(&self) -> bool {
        self.instance.has_batch()
    }

    /// Checks the calls, lays them out, copies what they read, runs them, and copies what they wrote, which is only done
    /// if all of them succeed.
    pub(crate) fn run_batch(
        &mut self,
        signature: &Signature<'_>,
        calls: &mut [BatchCall<'_>],
        ticks: u32,
    ) -> Result<(), Failure> {
        let count = u32::try_from(calls.len()).map_err(|_| self.too_large(u64::MAX))?;
        // What lies in the arena is no longer what was laid out there.
        self.forget();
        let mut cursor = Cursor::new(0);
        let descriptors = u64::from(count) * u64::from(KernelDescriptor::SIZE);
        cursor.place(descriptors).ok_or_else(|| self.too_large(descriptors))?;
        let mut tables = Vec::with_capacity(calls.len());
        for (index, call) in calls.iter().enumerate() {
            let before = index.checked_sub(1).map(|before| (&calls[before], &tables[before]));
            tables.push(self.place(signature, call, before, &mut cursor)?);
        }
        let start = self.reserve(cursor.end())?;
        let bounds = Bounds { floor: self.heap_base, memory_size: self.instance.memory_size() };

        let mut head = Vec::with_capacity(calls.len() * KernelDescriptor::SIZE as usize);
        for (index, (call, table)) in calls.iter().zip(&mut tables).enumerate() {
            table.move_by(start).ok_or_else(|| self.too_large(cursor.end()))?;
            let block_size = params::block_size(table.entries.len(), call.scalars.len() as u32);
            let descriptor = layout::describe(table.block, block_size, &table.entries);
            let at = start + index as u32 * KernelDescriptor::SIZE;
            layout::check(bounds, at, &descriptor, &table.entries)
                .map_err(|error| Failure::Refused(BadCall::Layout(error)))?;
            head.extend_from_slice(descriptor.as_bytes());
            params::write(self.bytes(table.block, block_size)?, &table.entries, &call.scalars);
            let mut copies: Copies<'_> = Vec::with_capacity(MAX_TENSORS);
            for ((entry, tensor), shared) in table.entries.iter().zip(&call.tensors).zip(&table.shared) {
                match &tensor.data {
                    TensorData::In(data) if !shared => copies.push((bytes_of(entry), data)),
                    TensorData::InOut(data) => copies.push((bytes_of(entry), data)),
                    _ => {}
                }
            }
            for (range, data) in copies {
                self.instance.bytes(range).ok_or_else(super::unreachable)?.copy_from_slice(data);
            }
        }
        self.bytes(start, head.len() as u32)?.copy_from_slice(&head);
        self.enter_batch(start, count, ticks)?;
        for (call, table) in calls.iter_mut().zip(&tables) {
            for (entry, tensor) in table.entries.iter().zip(&mut call.tensors) {
                if let TensorData::Out(data) | TensorData::InOut(data) = &mut tensor.data {
                    data.copy_from_slice(self.instance.bytes(bytes_of(entry)).ok_or_else(super::unreachable)?);
                }
            }
        }
        Ok(())
    }

    fn place(
        &self,
        signature: &Signature<'_>,
        call: &BatchCall<'_>,
        before: Option<(&BatchCall<'_>, &Table)>,
        cursor: &mut Cursor,
    ) -> Result<Table, Failure> {
        let symbols = check(signature, &call.tensors).map_err(Failure::Refused)?;
        let mut place = |size: u64| cursor.place(size).ok_or_else(|| self.too_large(cursor.end().saturating_add(size)));
        let block = place(u64::from(params::block_size(call.tensors.len(), call.scalars.len() as u32)))?;
        let mut table = Table { block, entries: Vec::new(), shared: Vec::new() };
        for (row, (tensor, spec)) in call.tensors.iter().zip(signature.tensors).enumerate() {
            let Some(shape) = shape_of(tensor, spec, &symbols)? else {
                table.push(TensorEntry::absent(spec.dtype, spec.role), false);
                continue;
            };
            // Weights are often those of the call before, and lie there already.
            let same =
                before.and_then(|(call, table)| same_input(tensor, call.tensors.get(row)?, table.entries.get(row)?));
            let bytes = shape.bytes(spec.dtype);
            let offset = match same {
                Some(offset) => offset,
                None => place(bytes)?,
            };
            let entry = TensorEntry::new(offset, spec.dtype, spec.role, shape).ok_or_else(|| self.too_large(bytes))?;
            table.push(entry, same.is_some());
        }
        Ok(table)
    }

    fn enter_batch(&mut self, descriptors: u32, count: u32, ticks: u32) -> Result<(), Failure> {
        self.bytes(self.message, 4)?.fill(0);
        match self.instance.call_batch(descriptors, count, ticks) {
            Ok(BatchStatus::OK) => Ok(()),
            Ok(BatchStatus { code: 0, .. }) => Err(Failure::Returned(KernelError::Other {
                message: "the batch names a call that failed, and no failure".to_owned(),
            })),
            Ok(BatchStatus { code, .. }) => Err(self.failure(Ok(code))),
            Err(stop) => Err(self.failure(Err(stop))),
        }
    }
}

/// The tensor table of one call, and where its params block is.
struct Table {
    block: u32,
    entries: Vec<TensorEntry>,
    /// Whether the row's bytes are those of the call before.
    shared: Vec<bool>,
}

impl Table {
    fn push(&mut self, entry: TensorEntry, shared: bool) {
        self.entries.push(entry);
        self.shared.push(shared);
    }

    /// Makes offsets in the arena offsets in memory. None beyond 4 GiB.
    fn move_by(&mut self, start: u32) -> Option<()> {
        self.block = self.block.checked_add(start)?;
        for entry in self.entries.iter_mut().filter(|entry| !entry.is_absent()) {
            entry.offset = entry.offset.checked_add(start)?;
        }
        Some(())
    }
}

fn bytes_of(entry: &TensorEntry) -> Range<usize> {
    entry.offset as usize..entry.offset as usize + entry.size as usize
}

/// Where the bytes of an input lie that the call before had as well; both are borrowed for the whole batch.
fn same_input(tensor: &TensorArg<'_>, before: &TensorArg<'_>, entry: &TensorEntry) -> Option<u32> {
    match (&tensor.data, &before.data) {
        (TensorData::In(data), TensorData::In(before)) if std::ptr::eq(*data, *before) && !entry.is_absent() => {
            Some(entry.offset)
        }
        _ => None,
    }
}
