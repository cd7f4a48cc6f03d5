//! What `kernel_info` writes.

use core::mem::offset_of;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Kernel metadata, written by the guest's `kernel_info(info_ptr)`: eight little-endian `u32`.
///
/// A guest can write anything here, so a host compares it with the signed manifest and never acts on it alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct KernelInfo {
    /// The [`ABI_VERSION`](crate::ABI_VERSION) the guest was built for.
    pub abi_version: u32,
    /// Rows of the tensor table of a forward call.
    pub tensor_count: u32,
    /// Scalar parameters of a forward call.
    pub param_count: u32,
    /// A union of the `HAS_*` bits.
    pub flags: u32,
    /// Offset of the kernel's id, UTF-8.
    pub id_offset: u32,
    /// Bytes of the kernel's id.
    pub id_size: u32,
    /// Offset of the message buffer.
    pub message_offset: u32,
    /// Bytes of text that the message buffer holds.
    pub message_capacity: u32,
}

impl KernelInfo {
    /// Bytes of the structure.
    pub const SIZE: u32 = 32;
    /// The kernel exports `kernel_init`.
    pub const HAS_INIT: u32 = 1;
    /// The kernel exports `kernel_backward`.
    pub const HAS_BACKWARD: u32 = 2;
    /// The kernel exports `kernel_cleanup`.
    pub const HAS_CLEANUP: u32 = 4;
    /// The kernel exports `kernel_forward_batch`.
    pub const HAS_FORWARD_BATCH: u32 = 8;

    /// The structure in these bytes; `None` if they are not 32.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::read_from_bytes(bytes).ok()
    }
}

const _: () = {
    assert!(size_of::<KernelInfo>() == KernelInfo::SIZE as usize);
    assert!(offset_of!(KernelInfo, flags) == 12);
    assert!(offset_of!(KernelInfo, message_capacity) == 28);
};
