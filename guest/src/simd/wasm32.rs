//! WebAssembly's vector registers.

use core::{
    arch::wasm32::{
        f32x4_add, f32x4_mul, f32x4_ne, f32x4_pmax, f32x4_pmin, f32x4_splat, f32x4_sub, i16x8_gt, i16x8_narrow_i32x4,
        i16x8_shl, i16x8_shr, i16x8_shuffle, i16x8_splat, i32x4_add, i32x4_shr, i32x4_splat, i32x4_sub, u32x4_shr,
        v128, v128_and, v128_any_true, v128_bitselect, v128_or,
    },
    mem::transmute,
};

use half::f16;

use super::half_bits as bits;

pub(super) type Register = v128;

#[inline(always)]
pub(super) fn new(lanes: [f32; 4]) -> Register {
    // SAFETY: both are sixteen bytes without padding, and all bytes are valid in either.
    unsafe { transmute::<[f32; 4], Register>(lanes) }
}

#[inline(always)]
pub(super) fn lanes(register: Register) -> [f32; 4] {
    // SAFETY: both are sixteen bytes without padding, and all bytes are valid in either.
    unsafe { transmute::<Register, [f32; 4]>(register) }
}

#[inline(always)]
pub(super) fn splat(value: f32) -> Register {
    f32x4_splat(value)
}

#[inline(always)]
pub(super) fn add(a: Register, b: Register) -> Register {
    f32x4_add(a, b)
}

#[inline(always)]
pub(super) fn sub(a: Register, b: Register) -> Register {
    f32x4_sub(a, b)
}

#[inline(always)]
pub(super) fn mul(a: Register, b: Register) -> Register {
    f32x4_mul(a, b)
}

#[inline(always)]
pub(super) fn widen(halves: [f16; 8]) -> [Register; 2] {
    // SAFETY: both are sixteen bytes without padding, and all bytes are valid in either.
    let halves = unsafe { transmute::<[f16; 8], v128>(halves) };
    let magnitude = v128_and(halves, i16x8_splat(bits::MAGNITUDE));
    let special = i16x8_gt(magnitude, i16x8_splat(bits::LARGEST));
    let upper = v128_bitselect(i16x8_shr(halves, 3), special, i16x8_splat(bits::UPPER));
    let lower = i16x8_shl(halves, 13);
    let scale = f32x4_splat(bits::REBIAS);
    [
        f32x4_mul(i16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(lower, upper), scale),
        f32x4_mul(i16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(lower, upper), scale),
    ]
}

#[inline(always)]
pub(super) fn narrow(registers: [Register; 2]) -> [f16; 8] {
    let [mut low, mut high] = registers.map(narrow_number);
    let nan = registers.map(is_nan);
    if v128_any_true(v128_or(nan[0], nan[1])) {
        low = v128_or(low, v128_and(nan[0], payload(registers[0])));
        high = v128_or(high, v128_and(nan[1], payload(registers[1])));
    }
    packed([low, high])
}

/// Like [`narrow`], but for two pairs of registers, and checks for NaNs only once.
#[inline(always)]
pub(super) fn narrow_pair(registers: [[Register; 2]; 2]) -> [[f16; 8]; 2] {
    let [[a, b], [c, d]] = registers;
    let mut halves = [a, b, c, d].map(narrow_number);
    let nan = [a, b, c, d].map(is_nan);
    if v128_any_true(v128_or(v128_or(nan[0], nan[1]), v128_or(nan[2], nan[3]))) {
        for (half, (register, nan)) in halves.iter_mut().zip([a, b, c, d].into_iter().zip(nan)) {
            *half = v128_or(*half, v128_and(nan, payload(register)));
        }
    }
    let [a, b, c, d] = halves;
    [packed([a, b]), packed([c, d])]
}

/// Narrows numbers other than NaN; each result is in the low bits of a 32-bit lane.
#[inline(always)]
fn narrow_number(register: Register) -> Register {
    // Computes the absolute value in two instructions: LLVM would turn a mask into WebAssembly's `abs`, for which
    // Cranelift generates three.
    let magnitude = f32x4_pmax(register, f32x4_sub(f32x4_splat(0.0), register));
    // Returns the first operand unless the second is less, so that NaN gives the first.
    let bounded = f32x4_pmin(f32x4_splat(bits::INFINITE), magnitude);
    let exponent = v128_and(bounded, i32x4_splat(bits::EXPONENT));
    let magic = i32x4_add(f32x4_pmax(exponent, f32x4_splat(bits::NORMAL)), i32x4_splat(bits::TO_LAST_PLACE));
    let places = i32x4_sub(f32x4_add(bounded, magic), magic);
    let rounded = i32x4_sub(i32x4_add(places, u32x4_shr(magic, 13)), i32x4_splat(bits::LEAST));
    v128_or(rounded, i32x4_shr(v128_and(register, i32x4_splat(bits::SIGN)), 16))
}

#[inline(always)]
fn is_nan(register: Register) -> Register {
    f32x4_ne(register, register)
}

/// Returns the payload bits that the f16 of a NaN keeps.
#[inline(always)]
fn payload(register: Register) -> Register {
    v128_or(v128_and(u32x4_shr(register, 13), i32x4_splat(bits::PAYLOAD)), i32x4_splat(bits::QUIET))
}

#[inline(always)]
fn packed([low, high]: [Register; 2]) -> [f16; 8] {
    // SAFETY: both are sixteen bytes without padding, and all bytes are valid in either.
    unsafe { transmute::<v128, [f16; 8]>(i16x8_narrow_i32x4(low, high)) }
}
