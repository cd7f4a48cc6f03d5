//! GGML's quantized blocks, whose packed layout is part of the ABI.
//!
//! The layouts are those of `block_q8_0` and `block_q4_0` in ggml's `ggml-common.h`, with `QK8_0 = QK4_0 = 32`.

use half::f16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// GGML `block_q8_0`: 32 values in 34 bytes, value `i` = `d` · `qs[i]`.
#[derive(Clone, Copy, Debug, PartialEq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct BlockQ8_0 {
    /// The scale.
    pub d: f16,
    /// The quantized values.
    pub qs: [i8; 32],
}

/// GGML `block_q4_0`: 32 values in 18 bytes; value `i` = `d` · (nibble − 8), where the low nibble of `qs[i]` is value
/// `i` and the high nibble is value `i + 16`.
#[derive(Clone, Copy, Debug, PartialEq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct BlockQ4_0 {
    /// The scale.
    pub d: f16,
    /// The quantized values, two to a byte.
    pub qs: [u8; 16],
}

const _: () = {
    assert!(size_of::<BlockQ8_0>() == 34 && align_of::<BlockQ8_0>() == 2);
    assert!(size_of::<BlockQ4_0>() == 18 && align_of::<BlockQ4_0>() == 2);
};
