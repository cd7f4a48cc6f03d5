//! Arrays in place of vector registers, for processors other than WebAssembly and x86-64.

use core::array::from_fn;

use half::f16;

use crate::Float;

pub(super) type Register = [f32; 4];

#[inline(always)]
pub(super) fn new(lanes: [f32; 4]) -> Register {
    lanes
}

#[inline(always)]
pub(super) fn lanes(register: Register) -> [f32; 4] {
    register
}

#[inline(always)]
pub(super) fn splat(value: f32) -> Register {
    [value; 4]
}

#[inline(always)]
pub(super) fn add(a: Register, b: Register) -> Register {
    from_fn(|i| a[i] + b[i])
}

#[inline(always)]
pub(super) fn sub(a: Register, b: Register) -> Register {
    from_fn(|i| a[i] - b[i])
}

#[inline(always)]
pub(super) fn mul(a: Register, b: Register) -> Register {
    from_fn(|i| a[i] * b[i])
}

#[inline(always)]
pub(super) fn widen(halves: [f16; 8]) -> [Register; 2] {
    [from_fn(|i| halves[i].widen()), from_fn(|i| halves[i + 4].widen())]
}

#[inline(always)]
pub(super) fn narrow([low, high]: [Register; 2]) -> [f16; 8] {
    from_fn(|i| f16::narrow(if i < 4 { low[i] } else { high[i - 4] }))
}

#[inline(always)]
pub(super) fn narrow_pair(registers: [[Register; 2]; 2]) -> [[f16; 8]; 2] {
    registers.map(narrow)
}
