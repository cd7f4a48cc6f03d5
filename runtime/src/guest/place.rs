//! Places the parts of calls in a guest's memory, and writes the part before the tensors.
//!
//! Offsets are first counted from the start of the arena, because the position of the arena depends on how much memory
//! a call needs. A call's *head* is its descriptor and its params block.

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

/// Proof that the tensors of a call match a signature, with the values of its symbols.
pub(crate) struct Checked<'a> {
    signature: &'a Signature<'a>,
    symbols: Symbols,
}

impl<'a> Checked<'a> {
    /// Checks the tensors of a call.
    pub(crate) fn new(signature: &'a Signature<'a>, tensors: &[TensorArg<'_>]) -> Result<Self, BadCall> {
        check(signature, tensors).map(|symbols| Self { signature, symbols })
    }

    /// Like [`new`](Self::new), but for tensors without their bytes.
    pub(crate) fn outlines(signature: &'a Signature<'a>, tensors: &[TensorArg<'_>]) -> Result<Self, BadCall> {
        bind(signature, tensors).map(|symbols| Self { signature, symbols })
    }
}

/// The offsets of a call's descriptor and params block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) descriptor: u32,
    pub(super) block: u32,
    /// The size of the block in bytes.
    pub(super) block_size: u32,
}

impl Head {
    /// Returns the offset of the end of the block.
    pub(super) fn end(&self) -> u32 {
        self.block + self.block_size
    }
}

impl Guest {
    /// Finds a place for this many bytes.
    pub(super) fn place(&self, cursor: &mut Cursor, bytes: u64) -> Result<u32, Failure> {
        cursor.place(bytes).ok_or_else(|| self.too_large(cursor.end().saturating_add(bytes)))
    }

    /// Makes the tensor table of a call. A tensor gets the offset that `elsewhere` gives for its row or, if that is
    /// `None`, a new place.
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

    /// Converts offsets in the arena to offsets in memory, checks the call as the guest will, and writes its head to
    /// `out`, which begins at the start of the arena.
    pub(super) fn write_call(
        &self,
        start: u32,
        head: Head,
        entries: &mut [TensorEntry],
        scalars: &[u8],
        out: &mut [u8],
    ) -> Result<(), Failure> {
        // No tensor has offset 0, where the descriptor is.
        for entry in entries.iter_mut().filter(|entry| !entry.is_absent()) {
            // Only the offset of an empty tensor at the very end can exceed 4 GiB.
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

/// Returns the shape of a tensor in a call, or `None` if it is absent. The shape of scratch follows from the other
/// tensors.
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
