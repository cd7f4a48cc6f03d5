//! ggml's reference quantizers, rewritten one value at a time.
//!
//! Source: `quantize_row_q8_0_ref`, `quantize_row_q4_0_ref`, `dequantize_row_q8_0` and `dequantize_row_q4_0` in
//! `ggml-quants.c` of ggml. In C, casts of values out of range are undefined, so tests only use values for which 1 / d
//! is finite.

use kernelpack_abi::{BlockQ4_0, BlockQ8_0};
use kernelpack_guest::f16;
use kernelpack_kernels::{kv_pack_q4, kv_pack_q8, kv_unpack_q4, kv_unpack_q8};
use proptest::{array::uniform32, prelude::*, sample::select};

use crate::{
    sandbox::run,
    values::{property, tensor, wild},
};

pub(crate) fn quantize_q8(x: &[f32; 32]) -> BlockQ8_0 {
    let mut amax = 0.0f32;
    for v in x {
        amax = if amax > v.abs() { amax } else { v.abs() };
    }
    let d = amax / 127.0;
    let id = if d != 0.0 { 1.0 / d } else { 0.0 };
    let mut qs = [0i8; 32];
    for j in 0..32 {
        qs[j] = (x[j] * id).round() as i8;
    }
    BlockQ8_0 { d: f16::from_f32(d), qs }
}

fn quantize_q4(x: &[f32; 32]) -> BlockQ4_0 {
    let (mut amax, mut max) = (0.0f32, 0.0f32);
    for v in x {
        if amax < v.abs() {
            amax = v.abs();
            max = *v;
        }
    }
    let d = max / -8.0;
    let id = if d != 0.0 { 1.0 / d } else { 0.0 };
    let mut qs = [0u8; 16];
    for j in 0..16 {
        let (x0, x1) = (x[j] * id, x[16 + j] * id);
        let xi0 = ((x0 + 8.5) as i8 as u8).min(15);
        let xi1 = ((x1 + 8.5) as i8 as u8).min(15);
        qs[j] = xi0 | xi1 << 4;
    }
    BlockQ4_0 { d: f16::from_f32(d), qs }
}

pub(crate) fn dequantize_q8(block: &BlockQ8_0) -> [f32; 32] {
    std::array::from_fn(|j| f32::from(block.qs[j]) * block.d.to_f32())
}

fn dequantize_q4(block: &BlockQ4_0) -> [f32; 32] {
    std::array::from_fn(|j| {
        let q = if j < 16 { block.qs[j] & 0x0f } else { block.qs[j - 16] >> 4 };
        (i32::from(q) - 8) as f32 * block.d.to_f32()
    })
}

/// The smallest magnitude whose scale has an inverse in f32, in either format: 2⁻¹²⁸ · 127, rounded up.
const LEAST: f32 = 4e-37;

/// Generates a block of finite values.
fn block() -> BoxedStrategy<[f32; 32]> {
    let usual = uniform32(-1f32..1.0);
    let scale = prop_oneof![Just(1f32), 1e-30f32..1e30, select(vec![1e-7, 127.0, 1e5, f32::MAX, LEAST])];
    let scaled = (usual, scale).prop_map(|(x, scale)| x.map(|x| x * scale));
    // Multiples of half a step, with the step a power of two or arbitrary, give ties, including ties between the
    // greatest magnitudes.
    let steps = |most: i32| {
        let step = prop_oneof![(-110i32..110).prop_map(|e| 2f32.powi(e)), 1e-30f32..1e30, Just(2f32.powi(-126))];
        let ulps = prop_oneof![4 => Just(0i32), 1 => -1..=1i32];
        (uniform32((-2 * most..=2 * most, ulps)), step, any::<bool>(), 0..32usize).prop_map(
            move |(halves, step, negative, at)| {
                let mut x = halves.map(|(half, ulps)| {
                    let x = half as f32 * 0.5 * step;
                    match ulps {
                        -1 => x.next_down(),
                        1 => x.next_up(),
                        _ => x,
                    }
                });
                x[at] = if negative { -most as f32 * step } else { most as f32 * step };
                x
            },
        )
    };
    // A few magnitudes occur with either sign; the sign of zeros and the order of equal magnitudes matter.
    let equals = uniform32(select(vec![0.0f32, -0.0, 1.0, -1.0, 3.5, -3.5]));
    let zeros = uniform32(select(vec![0.0f32, -0.0]));
    let bits = uniform32(any::<u32>()).prop_map(|bits| bits.map(f32::from_bits));
    let one = (0..32usize, any::<u32>()).prop_map(|(at, bits)| {
        let mut x = [0.0; 32];
        x[at] = f32::from_bits(bits);
        x
    });
    prop_oneof![3 => scaled, 3 => steps(127), 3 => steps(8), 2 => equals, 1 => zeros, 2 => bits, 1 => one]
        .prop_map(|x| x.map(|x| if x.is_finite() { x } else { 0.0 }))
        .prop_map(|x| {
            let magnitude = x.iter().fold(0f32, |a, x| a.max(x.abs()));
            if magnitude < LEAST { x.map(|x| x * 0.0) } else { x }
        })
        .boxed()
}

