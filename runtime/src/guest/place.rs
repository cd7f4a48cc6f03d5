//! Finding places for the parts of calls, and writing what stands before their tensors.
//!
//! Offsets are found from the start of the arena first, since where that lies depends on how much is needed. A call's
//! *head* is its descriptor and its params block.

use kernelpack_abi::{
    KernelDescriptor, Shape, Signature, Symbols, TensorArg, TensorData, TensorSpec,
    layout::{self, Bounds, Cursor, LayoutError},
    params::{self, TensorEntry},
};
use zerocopy::IntoBytes;

use super::{
    Failure, Guest,
    check::{bind, check},
};
use crate::{BadCall, KernelError};

/// The signature that the tensors of a call were found to have, and the values of its symbols.
pub(crate) struct Checked<'a> {
    signature: &'a Signature<'a>,
    symbols: Symbols,
}

impl<'a> Checked<'a> {
    /// Checks tensors.
    pub(crate) fn new(signature: &'a Signature<'a>, tensors: &[TensorArg<'_>]) -> Result<Self, BadCall> {
        check(signature, tensors).map(|symbols| Self { signature, symbols })
    }

    /// The same for tensors without their bytes.
    pub(crate) fn outlines(signature: &'a Signature<'a>, tensors: &[TensorArg<'_>]) -> Result<Self, BadCall> {
        bind(signature, tensors).map(|symbols| Self { signature, symbols })
    }
}

/// The places of a call's descriptor and params block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) descriptor: u32,
    pub(super) block: u32,
    /// Bytes of the block.
    pub(super) block_size: u32,
}

impl Head {
    /// Where the block ends.
    pub(super) fn end(&self) -> u32 {
        self.block + self.block_size
    }
}

impl Guest {
    /// Finds a place for some bytes.
    pub(super) fn place(&self, cursor: &mut Cursor, bytes: u64) -> Result<u32, Failure> {
        cursor.place(bytes).ok_or_else(|| self.too_large(cursor.end().saturating_add(bytes)))
    }

    /// Makes the tensor table of a call, and finds a place for each tensor that has none yet: `elsewhere` gives the offset
    /// of one that has.
    pub(super) fn place_tensors(
        &self,
        cursor: &mut Cursor,
        call: &Checked<'_>,
        tensors: &[TensorArg<'_>],
        entries: &mut [TensorEntry],
        elsewhere: impl Fn(usize) -> Option<u32>,
    ) -> Result<(), Failure> {
        for (row, (entry, tensor)) in entries.iter_mut().zip(tensors).enumerate() {
            let Some(spec) = call.signature.tensors.get(row) else { continue };
            let Some(shape) = shape_of(tensor, spec, &call.symbols)? else {
                *entry = TensorEntry::absent(spec.dtype, spec.role);
                continue;
            };
            let bytes = shape.bytes(spec.dtype);
            let offset = match elsewhere(row) {
                Some(offset) => offset,
                None => self.place(cursor, bytes)?,
            };
            *entry = TensorEntry::new(offset, spec.dtype, spec.role, shape).ok_or_else(|| self.too_large(bytes))?;
        }
        Ok(())
    }

    /// Makes offsets from the arena's start offsets in memory, checks the call as the guest will, and writes its head to
    /// `out`, which begins where the arena does.
    pub(super) fn write_call(
        &self,
        start: u32,
        head: Head,
        entries: &mut [TensorEntry],
        scalars: &[u8],
        out: &mut [u8],
    ) -> Result<(), Failure> {
        // No tensor is at the start of the arena.
        for entry in entries.iter_mut().filter(|entry| !entry.is_absent()) {
            // Beyond 4 GiB only for an empty tensor at the very end.
            let offset = entry.offset.checked_add(start);
            entry.offset = offset.ok_or_else(|| self.too_large(u64::from(entry.offset)))?;
        }
        let descriptor = layout::describe(start + head.block, head.block_size, entries);
        let bounds = Bounds { floor: self.heap_base, memory_size: self.instance.memory_size() };
        layout::check(bounds, start + head.descriptor, &descriptor, entries).map_err(|error| match error {
            LayoutError::OutOfBounds { offset, size, .. } => {
                Failure::Returned(KernelError::MemoryAccessViolation { offset, size })
            }
            _ => Failure::Internal("a call was laid out in a way that no guest accepts"),
        })?;
        let at = head.descriptor as usize;
        out[at..at + KernelDescriptor::SIZE as usize].copy_from_slice(descriptor.as_bytes());
        params::write(&mut out[head.block as usize..head.end() as usize], entries, scalars);
        Ok(())
    }
}

/// The shape of a tensor in a call, none if it is left out. That of scratch follows from the others'.
fn shape_of(tensor: &TensorArg<'_>, spec: &TensorSpec<'_>, symbols: &Symbols) -> Result<Option<Shape>, Failure> {
    let shape = match tensor.data {
        TensorData::Absent => return Ok(None),
        TensorData::Scratch => symbols
            .len(spec.len)
            .map_err(|error| BadCall::Scratch { name: spec.name.to_owned(), error })
            .and_then(|len| Shape::new(&[len as usize]).map_err(|error| BadCall::Shape { message: error.to_string() }))
            .map_err(Failure::Refused)?,
        _ => tensor.shape,
    };
    Ok(Some(shape))
}
