//! Four `f32` lanes in one register.
//!
//! Loops over arrays of fixed size usually become vector code by themselves. Exceptions are sums whose lanes are added
//! up at the end, which LLVM splits up again, and loops with more than a few operations, which it does not unroll.
//! Kernels write those with [`F32x4`]: each operation is one instruction in the sandbox and natively, and gives the
//! same bits as the same operation on each lane.

use core::ops::{Add, Mul, Sub};

use half::f16;

#[cfg_attr(all(target_arch = "wasm32", target_feature = "simd128"), path = "simd/wasm32.rs")]
#[cfg_attr(all(target_arch = "x86_64", target_feature = "sse2"), path = "simd/x86_64.rs")]
#[cfg_attr(
    not(any(
        all(target_arch = "wasm32", target_feature = "simd128"),
        all(target_arch = "x86_64", target_feature = "sse2")
    )),
    path = "simd/portable.rs"
)]
mod register;

use register::Register;

/// The constants of conversions between `f16` and `f32`.
///
/// *Widening.* The upper and the lower sixteen bits of each `f32` are computed separately and then interleaved. The
/// exponent keeps its bias at first; a multiplication changes it, which also converts denormals correctly. Before that,
/// the largest exponent, of ∞ and NaN, is set to that of `f32`.
///
/// *Narrowing.* Adding 2¹³ times a power of two to a value of that exponent rounds it to the eleven bits of an `f16`,
/// which are the low bits of the sum. For values below 2⁻¹⁴, which are denormal as an `f16`, the power is 2⁻¹⁴. Then
/// only the exponent beyond that needs to be added.
#[cfg_attr(
    not(any(
        all(target_arch = "wasm32", target_feature = "simd128"),
        all(target_arch = "x86_64", target_feature = "sse2")
    )),
    expect(dead_code, reason = "only registers are converted this way")
)]
mod half_bits {
    /// All bits of an `f16` except the sign.
    pub(super) const MAGNITUDE: i16 = 0x7fff;
    /// The largest finite `f16`.
    pub(super) const LARGEST: i16 = 0x7bff;
    /// The bits of an `f16`, shifted right by 3 with its sign, that go into the upper half of an `f32`.
    pub(super) const UPPER: i16 = 0x8fff_u16 as i16;
    /// 2¹¹², which moves the exponent's bias from 15 to 127.
    pub(super) const REBIAS: f32 = f32::from_bits((127 + 112) << 23);
    /// The sign of an `f32`.
    pub(super) const SIGN: i32 = i32::MIN;
    /// The exponent of an `f32`.
    pub(super) const EXPONENT: i32 = 0x7f80_0000;
    /// 2¹⁶, whose bits as an `f16` would be those of ∞.
    pub(super) const INFINITE: f32 = 65536.0;
    /// 2⁻¹⁴, the smallest normal `f16`.
    pub(super) const NORMAL: f32 = f32::from_bits((127 - 14) << 23);
    /// Adding this to the bits of a power of two makes it 2¹³ times as large.
    pub(super) const TO_LAST_PLACE: i32 = 13 << 23;
    /// The exponent of the smallest power that is added, shifted to the position of an `f16`'s exponent.
    pub(super) const LEAST: i32 = (127 - 14 + 13) << 10;
    /// The payload of a NaN as an `f16`.
    pub(super) const PAYLOAD: i32 = 0x3ff;
    /// The bit that makes a NaN quiet.
    pub(super) const QUIET: i32 = 0x200;
}

/// Four `f32` lanes.
///
/// # Example: a dot product of eight
/// ```
/// use kernelpack_guest::simd::F32x4;
///
/// let (a, b) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], [1.0; 8]);
/// let mut sums = F32x4::splat(0.0);
/// for (a, b) in a.as_chunks().0.iter().zip(b.as_chunks().0) {
///     sums = sums + F32x4::new(*a) * F32x4::new(*b);
/// }
/// assert_eq!(sums.sum(), 36.0);
/// ```
#[derive(Clone, Copy)]
pub struct F32x4(Register);

impl F32x4 {
    /// Makes a register of these lanes.
    #[inline(always)]
    pub fn new(lanes: [f32; 4]) -> Self {
        Self(register::new(lanes))
    }

    /// Makes a register with the same value in all lanes.
    #[inline(always)]
    pub fn splat(value: f32) -> Self {
        Self(register::splat(value))
    }

    /// Returns the lanes.
    #[inline(always)]
    pub fn lanes(self) -> [f32; 4] {
        register::lanes(self.0)
    }

    /// Returns the sum of the lanes: (0 + 2) + (1 + 3).
    #[inline(always)]
    pub fn sum(self) -> f32 {
        let [a, b, c, d] = self.lanes();
        (a + c) + (b + d)
    }

    /// Widens eight values.
    ///
    /// Half of the work is done on sixteen bits and eight values at a time, which is why this takes eight.
    #[inline(always)]
    pub fn widen(halves: [f16; 8]) -> [Self; 2] {
        register::widen(halves).map(Self)
    }

    /// Rounds to the nearest values, ties to even; ±∞ beyond the range. NaNs keep the upper bits of their payload.
    #[inline(always)]
    pub fn narrow(wide: [Self; 2]) -> [f16; 8] {
        register::narrow(wide.map(|wide| wide.0))
    }

    /// Like [`narrow`](Self::narrow), but narrows twice as many values, and does the work that both halves share only
    /// once.
    #[inline(always)]
    pub fn narrow_pair(wide: [[Self; 2]; 2]) -> [[f16; 8]; 2] {
        register::narrow_pair(wide.map(|wide| wide.map(|wide| wide.0)))
    }

    /// Returns the same lanes, and forces their computation to finish here.
    ///
    /// Cranelift does not move loads, and computes from them as late as it can, at the next store or branch. If more
    /// values are loaded before that than fit into the registers, most of them are spilled to the stack. Calling this
    /// on the partial sum avoids that at the cost of one unused store. Natively this does nothing.
    #[inline(always)]
    #[must_use]
    pub fn settle(self) -> Self {
        if cfg!(target_family = "wasm") {
            // The result of `black_box` is unused, since using it would load the lanes back from memory.
            let _ = core::hint::black_box(self);
        }
        self
    }
}

impl Add for F32x4 {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(register::add(self.0, other.0))
    }
}

impl Sub for F32x4 {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(register::sub(self.0, other.0))
    }
}

impl Mul for F32x4 {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(register::mul(self.0, other.0))
    }
}

impl core::fmt::Debug for F32x4 {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("F32x4").field(&self.lanes()).finish()
    }
}

#[cfg(test)]
mod tests;
