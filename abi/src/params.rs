//! The params block: a versioned header, the tensor table and the scalars.
//!
//! ```text
//! offset            size  what
//! 0                 4     version of the block, 1
//! 4                 4     n, the rows of the tensor table
//! 8                 4     offset of the scalars from the start of the block, 16 + 48 n
//! 12                4     bytes of the scalars
//! 16                48 n  the tensor table, a `TensorEntry` for every tensor in declaration order
//! 16 + 48 n               the scalars in declaration order, each at a multiple of its size
//! ```
//!
//! The block starts at a multiple of 16 bytes. Everything in it is little-endian.

use core::mem::offset_of;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub use crate::role::Role;
use crate::{DType, MAX_RANK, MAX_TENSORS, ParamSpec, ParamValue, Shape};

/// The version of the block.
pub const VERSION: u32 = 1;

/// The first 16 bytes of the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ParamsHeader {
    /// [`VERSION`].
    pub version: u32,
    /// The number of rows in the tensor table.
    pub tensor_count: u32,
    /// Offset of the scalars from the start of the block.
    pub scalars_offset: u32,
    /// Size of the scalars in bytes.
    pub scalars_size: u32,
}

/// A row of the tensor table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct TensorEntry {
    /// Offset in linear memory; 0 for an absent tensor.
    pub offset: u32,
    /// Size in bytes.
    pub size: u32,
    /// Code of the [`DType`].
    pub dtype: u8,
    /// Code of the [`Role`].
    pub role: u8,
    /// Number of axes.
    pub rank: u8,
    /// Zero.
    pub reserved: u8,
    /// Extents, outermost first, followed by zeros.
    pub dims: [u32; MAX_RANK],
    /// Zero.
    pub reserved_end: u32,
}

/// Size of the header in bytes.
pub const HEADER_SIZE: u32 = 16;
/// Size of a row of the tensor table in bytes.
pub const ENTRY_SIZE: u32 = 48;

const _: () = {
    assert!(size_of::<ParamsHeader>() == HEADER_SIZE as usize);
    assert!(size_of::<TensorEntry>() == ENTRY_SIZE as usize);
    assert!(offset_of!(TensorEntry, offset) == 0);
    assert!(offset_of!(TensorEntry, size) == 4);
    assert!(offset_of!(TensorEntry, dtype) == 8);
    assert!(offset_of!(TensorEntry, role) == 9);
    assert!(offset_of!(TensorEntry, rank) == 10);
    assert!(offset_of!(TensorEntry, dims) == 12);
};

impl TensorEntry {
    /// Makes the row of a tensor at `offset`; `None` if its size does not fit 32 bits.
    pub fn new(offset: u32, dtype: DType, role: Role, shape: Shape) -> Option<Self> {
        Some(Self {
            offset,
            size: u32::try_from(shape.bytes(dtype)).ok()?,
            dtype: dtype.code(),
            role: role as u8,
            rank: shape.rank() as u8,
            reserved: 0,
            dims: shape.padded(),
            reserved_end: 0,
        })
    }

    /// Makes the row of a tensor that the call omits.
    pub fn absent(dtype: DType, role: Role) -> Self {
        Self { dtype: dtype.code(), role: role as u8, ..Self::default() }
    }

    /// Returns whether the call omits the tensor.
    #[inline]
    pub fn is_absent(&self) -> bool {
        self.offset == 0
    }

    /// Returns whether the row has these extents.
    #[inline]
    pub fn has_shape(&self, shape: &Shape) -> bool {
        usize::from(self.rank) == shape.rank() && self.dims == shape.padded()
    }

    /// Returns the row as twelve words, in the order of its bytes.
    #[inline]
    pub fn words(&self) -> &[u32; ENTRY_SIZE as usize / 4] {
        zerocopy::transmute_ref!(self)
    }

    /// Returns the tensor's shape; `None` if the extents do not make one.
    #[inline]
    pub fn shape(&self) -> Option<Shape> {
        Shape::from_table(self.dims.get(..usize::from(self.rank))?)
    }
}

/// Returns the size in bytes of a block with this many tensors and bytes of scalars.
pub const fn block_size(tensors: usize, scalars: u32) -> u32 {
    HEADER_SIZE + ENTRY_SIZE * tensors as u32 + scalars
}

/// A block that was read in place.
#[derive(Clone, Copy, Debug)]
pub struct Params<'a> {
    /// The tensor table.
    pub entries: &'a [TensorEntry],
    /// The scalars.
    pub scalars: &'a [u8],
}

