use super::*;

#[test]
fn rounding_is_that_of_c() {
    for step in -130_000..130_000 {
        let x = step as f32 / 1000.0;
        assert_eq!(round_away(x), x.round() as i32, "{x}");
    }
    for n in -127..127 {
        let tie = n as f32 + 0.5;
        for x in [tie.next_down(), tie, tie.next_up()] {
            assert_eq!(round_away(x), x.round() as i32, "{x}");
        }
    }
    assert_eq!(round_away(f32::NAN), 0);
}

#[test]
fn nibbles_are_those_of_c() {
    for step in -8000..=8000 {
        let x = step as f32 / 1000.0;
        assert_eq!(nibble(x), ((x + 8.5) as i8).min(15) as u8, "{x}");
    }
}

#[test]
fn blocks_of_zeros_have_the_scales_of_ggml() {
    assert_eq!(quantize_q8(&[0.0; BLOCK]).d.to_bits(), 0);
    assert_eq!(quantize_q8(&[-0.0; BLOCK]).qs, [0; BLOCK]);
    // 0 / -8 is negative zero.
    assert_eq!(quantize_q4(&[0.0; BLOCK]).d.to_bits(), 0x8000);
    assert_eq!(quantize_q4(&[-0.0; BLOCK]).qs, [0x88; BLOCK / 2]);
}

#[test]
fn the_first_of_equal_magnitudes_decides_the_sign() {
    let mut x = [0.0; BLOCK];
    (x[3], x[20]) = (2.0, -2.0);
    assert_eq!(quantize_q4(&x).d, f16::from_f32(-0.25));
    (x[3], x[20]) = (-2.0, 2.0);
    assert_eq!(quantize_q4(&x).d, f16::from_f32(0.25));
}

#[test]
fn special_values_do_not_panic() {
    for special in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, 1e-45] {
        let mut x = [1.0; BLOCK];
        x[7] = special;
        let _ = (quantize_q8(&x), quantize_q4(&x));
        let _ = (quantize_q8(&[special; BLOCK]), quantize_q4(&[special; BLOCK]));
    }
}