#[test]
fn packing() {
    property(400, [block(), block(), block()], |x| {
        let x = tensor(&[3, 32], x.as_flattened());
        let blocks = x.data().as_chunks::<32>().0;
        let y = run::<kv_pack_q8::Kernel>(kv_pack_q8::Inputs::new(x.view())).y;
        for (y, x) in y.data().iter().zip(blocks) {
            let reference = quantize_q8(x);
            assert_eq!((y.d.to_bits(), y.qs), (reference.d.to_bits(), reference.qs), "{x:?}");
        }
        let y = run::<kv_pack_q4::Kernel>(kv_pack_q4::Inputs::new(x.view())).y;
        for (y, x) in y.data().iter().zip(blocks) {
            let reference = quantize_q4(x);
            assert_eq!((y.d.to_bits(), y.qs), (reference.d.to_bits(), reference.qs), "{x:?}");
        }
    });
}

#[test]
fn unpacking() {
    fn same(y: &[f32], reference: &[f32; 32]) {
        for (y, r) in y.iter().zip(reference) {
            assert!(y.to_bits() == r.to_bits() || y.is_nan() && r.is_nan(), "{y} is not {r}");
        }
    }
    property(64, [wild(&[1, 3]), wild(&[3, 1])], |x| {
        for x in x {
            let y = run::<kv_unpack_q8::Kernel>(kv_unpack_q8::Inputs::new(x.view())).y;
            for (y, x) in y.data().chunks_exact(32).zip(x.data()) {
                same(y, &dequantize_q8(x));
            }
        }
    });
    property(64, [wild(&[1, 3]), wild(&[3, 1])], |x| {
        for x in x {
            let y = run::<kv_unpack_q4::Kernel>(kv_unpack_q4::Inputs::new(x.view())).y;
            for (y, x) in y.data().chunks_exact(32).zip(x.data()) {
                same(y, &dequantize_q4(x));
            }
        }
    });
}

#[test]
fn every_nibble_and_every_byte_unpacks() {
    let q4: Vec<BlockQ4_0> =
        (0..16).map(|i| BlockQ4_0 { d: f16::from_f32(0.5), qs: std::array::from_fn(|j| (16 * i + j) as u8) }).collect();
    let x = tensor(&[16, 1], &q4);
    let y = run::<kv_unpack_q4::Kernel>(kv_unpack_q4::Inputs::new(x.view())).y;
    for i in 0..16 {
        for j in 0..16 {
            assert_eq!(y.data()[32 * i + j], (j as f32 - 8.0) * 0.5);
            assert_eq!(y.data()[32 * i + 16 + j], (i as f32 - 8.0) * 0.5);
        }
    }
    let q8: Vec<BlockQ8_0> = (0..8)
        .map(|i| BlockQ8_0 { d: f16::from_f32(2.0), qs: std::array::from_fn(|j| (32 * i + j) as u8 as i8) })
        .collect();
    let x = tensor(&[1, 8], &q8);
    let y = run::<kv_unpack_q8::Kernel>(kv_unpack_q8::Inputs::new(x.view())).y;
    let expected: Vec<f32> = (0..=255u8).map(|q| 2.0 * f32::from(q as i8)).collect();
    assert_eq!(y.data(), expected);
}