impl<'a> Params<'a> {
    /// Reads a block in place.
    ///
    /// This checks only the block's own structure; [`layout::check`](crate::layout::check) checks where its tensors
    /// are.
    ///
    /// # Errors
    /// The bytes are not a block of this version, or not aligned to four bytes.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParamsError> {
        let (header, rest) = ParamsHeader::ref_from_prefix(bytes).map_err(|_| ParamsError::Truncated)?;
        if header.version != VERSION {
            return Err(ParamsError::Version { found: header.version });
        }
        if header.tensor_count > MAX_TENSORS as u32 {
            return Err(ParamsError::TooManyTensors { found: header.tensor_count });
        }
        let count = header.tensor_count as usize;
        let (entries, rest) =
            <[TensorEntry]>::ref_from_prefix_with_elems(rest, count).map_err(|_| ParamsError::Truncated)?;
        if header.scalars_offset != block_size(count, 0) {
            return Err(ParamsError::ScalarsOffset { found: header.scalars_offset });
        }
        let scalars = rest.get(..header.scalars_size as usize).ok_or(ParamsError::Truncated)?;
        Ok(Self { entries, scalars })
    }
}

/// Writes a block. If `out` is not `block_size(entries.len(), scalars.len())` long, returns `false` and writes nothing.
pub fn write(out: &mut [u8], entries: &[TensorEntry], scalars: &[u8]) -> bool {
    let scalars_offset = block_size(entries.len(), 0);
    if entries.len() > MAX_TENSORS || out.len() != scalars_offset as usize + scalars.len() {
        return false;
    }
    let header = ParamsHeader {
        version: VERSION,
        tensor_count: entries.len() as u32,
        scalars_offset,
        scalars_size: scalars.len() as u32,
    };
    let (head, rest) = out.split_at_mut(HEADER_SIZE as usize);
    let (table, tail) = rest.split_at_mut(size_of_val(entries));
    head.copy_from_slice(header.as_bytes());
    table.copy_from_slice(entries.as_bytes());
    tail.copy_from_slice(scalars);
    true
}

/// Returns the offset of scalar `index` from the start of the scalars.
pub const fn scalar_offset(params: &[ParamSpec<'_>], index: usize) -> u32 {
    let mut offset = 0u32;
    let mut at = 0;
    loop {
        let size = params[at].ty.size();
        offset = offset.next_multiple_of(size);
        if at == index {
            return offset;
        }
        offset += size;
        at += 1;
    }
}

/// Returns the size of all scalars in bytes.
pub const fn scalars_size(params: &[ParamSpec<'_>]) -> u32 {
    match params.len() {
        0 => 0,
        len => scalar_offset(params, len - 1) + params[len - 1].ty.size(),
    }
}

/// Writes scalar `index` of `params` into the scalars of a block; `false` if its type or the size of `scalars` is
/// wrong.
pub fn write_scalar(scalars: &mut [u8], params: &[ParamSpec<'_>], index: usize, value: ParamValue) -> bool {
    if params.get(index).is_none_or(|param| param.ty != value.ty()) {
        return false;
    }
    let at = scalar_offset(params, index) as usize;
    let size = value.ty().size() as usize;
    match scalars.get_mut(at..at + size) {
        Some(to) => to.copy_from_slice(&value.to_bits().to_le_bytes()[..size]),
        None => return false,
    }
    true
}

/// Reads scalar `index` of `params` from the scalars of a block.
pub fn read_scalar(scalars: &[u8], params: &[ParamSpec<'_>], index: usize) -> Option<ParamValue> {
    let ty = params.get(index)?.ty;
    let at = scalar_offset(params, index) as usize;
    let from = scalars.get(at..at + ty.size() as usize)?;
    let mut bits = [0; 4];
    bits[..from.len()].copy_from_slice(from);
    ParamValue::from_bits(ty, u32::from_le_bytes(bits))
}

/// The reason why bytes are not a valid params block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParamsError {
    /// The bytes end before the block does, or do not start at a multiple of four.
    Truncated,
    /// The block has an unsupported version.
    Version {
        /// The version found.
        found: u32,
    },
    /// The table has more than [`MAX_TENSORS`] rows.
    TooManyTensors {
        /// The rows announced.
        found: u32,
    },
    /// The scalars do not follow the table.
    ScalarsOffset {
        /// The offset announced.
        found: u32,
    },
}

impl core::fmt::Display for ParamsError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Truncated => f.write_str("the params block is truncated or misaligned"),
            Self::Version { found } => write!(f, "the params block has version {found}, not {VERSION}"),
            Self::TooManyTensors { found } => {
                write!(f, "the params block announces {found} tensors (limit {MAX_TENSORS})")
            }
            Self::ScalarsOffset { found } => {
                write!(f, "the params block's scalars start at {found}, not after its tensor table")
            }
        }
    }
}

impl core::error::Error for ParamsError {}
