//! Elementary functions that vectorize and give the same bits in the sandbox and natively.
//!
//! They use only additions, multiplications, comparisons and integer operations, so that LLVM can put several lanes
//! into one register and the result does not depend on a platform's libm.

/// Returns e to the power of `x`, for `x` ≤ 0; NaN for NaN.
///
/// The error is below 1.5 ulp where the result is normal; below that, results are denormal and then 0. Cody and Waite's
/// range reduction with the polynomial of Cephes' `expf` (S. Moshier).
#[inline(always)]
pub fn exp_nonpositive(x: f32) -> f32 {
    let (scaled, rest) = exp_parts(bounded(x));
    scaled * rest
}

/// Returns the larger of `x` and -120, below which e to the power of `x` is 0, even if multiplied by `x`; NaN for NaN.
#[inline(always)]
fn bounded(x: f32) -> f32 {
    if x < -120.0 { -120.0 } else { x }
}

/// Returns e to the power of `x` as a normal number and a power of two, whose product may be denormal, for -120 ≤ `x` ≤
/// 0.
#[inline(always)]
fn exp_parts(x: f32) -> (f32, f32) {
    /// Adding this leaves a value of less than 2²², rounded to an integer, in the low bits.
    const ROUND: f32 = 12_582_912.0;
    // ln 2 in two parts; the first has so few bits that `n * LN2_HIGH` is exact.
    #[expect(clippy::excessive_precision, reason = "the digits are those of the exact value")]
    const LN2_HIGH: f32 = 0.693_359_375;
    const LN2_LOW: f32 = -2.121_944_4e-4;

    let shifted = x * core::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * LN2_HIGH - n * LN2_LOW;

    let mut p = 1.987_569_1e-4;
    p = p * r + 1.398_199_9e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 5.000_000_3e-1;
    let p = p * r * r + r + 1.0;

    // 2ⁿ in two factors, since n may be below the smallest exponent of a normal number.
    let n = (shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
    let half = n >> 1;
    (p * power_of_two(half), power_of_two(n.wrapping_sub(half)))
}

/// Returns 2ⁿ for -126 ≤ n ≤ 127.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

/// Computes the sigmoid-weighted linear unit, `x · σ(x)` (Elfwing, Uchibe and Doya, 2018), also called swish.
///
/// The result is -0 for -∞, ∞ for ∞ and NaN for NaN; no intermediate overflows.
#[inline(always)]
pub fn silu(x: f32) -> f32 {
    // Computes -|x| in two operations; for WebAssembly's absolute value and negation, Cranelift generates six
    // instructions.
    let opposite = 0.0 - x;
    let negative = if x < opposite { x } else { opposite };
    // -∞ · 0 would be NaN. Below -120 the product is -0, whatever the factor.
    let negative = bounded(negative);
    let (scaled, rest) = exp_parts(negative);
    // This does not compute x · σ(x): if σ(x) is denormal, multiplying it by x would magnify its rounding error.
    let numerator = if x < 0.0 { negative * scaled * rest } else { x };
    numerator / (1.0 + scaled * rest)
}

/// Computes the logistic function, 1 / (1 + e⁻ˣ); no intermediate overflows.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    let t = exp_nonpositive(-x.abs());
    let numerator = if x < 0.0 { t } else { 1.0 };
    numerator / (1.0 + t)
}

/// Returns the sines and the cosines of angles in radians; NaN for angles that are not finite.
///
/// They are computed in f64 and rounded once, with an error below 0.51 ulp, by Cody and Waite's range reduction and the
/// polynomials of FreeBSD's `k_sinf` and `k_cosf` (S. Moshier, B. Evans). libm computes angles that are too large for
/// this method.
#[inline(always)]
pub fn sin_cos<const N: usize>(angles: [f32; N]) -> ([f32; N], [f32; N]) {
    /// 2²⁷ · π: below it, a multiple of the first part of π/2 is exact.
    const LIMIT: f32 = 4.2e8;
    let (mut sines, mut cosines) = ([0.0; N], [0.0; N]);
    // Folds without an early exit, so that the comparisons vectorize; they are false for NaN.
    if angles.iter().fold(true, |all, angle| all & (angle.abs() < LIMIT)) {
        for i in 0..N {
            (sines[i], cosines[i]) = bounded_sin_cos(angles[i]);
        }
    } else {
        for i in 0..N {
            (sines[i], cosines[i]) = libm::sincosf(angles[i]);
        }
    }
    (sines, cosines)
}

#[inline(always)]
fn bounded_sin_cos(angle: f32) -> (f32, f32) {
    /// Adding this leaves a value of less than 2⁵¹, rounded to an integer, in the low bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    // π/2 in two parts; the first has so few bits that its product with the quadrant is exact.
    const HALF_PI_HIGH: f64 = 1.570_796_310_901_641_8;
    const HALF_PI_LOW: f64 = 1.589_325_477_352_819_7e-8;

    let x = f64::from(angle);
    let shifted = x * core::f64::consts::FRAC_2_PI + ROUND;
    let n = shifted - ROUND;
    let r = x - n * HALF_PI_HIGH - n * HALF_PI_LOW;

    let z = r * r;
    let w = z * z;
    let s = z * r;
    let sin = (r + s * (-1.666_666_664_163_24e-1 + z * 8.333_329_385_889_463e-3))
        + s * w * (-1.983_932_958_946_8e-4 + z * 2.718_311_493_989_822e-6);
    let cos = ((1.0 + z * -4.999_999_972_510_31e-1) + w * 4.166_662_332_373_906e-2)
        + (w * z) * (-1.388_676_377_460_993e-3 + z * 2.439_044_879_627_741_5e-5);
    let (sin, cos) = ((sin as f32).to_bits(), (cos as f32).to_bits());

    // Depending on the quadrant, the two are swapped and signs change.
    let quadrant = shifted.to_bits() as u32;
    let (sin, cos) = if quadrant & 1 == 0 { (sin, cos) } else { (cos, sin) };
    (f32::from_bits(sin ^ (quadrant & 2) << 30), f32::from_bits(cos ^ (quadrant.wrapping_add(1) & 2) << 30))
}

/// Returns the square root, rounded correctly.
///
/// In WebAssembly it is one instruction, but `core` has no square root on stable Rust, and libm computes it bit by bit.
#[inline(always)]
pub fn sqrt(x: f64) -> f64 {
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    {
        use core::arch::wasm32::{f64x2_extract_lane, f64x2_splat, f64x2_sqrt};
        f64x2_extract_lane::<0>(f64x2_sqrt(f64x2_splat(x)))
    }
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    {
        libm::sqrt(x)
    }
}

#[cfg(test)]
mod tests;
