//! Element types that kernels compute with as `f32`.

use half::f16;

use kernelpack_abi::Element;

use crate::simd::F32x4;

/// A floating-point element type: widened to `f32` for the arithmetic, narrowed once at the end.
///
/// Conversions are branch-free, so that loops over them vectorize, and give the same bits in the sandbox and natively.
pub trait Float: Element {
    /// The value zero.
    const ZERO: Self;

    /// Converts the value to `f32`, exactly.
    fn widen(self) -> f32;

    /// Rounds to the nearest value, ties to even; ±∞ beyond the range.
    fn narrow(value: f32) -> Self;

    /// Widens eight values at once, which takes a fraction of the instructions.
    fn widen8(values: &[Self; 8]) -> [F32x4; 2];

    /// Narrows eight values at once.
    fn narrow8(values: [F32x4; 2]) -> [Self; 8];

    /// Narrows sixteen values at once.
    #[inline(always)]
    fn narrow16([first, second]: [[F32x4; 2]; 2]) -> [[Self; 8]; 2] {
        [Self::narrow8(first), Self::narrow8(second)]
    }
}

impl Float for f32 {
    const ZERO: Self = 0.0;

    #[inline(always)]
    fn widen(self) -> f32 {
        self
    }

    #[inline(always)]
    fn narrow(value: f32) -> Self {
        value
    }

    #[inline(always)]
    fn widen8(&[a, b, c, d, e, f, g, h]: &[Self; 8]) -> [F32x4; 2] {
        [F32x4::new([a, b, c, d]), F32x4::new([e, f, g, h])]
    }

    #[inline(always)]
    fn narrow8(values: [F32x4; 2]) -> [Self; 8] {
        let [[a, b, c, d], [e, f, g, h]] = values.map(F32x4::lanes);
        [a, b, c, d, e, f, g, h]
    }
}

impl Float for f16 {
    const ZERO: Self = f16::ZERO;

    /// Follows F. Giesen's `half_to_float_fast5`: changing the exponent's bias by a multiplication also converts
    /// denormals correctly.
    #[inline(always)]
    fn widen(self) -> f32 {
        /// 2¹¹², which moves the exponent's bias from 15 to 127.
        const REBIAS: f32 = f32::from_bits((112 + 127) << 23);
        let bits = u32::from(self.to_bits());
        let magnitude = bits & 0x7fff;
        let value = f32::from_bits(magnitude << 13) * REBIAS;
        // ∞ and NaN have the largest exponent in either format.
        let special = if magnitude >= 0x7c00 { 0x7f80_0000 } else { 0 };
        f32::from_bits(value.to_bits() | special | (bits & 0x8000) << 16)
    }

    /// Follows F. Giesen's `float_to_half_fast3_rtne`, with selections instead of branches.
    #[inline(always)]
    fn narrow(value: f32) -> Self {
        /// 2¹⁶: from here on, every f32 is ∞ as an f16. Smaller ones can still round to ∞.
        const OVERFLOW: u32 = (127 + 16) << 23;
        /// The smallest f32 that is a normal f16.
        const NORMAL: u32 = (127 - 14) << 23;
        /// 1/2, whose last place is 2⁻²⁴, that of a denormal f16.
        const DENORMAL: u32 = 126 << 23;
        let bits = value.to_bits();
        let sign = bits & 0x8000_0000;
        let magnitude = bits ^ sign;

        // Rounds to even by adding half of the last place, less one bit if the place is even; then moves the bias.
        let odd = (magnitude >> 13) & 1;
        let normal = magnitude.wrapping_sub((127 - 15) << 23).wrapping_add(0xfff + odd) >> 13;
        // The addition rounds to the last place of the sum, to even.
        let sum = f32::from_bits(magnitude) + f32::from_bits(DENORMAL);
        let denormal = sum.to_bits().wrapping_sub(DENORMAL);
        // NaNs keep the upper bits of their payload and become quiet.
        let nan = 0x7e00 | (magnitude >> 13) & 0x3ff;
        let special = if magnitude > 0x7f80_0000 { nan } else { 0x7c00 };

        let finite = if magnitude < NORMAL { denormal } else { normal };
        let result = if magnitude >= OVERFLOW { special } else { finite };
        f16::from_bits((result | sign >> 16) as u16)
    }

    #[inline(always)]
    fn widen8(values: &[Self; 8]) -> [F32x4; 2] {
        F32x4::widen(*values)
    }

    #[inline(always)]
    fn narrow8(values: [F32x4; 2]) -> [Self; 8] {
        F32x4::narrow(values)
    }

    #[inline(always)]
    fn narrow16(values: [[F32x4; 2]; 2]) -> [[Self; 8]; 2] {
        F32x4::narrow_pair(values)
    }
}

#[cfg(test)]
mod tests;
