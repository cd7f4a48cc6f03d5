//! The linear memory that contains a call.

use kernelpack_abi::{
    KernelDescriptor, TENSOR_ALIGN,
    layout::{self, Bounds},
};

/// The linear memory that offsets refer to.
///
/// Inside the sandbox it starts at address 0; tests may place it anywhere.
#[derive(Clone, Copy, Debug)]
pub struct LinearMemory {
    /// The address of offset 0.
    pub base: usize,
    /// The part that calls may use.
    pub bounds: Bounds,
}

impl LinearMemory {
    /// Returns the bytes of a range; `None` if the range is not inside the bounds or does not start at a multiple of
    /// `align`.
    ///
    /// # Safety
    /// The memory is readable within its bounds, its offset 0 is aligned to 16 bytes, and nothing writes to the range
    /// for `'a`.
    #[inline(always)]
    pub(super) unsafe fn bytes<'a>(self, offset: u32, size: u32, align: u32) -> Option<&'a [u8]> {
        let end = u64::from(offset) + u64::from(size);
        let inside = offset >= self.bounds.floor && end <= self.bounds.memory_size && size <= layout::MAX_PART_BYTES;
        // Offset 0 is not a valid address inside the sandbox, whatever the floor.
        if !inside || offset == 0 || !offset.is_multiple_of(align) {
            return None;
        }
        // SAFETY: the range was just checked to be inside the bounds, for which the caller gives the guarantee, not to
        // start at a null pointer, and to be no longer than a slice may be. Any byte is a `u8`.
        Some(unsafe { core::slice::from_raw_parts(self.at(offset).cast_const(), size as usize) })
    }

    /// Returns whether an array of descriptors is inside the bounds and starts at a multiple of [`TENSOR_ALIGN`].
    #[cfg_attr(not(target_family = "wasm"), allow(dead_code, reason = "batches are run in the sandbox only"))]
    pub(crate) fn holds(self, descriptors: u32, count: u32) -> bool {
        let size = u64::from(count) * u64::from(KernelDescriptor::SIZE);
        descriptors != 0
            && descriptors >= self.bounds.floor
            && descriptors.is_multiple_of(TENSOR_ALIGN)
            && size <= u64::from(layout::MAX_PART_BYTES)
            && u64::from(descriptors) + size <= self.bounds.memory_size
    }

    #[inline(always)]
    pub(super) fn at(self, offset: u32) -> *mut u8 {
        core::ptr::with_exposed_provenance_mut(self.base + offset as usize)
    }
}
