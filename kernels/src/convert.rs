//! Conversion of rows between `f16` and `f32`.

use kernelpack_guest::{Float, f16};

/// Elements per step.
const BLOCK: usize = 32;
/// Elements that are converted together.
const LANES: usize = 8;

/// Widens all values. Both slices have the same length.
#[inline(always)]
pub(crate) fn widen(from: &[f16], to: &mut [f32]) {
    let (from_blocks, from_rest) = from.as_chunks::<BLOCK>();
    let (to_blocks, to_rest) = to.as_chunks_mut::<BLOCK>();
    for (from, to) in from_blocks.iter().zip(to_blocks) {
        for (from, to) in from.as_chunks::<LANES>().0.iter().zip(to.as_chunks_mut::<LANES>().0) {
            *to = f32::narrow8(f16::widen8(from));
        }
    }
    for (from, to) in from_rest.iter().zip(to_rest) {
        *to = from.widen();
    }
}

/// Rounds to the nearest values. Both slices have the same length.
#[inline(always)]
pub(crate) fn narrow(from: &[f32], to: &mut [f16]) {
    let (from_blocks, from_rest) = from.as_chunks::<BLOCK>();
    let (to_blocks, to_rest) = to.as_chunks_mut::<BLOCK>();
    for (from, to) in from_blocks.iter().zip(to_blocks) {
        for (from, to) in from.as_chunks::<LANES>().0.iter().zip(to.as_chunks_mut::<LANES>().0) {
            *to = f16::narrow8(f32::widen8(from));
        }
    }
    for (from, to) in from_rest.iter().zip(to_rest) {
        *to = f16::narrow(*from);
    }
}
