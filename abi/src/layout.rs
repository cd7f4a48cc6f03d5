//! Places the parts of a call in linear memory, and checks a placement.
//!
//! Both sides call [`check`]: the guest before it makes a slice, so that a hostile host cannot cause undefined
//! behaviour in it, and the host before it enters the sandbox.

use core::fmt;

use crate::{DType, KernelDescriptor, Role, TENSOR_ALIGN, params::TensorEntry};

/// The part of linear memory that calls may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The first usable byte: the module's `__heap_base`. Its own data and stack are below.
    pub floor: u32,
    /// The size of the memory in bytes, at most 4 GiB.
    pub memory_size: u64,
}

/// A part of a call that occupies memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The 40-byte descriptor.
    Descriptor,
    /// The params block.
    Params,
    /// The tensor in this row of the table.
    Tensor(usize),
}

/// The most bytes that one part may have, which is the limit of a slice in the sandbox, where `isize` has 32 bits.
pub const MAX_PART_BYTES: u32 = i32::MAX as u32;

/// A range of linear memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Region {
    offset: u32,
    size: u32,
}

impl Region {
    fn end(self) -> u64 {
        u64::from(self.offset) + u64::from(self.size)
    }

    fn check(self, part: Part, align: u32, bounds: Bounds) -> Result<(), LayoutError> {
        let Self { offset, size } = self;
        if size > MAX_PART_BYTES {
            return Err(LayoutError::TooLarge { part, size });
        }
        if offset < bounds.floor || self.end() > bounds.memory_size {
            return Err(LayoutError::OutOfBounds { part, offset, size, bounds });
        }
        if offset % align != 0 {
            return Err(LayoutError::Misaligned { part, offset, align });
        }
        Ok(())
    }

    /// Returns whether the two regions share a byte; an empty region shares none.
    fn overlaps(self, other: Self) -> bool {
        self.size != 0
            && other.size != 0
            && u64::from(self.offset) < other.end()
            && u64::from(other.offset) < self.end()
    }
}

/// Checks that every part of a call is well-formed, aligned and in bounds, and that the parts agree.
///
/// Nothing that the kernel may write may overlap any other part, but inputs may overlap each other. The descriptor must
/// match the tensor table.
///
/// # Errors
/// Returns the first fault found.
pub fn check(
    bounds: Bounds,
    descriptor_offset: u32,
    descriptor: &KernelDescriptor,
    entries: &[TensorEntry],
) -> Result<(), LayoutError> {
    let head = Region { offset: descriptor_offset, size: KernelDescriptor::SIZE };
    head.check(Part::Descriptor, 4, bounds)?;
    let params = Region { offset: descriptor.params_offset, size: descriptor.params_size };
    params.check(Part::Params, TENSOR_ALIGN, bounds)?;

    for (index, entry) in entries.iter().enumerate() {
        let role = check_entry(index, entry)?;
        if entry.is_absent() {
            continue;
        }
        let part = Part::Tensor(index);
        let region = Region { offset: entry.offset, size: entry.size };
        region.check(part, TENSOR_ALIGN, bounds)?;
        if role.writes() {
            for (other, region_of_other) in [(Part::Descriptor, head), (Part::Params, params)] {
                if region.overlaps(region_of_other) {
                    return Err(LayoutError::Overlap { a: other, b: part });
                }
            }
        }
        for (earlier, other) in entries[..index].iter().enumerate() {
            let writes = role.writes() || other.role != Role::In as u8;
            if writes && region.overlaps(Region { offset: other.offset, size: other.size }) {
                return Err(LayoutError::Overlap { a: Part::Tensor(earlier), b: part });
            }
        }
    }
    if *descriptor != describe(descriptor.params_offset, descriptor.params_size, entries) {
        return Err(LayoutError::DescriptorDisagrees);
    }
    Ok(())
}

/// Checks that a row is consistent: its size follows from its shape and type, and unused bytes are zero.
fn check_entry(index: usize, entry: &TensorEntry) -> Result<Role, LayoutError> {
    let malformed = LayoutError::Malformed { index };
    let role = Role::from_code(entry.role).ok_or(malformed)?;
    let dtype = DType::from_code(entry.dtype).ok_or(malformed)?;
    let (extents, padding) = entry.dims.split_at_checked(usize::from(entry.rank)).ok_or(malformed)?;
    let nothing = padding.iter().fold(u32::from(entry.reserved) | entry.reserved_end, |all, word| all | word);
    let fits = if entry.is_absent() {
        entry.rank == 0 && entry.size == 0
    } else {
        // As in `Shape`, the other extents must be in bounds even if one is zero.
        let (mut elements, mut is_empty) = (1u64, false);
        for &extent in extents {
            is_empty |= extent == 0;
            elements *= u64::from(extent.max(1));
            if elements > u64::from(u32::MAX) {
                return Err(malformed);
            }
        }
        u64::from(entry.size) == if is_empty { 0 } else { elements * u64::from(dtype.size()) }
    };
    if fits && nothing == 0 { Ok(role) } else { Err(malformed) }
}

