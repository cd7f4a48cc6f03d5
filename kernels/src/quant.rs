//! GGML's block formats: 32 values with one f16 scale, bit for bit as ggml's reference quantizer makes them.
//!
//! Source: `quantize_row_q8_0_ref`, `quantize_row_q4_0_ref` and their inverses in `ggml-quants.c` of ggml.

use core::hint::black_box;

use kernelpack_guest::{BlockQ4_0, BlockQ8_0, Float, f16};

/// Values per block.
pub(crate) const BLOCK: usize = 32;

/// Lanes of a register. Reductions combine whole registers and pass the lanes through `black_box` before the last,
/// horizontal steps; if the optimizer saw those steps, it would turn the whole reduction into scalar code.
const LANES: usize = 4;

/// Adding this leaves a value of less than 2²², rounded to an integer with ties to even, in the low bits.
const ROUND: f32 = 12_582_912.0;

/// Quantizes to 8 bits: d = max |x| / 127, q = x / d rounded, ties away from zero.
#[inline(always)]
pub(crate) fn quantize_q8(x: &[f32; BLOCK]) -> BlockQ8_0 {
    let d = largest(x) / 127.0;
    let id = if d != 0.0 { 1.0 / d } else { 0.0 };
    let mut qs = [0; BLOCK];
    for (q, x) in qs.iter_mut().zip(x) {
        *q = round_away(x * id) as i8;
    }
    BlockQ8_0 { d: f16::narrow(d), qs }
}

/// Computes the values of an 8-bit block: d · q.
#[inline(always)]
pub(crate) fn dequantize_q8(block: &BlockQ8_0, x: &mut [f32; BLOCK]) {
    scale(&block.qs, block.d.widen(), x);
}

#[inline(always)]
fn scale(qs: &[i8; BLOCK], d: f32, x: &mut [f32; BLOCK]) {
    for (x, q) in x.iter_mut().zip(qs) {
        *x = f32::from(*q) * d;
    }
}

/// Quantizes to 4 bits: d = m / −8, where m is the element of largest magnitude (the first, if several tie);
/// q = min(15, ⌊x / d + 8.5⌋).
#[inline(always)]
pub(crate) fn quantize_q4(x: &[f32; BLOCK]) -> BlockQ4_0 {
    let magnitude = largest(x);
    // Finds the first element of that magnitude without a branch; NaNs are skipped.
    let mut lanes = [BLOCK as i32; LANES];
    for (group, x) in x.as_chunks::<LANES>().0.iter().enumerate() {
        for (i, (lane, x)) in lanes.iter_mut().zip(x).enumerate() {
            let here = if x.abs() == magnitude { (group * LANES + i) as i32 } else { BLOCK as i32 };
            *lane = if here < *lane { here } else { *lane };
        }
    }
    let first = black_box(lanes).into_iter().fold(BLOCK as i32, |a, b| if b < a { b } else { a });
    // This is as in ggml, which starts from +0 and, in a block of zeros, never replaces it.
    let extreme = if magnitude > 0.0 { x[first as usize % BLOCK] } else { 0.0 };
    let d = extreme / -8.0;
    let id = if d != 0.0 { 1.0 / d } else { 0.0 };
    let mut qs = [0; BLOCK / 2];
    let (low, high) = x.split_at(BLOCK / 2);
    for ((q, low), high) in qs.iter_mut().zip(low).zip(high) {
        *q = nibble(low * id) | nibble(high * id) << 4;
    }
    BlockQ4_0 { d: f16::narrow(d), qs }
}

/// Computes the values of a 4-bit block: d · (q − 8).
#[inline(always)]
pub(crate) fn dequantize_q4(block: &BlockQ4_0, x: &mut [f32; BLOCK]) {
    let mut qs = [0; BLOCK];
    let (low, high) = qs.split_at_mut(BLOCK / 2);
    for ((low, high), q) in low.iter_mut().zip(high).zip(&block.qs) {
        *low = (q & 0xf) as i8 - 8;
        *high = (q >> 4) as i8 - 8;
    }
    // Once the nibbles are bytes, the rest is the same as with 8 bits. The scale is hidden from the optimizer, which
    // would otherwise process four blocks side by side and gather their nibbles one by one.
    scale(&qs, black_box(block.d.widen()), x);
}

/// Returns the largest magnitude; NaNs are skipped, as with C's comparison.
#[inline(always)]
fn largest(x: &[f32; BLOCK]) -> f32 {
    let mut lanes = [0.0f32; LANES];
    for x in x.as_chunks::<LANES>().0 {
        for (lane, x) in lanes.iter_mut().zip(x) {
            *lane = if x.abs() > *lane { x.abs() } else { *lane };
        }
    }
    let pairs = |a: f32, b: f32| if b > a { b } else { a };
    let [a, b, c, d] = black_box(lanes);
    pairs(pairs(a, b), pairs(c, d))
}

/// Returns the nearest integer, ties away from zero, for |x| < 2²²; 0 for NaN.
#[inline(always)]
fn round_away(x: f32) -> i32 {
    let x = if x.is_nan() { 0.0 } else { x };
    let shifted = x + ROUND;
    let even = shifted - ROUND;
    // A tie that was rounded to the even neighbour nearer to zero must go the other way.
    let up = i32::from((x - even == 0.5) & (x > 0.0));
    let down = i32::from((x - even == -0.5) & (x < 0.0));
    integer(shifted) + up - down
}

/// Computes min(15, ⌊x + 8.5⌋) for -8 ≤ x ≤ 8; 0 for NaN.
#[inline(always)]
fn nibble(x: f32) -> u8 {
    let x = x + 8.5;
    let x = if x.is_nan() { 0.0 } else { x };
    let shifted = x + ROUND;
    let floor = integer(shifted) - i32::from(shifted - ROUND > x);
    (if floor > 15 { 15 } else { floor }) as u8
}

/// Extracts the integer that the addition of [`ROUND`] left in the low bits.
#[inline(always)]
fn integer(shifted: f32) -> i32 {
    (shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32)
}

#[cfg(test)]
mod tests;
