//! The 40-byte descriptor that a call passes to the guest.

use core::mem::offset_of;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The descriptor of a kernel call: ten little-endian `u32`.
///
/// Offsets count from the start of linear memory. An absent tensor has offset 0 and size 0. The descriptor contains the
/// first two inputs, the first output or in-out tensor, and the first scratch tensor. The table in the
/// [params block](crate::params) contains every tensor, including these, and is what the guest reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct KernelDescriptor {
    /// Offset of input tensor A.
    pub input_a_offset: u32,
    /// Size of input tensor A in bytes.
    pub input_a_size: u32,
    /// Offset of input tensor B, 0 if unused.
    pub input_b_offset: u32,
    /// Size of input tensor B in bytes.
    pub input_b_size: u32,
    /// Offset of the output tensor.
    pub output_offset: u32,
    /// Size of the output tensor in bytes.
    pub output_size: u32,
    /// Offset of the scratch space.
    pub scratch_offset: u32,
    /// Size of the scratch space in bytes.
    pub scratch_size: u32,
    /// Offset of the params block.
    pub params_offset: u32,
    /// Size of the params block in bytes.
    pub params_size: u32,
}

impl KernelDescriptor {
    /// The size of a descriptor in bytes.
    pub const SIZE: u32 = 40;

    /// Copies the descriptor from these bytes; `None` if there are not exactly 40.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::read_from_bytes(bytes).ok()
    }

    /// Views these bytes as a descriptor; `None` if there are not exactly 40 or they are not aligned to four bytes.
    #[inline]
    pub fn in_bytes(bytes: &[u8]) -> Option<&Self> {
        Self::ref_from_bytes(bytes).ok()
    }

    /// Returns the descriptor as ten words, in the order of its bytes.
    #[inline]
    pub fn words(&self) -> &[u32; Self::SIZE as usize / 4] {
        zerocopy::transmute_ref!(self)
    }
}

const _: () = {
    assert!(size_of::<KernelDescriptor>() == KernelDescriptor::SIZE as usize);
    assert!(align_of::<KernelDescriptor>() == 4);
    assert!(offset_of!(KernelDescriptor, input_a_offset) == 0);
    assert!(offset_of!(KernelDescriptor, input_a_size) == 4);
    assert!(offset_of!(KernelDescriptor, input_b_offset) == 8);
    assert!(offset_of!(KernelDescriptor, input_b_size) == 12);
    assert!(offset_of!(KernelDescriptor, output_offset) == 16);
    assert!(offset_of!(KernelDescriptor, output_size) == 20);
    assert!(offset_of!(KernelDescriptor, scratch_offset) == 24);
    assert!(offset_of!(KernelDescriptor, scratch_size) == 28);
    assert!(offset_of!(KernelDescriptor, params_offset) == 32);
    assert!(offset_of!(KernelDescriptor, params_size) == 36);
};
