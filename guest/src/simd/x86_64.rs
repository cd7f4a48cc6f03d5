//! The registers of SSE2, which every x86-64 has.

use core::{
    arch::x86_64::{
        __m128i, _mm_add_epi32, _mm_add_ps, _mm_and_ps, _mm_and_si128, _mm_andnot_ps, _mm_andnot_si128,
        _mm_castps_si128, _mm_castsi128_ps, _mm_cmpgt_epi16, _mm_cmpunord_ps, _mm_max_ps, _mm_min_ps, _mm_movemask_ps,
        _mm_mul_ps, _mm_or_si128, _mm_packs_epi32, _mm_set1_epi16, _mm_set1_epi32, _mm_set1_ps, _mm_slli_epi16,
        _mm_srai_epi16, _mm_srai_epi32, _mm_srli_epi32, _mm_sub_epi32, _mm_sub_ps, _mm_unpackhi_epi16,
        _mm_unpacklo_epi16,
    },
    mem::transmute,
};

use half::f16;

use super::half_bits as bits;

pub(super) type Register = core::arch::x86_64::__m128;

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
    // SAFETY: it needs SSE, which this module is compiled with.
    unsafe { _mm_set1_ps(value) }
}

#[inline(always)]
pub(super) fn add(a: Register, b: Register) -> Register {
    // SAFETY: it needs SSE, which this module is compiled with.
    unsafe { _mm_add_ps(a, b) }
}

#[inline(always)]
pub(super) fn sub(a: Register, b: Register) -> Register {
    // SAFETY: it needs SSE, which this module is compiled with.
    unsafe { _mm_sub_ps(a, b) }
}

#[inline(always)]
pub(super) fn mul(a: Register, b: Register) -> Register {
    // SAFETY: it needs SSE, which this module is compiled with.
    unsafe { _mm_mul_ps(a, b) }
}

#[inline(always)]
pub(super) fn widen(halves: [f16; 8]) -> [Register; 2] {
    // SAFETY: both are sixteen bytes without padding, and all bytes are valid in either; all instructions are those of
    // SSE2, which this module is compiled with.
    unsafe {
        let halves = transmute::<[f16; 8], __m128i>(halves);
        let magnitude = _mm_and_si128(halves, _mm_set1_epi16(bits::MAGNITUDE));
        let special = _mm_cmpgt_epi16(magnitude, _mm_set1_epi16(bits::LARGEST));
        let upper = _mm_set1_epi16(bits::UPPER);
        let upper = _mm_or_si128(_mm_and_si128(upper, _mm_srai_epi16::<3>(halves)), _mm_andnot_si128(upper, special));
        let lower = _mm_slli_epi16::<13>(halves);
        let scale = _mm_set1_ps(bits::REBIAS);
        [_mm_unpacklo_epi16(lower, upper), _mm_unpackhi_epi16(lower, upper)]
            .map(|value| _mm_mul_ps(_mm_castsi128_ps(value), scale))
    }
}

#[inline(always)]
pub(super) fn narrow(registers: [Register; 2]) -> [f16; 8] {
    // SAFETY: both are sixteen bytes without padding, and all bytes are valid in either; all instructions are those of
    // SSE2, which this module is compiled with.
    unsafe {
        let [mut low, mut high] = registers.map(|register| {
            let sign_bit = _mm_castsi128_ps(_mm_set1_epi32(bits::SIGN));
            let sign = _mm_castps_si128(_mm_and_ps(register, sign_bit));
            let magnitude = _mm_andnot_ps(sign_bit, register);
            // Returns the second operand unless the first is less, so that NaN gives the second.
            let bounded = _mm_min_ps(magnitude, _mm_set1_ps(bits::INFINITE));
            let exponent = _mm_and_ps(bounded, _mm_castsi128_ps(_mm_set1_epi32(bits::EXPONENT)));
            let exponent = _mm_castps_si128(_mm_max_ps(exponent, _mm_set1_ps(bits::NORMAL)));
            let magic = _mm_add_epi32(exponent, _mm_set1_epi32(bits::TO_LAST_PLACE));
            let sum = _mm_castps_si128(_mm_add_ps(bounded, _mm_castsi128_ps(magic)));
            let places = _mm_sub_epi32(sum, magic);
            let rounded = _mm_add_epi32(places, _mm_srli_epi32::<13>(magic));
            let rounded = _mm_sub_epi32(rounded, _mm_set1_epi32(bits::LEAST));
            _mm_or_si128(rounded, _mm_srai_epi32::<16>(sign))
        });
        if _mm_movemask_ps(_mm_cmpunord_ps(registers[0], registers[1])) != 0 {
            let nan = registers.map(|register| {
                let payload = _mm_srli_epi32::<13>(_mm_castps_si128(register));
                let payload = _mm_and_si128(payload, _mm_set1_epi32(bits::PAYLOAD));
                let payload = _mm_or_si128(payload, _mm_set1_epi32(bits::QUIET));
                _mm_and_si128(_mm_castps_si128(_mm_cmpunord_ps(register, register)), payload)
            });
            low = _mm_or_si128(low, nan[0]);
            high = _mm_or_si128(high, nan[1]);
        }
        transmute::<__m128i, [f16; 8]>(_mm_packs_epi32(low, high))
    }
}

#[inline(always)]
pub(super) fn narrow_pair(registers: [[Register; 2]; 2]) -> [[f16; 8]; 2] {
    registers.map(narrow)
}
