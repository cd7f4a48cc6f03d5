//! The metadata that `kernel_info` writes.

use core::mem::offset_of;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Metadata that the guest's `kernel_info(info_ptr)` writes: eight little-endian `u32`.
///
/// A guest can write anything here, so a host compares it with the signed manifest and never relies on it alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct KernelInfo {
    /// The [`ABI_VERSION`](crate::ABI_VERSION) that the guest was built for.
    pub abi_version: u32,
    /// The number of rows in the tensor table of a forward call.
    pub tensor_count: u32,
    /// The number of scalar parameters of a forward call.
    pub param_count: u32,
    /// A union of the `HAS_*` bits.
    pub flags: u32,
    /// Offset of the kernel's id, in UTF-8.
    pub id_offset: u32,
    /// Size of the kernel's id in bytes.
    pub id_size: u32,
    /// Offset of the message buffer.
    pub message_offset: u32,
    /// Bytes of text that the message buffer can hold.
    pub message_capacity: u32,
}

impl KernelInfo {
    /// The size of the structure in bytes.
    pub const SIZE: u32 = 32;
    /// Flag: the kernel exports `kernel_init`.
    pub const HAS_INIT: u32 = 1;
    /// Flag: the kernel exports `kernel_backward`.
    pub const HAS_BACKWARD: u32 = 2;
    /// Flag: the kernel exports `kernel_cleanup`.
    pub const HAS_CLEANUP: u32 = 4;
    /// Flag: the kernel exports `kernel_forward_batch`.
    pub const HAS_FORWARD_BATCH: u32 = 8;

    /// Copies the structure from these bytes; `None` if there are not exactly 32.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::read_from_bytes(bytes).ok()
    }
}

const _: () = {
    assert!(size_of::<KernelInfo>() == KernelInfo::SIZE as usize);
    assert!(offset_of!(KernelInfo, flags) == 12);
    assert!(offset_of!(KernelInfo, message_capacity) == 28);
};
