//! Four `f32` lanes in one register.
//!
//! Loops over arrays of fixed size become vector code by themselves as a rule. What LLVM takes apart again are sums whose
//! lanes are added up at the end, and loops with more than a handful of operations, which it does not unroll. Kernels
//! write those with [`F32x4`]: each operation is one instruction in the sandbox and natively, and gives the same bits as
//! the same operation on each lane.

use core::ops::{Add, Mul};

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod register {
    pub(super) use core::arch::wasm32::v128 as Register;
    use core::arch::wasm32::{f32x4_add, f32x4_mul, f32x4_splat};

    #[inline(always)]
    pub(super) fn splat(value: f32) -> Register {
        f32x4_splat(value)
    }

    #[inline(always)]
    pub(super) fn add(a: Register, b: Register) -> Register {
        f32x4_add(a, b)
    }

    #[inline(always)]
    pub(super) fn mul(a: Register, b: Register) -> Register {
        f32x4_mul(a, b)
    }
}

#[cfg(all(target_arch = "x86_64", target_feature = "sse"))]
mod register {
    pub(super) use core::arch::x86_64::__m128 as Register;
    use core::arch::x86_64::{_mm_add_ps, _mm_mul_ps, _mm_set1_ps};

    #[inline(always)]
    pub(super) fn splat(value: f32) -> Register {
        // SAFETY: it needs SSE, which this module is compiled with.
        unsafe { _mm_set1_ps(value) }
    }

    #[inline(always)]
    pub(super) fn add(a: Register, b: Register) -> Register {
        // SAFETY: it needs SSE, which this module is compiled with.
        unsafe { _mm_add_ps(a, b) }
    }

    #[inline(always)]
    pub(super) fn mul(a: Register, b: Register) -> Register {
        // SAFETY: it needs SSE, which this module is compiled with.
        unsafe { _mm_mul_ps(a, b) }
    }
}

#[cfg(not(any(
    all(target_arch = "wasm32", target_feature = "simd128"),
    all(target_arch = "x86_64", target_feature = "sse")
)))]
mod register {
    pub(super) type Register = [f32; 4];

    #[inline(always)]
    pub(super) fn splat(value: f32) -> Register {
        [value; 4]
    }

    #[inline(always)]
    pub(super) fn add(a: Register, b: Register) -> Register {
        core::array::from_fn(|i| a[i] + b[i])
    }

    #[inline(always)]
    pub(super) fn mul(a: Register, b: Register) -> Register {
        core::array::from_fn(|i| a[i] * b[i])
    }
}

use register::Register;

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
    /// These lanes.
    #[inline(always)]
    pub fn new(lanes: [f32; 4]) -> Self {
        // SAFETY: both are sixteen bytes without padding, and all bytes are valid in either.
        Self(unsafe { core::mem::transmute::<[f32; 4], Register>(lanes) })
    }

    /// The same value in all lanes.
    #[inline(always)]
    pub fn splat(value: f32) -> Self {
        Self(register::splat(value))
    }

    /// The lanes.
    #[inline(always)]
    pub fn lanes(self) -> [f32; 4] {
        // SAFETY: both are sixteen bytes without padding, and all bytes are valid in either.
        unsafe { core::mem::transmute::<Register, [f32; 4]>(self.0) }
    }

    /// The sum of the lanes: (0 + 2) + (1 + 3).
    #[inline(always)]
    pub fn sum(self) -> f32 {
        let [a, b, c, d] = self.lanes();
        (a + c) + (b + d)
    }

    /// The same lanes, computed by here.
    ///
    /// Cranelift keeps loads where they stand and computes from them as late as it can, at the next store or branch.
    /// Where more is loaded before that than there are registers, most of it goes through the stack; settling the sum
    /// so far avoids it. Natively this does nothing.
    #[inline(always)]
    #[must_use]
    pub fn settle(self) -> Self {
        if cfg!(target_family = "wasm") { core::hint::black_box(self) } else { self }
    }
}

impl Add for F32x4 {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(register::add(self.0, other.0))
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
mod tests {
    use super::*;

    #[test]
    fn each_lane_is_on_its_own() {
        let values = [1.5, -0.0, f32::MAX, 1e-45, f32::INFINITY, 3.25, -7.0, 0.1];
        for a in values {
            for b in values {
                let (x, y) = ([a, b, 1.0, -2.0], [b, a, b, a]);
                let bits = |lanes: [f32; 4]| lanes.map(|lane| if lane.is_nan() { 0 } else { lane.to_bits() });
                let each = |f: fn(f32, f32) -> f32| bits(core::array::from_fn(|i| f(x[i], y[i])));
                assert_eq!(bits((F32x4::new(x) + F32x4::new(y)).lanes()), each(|x, y| x + y));
                assert_eq!(bits((F32x4::new(x) * F32x4::new(y)).lanes()), each(|x, y| x * y));
            }
            assert_eq!(F32x4::splat(a).settle().lanes(), [a; 4]);
        }
    }

    #[test]
    fn lanes_are_added_in_pairs() {
        // In any other order the small ones would be lost, or not.
        assert_eq!(F32x4::new([1e8, 1.0, -1e8, 2.0]).sum(), 3.0);
    }
}