/// Makes the descriptor for a params block and its tensor table.
pub fn describe(params_offset: u32, params_size: u32, entries: &[TensorEntry]) -> KernelDescriptor {
    let mut descriptor = KernelDescriptor { params_offset, params_size, ..KernelDescriptor::default() };
    let (mut inputs, mut outputs, mut scratch) = (0, 0, 0);
    for entry in entries {
        match Role::from_code(entry.role) {
            Some(Role::In) => {
                match inputs {
                    0 => (descriptor.input_a_offset, descriptor.input_a_size) = (entry.offset, entry.size),
                    1 => (descriptor.input_b_offset, descriptor.input_b_size) = (entry.offset, entry.size),
                    _ => {}
                }
                inputs += 1;
            }
            Some(Role::Out | Role::InOut) => {
                if outputs == 0 {
                    (descriptor.output_offset, descriptor.output_size) = (entry.offset, entry.size);
                }
                outputs += 1;
            }
            Some(Role::Scratch) => {
                if scratch == 0 {
                    (descriptor.scratch_offset, descriptor.scratch_size) = (entry.offset, entry.size);
                }
                scratch += 1;
            }
            None => {}
        }
    }
    descriptor
}

/// Allocates aligned ranges of linear memory, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Cursor {
    next: u64,
}

impl Cursor {
    /// Makes a cursor whose first range starts at or after `floor`.
    pub fn new(floor: u32) -> Self {
        Self { next: u64::from(floor) }
    }

    /// Allocates `size` bytes at a multiple of [`TENSOR_ALIGN`] and returns their offset; `None` beyond 4 GiB.
    pub fn place(&mut self, size: u64) -> Option<u32> {
        let offset = self.next.checked_next_multiple_of(u64::from(TENSOR_ALIGN))?;
        let end = offset.checked_add(size)?;
        if end > 1 << 32 {
            return None;
        }
        self.next = end;
        u32::try_from(offset).ok()
    }

    /// Returns the end of the last range.
    pub fn end(&self) -> u64 {
        self.next
    }
}

/// The reason why a placement is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LayoutError {
    /// A part lies outside the bounds.
    OutOfBounds {
        /// The part.
        part: Part,
        /// Where it starts.
        offset: u32,
        /// The part's size in bytes.
        size: u32,
        /// The bounds.
        bounds: Bounds,
    },
    /// A part is larger than [`MAX_PART_BYTES`].
    TooLarge {
        /// The part.
        part: Part,
        /// The part's size in bytes.
        size: u32,
    },
    /// A part does not start at a multiple of its alignment.
    Misaligned {
        /// The part.
        part: Part,
        /// Where it starts.
        offset: u32,
        /// The alignment in bytes.
        align: u32,
    },
    /// Two parts share bytes, and one of them may be written.
    Overlap {
        /// One part.
        a: Part,
        /// The other.
        b: Part,
    },
    /// A row of the tensor table has an unknown code, or a size that does not fit its shape.
    Malformed {
        /// The row.
        index: usize,
    },
    /// The descriptor and the tensor table name different ranges.
    DescriptorDisagrees,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Descriptor => f.write_str("the descriptor"),
            Self::Params => f.write_str("the params block"),
            Self::Tensor(index) => write!(f, "tensor {index}"),
        }
    }
}

impl fmt::Display for LayoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfBounds { part, offset, size, bounds: Bounds { floor, memory_size } } => {
                write!(
                    f,
                    "{part} ({size} bytes at {offset}) lies outside the usable memory from {floor} to {memory_size}"
                )
            }
            Self::TooLarge { part, size } => {
                write!(f, "{part} has {size} bytes (limit {MAX_PART_BYTES}); split the call")
            }
            Self::Misaligned { part, offset, align } => write!(f, "{part} at {offset} is not {align}-byte aligned"),
            Self::Overlap { a, b } => write!(f, "{a} and {b} overlap"),
            Self::Malformed { index } => write!(f, "row {index} of the tensor table contradicts itself"),
            Self::DescriptorDisagrees => f.write_str("the descriptor and the tensor table disagree"),
        }
    }
}

impl core::error::Error for LayoutError {}

#[cfg(test)]
mod tests;
