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
            assert_eq!(bits((F32x4::new(x) - F32x4::new(y)).lanes()), each(|x, y| x - y));
            assert_eq!(bits((F32x4::new(x) * F32x4::new(y)).lanes()), each(|x, y| x * y));
        }
        assert_eq!(F32x4::splat(a).settle().lanes(), [a; 4]);
    }
}

#[test]
fn every_f16_widens_as_each_does_and_comes_back() {
    for bits in (0..=u16::MAX).step_by(8) {
        let halves: [f16; 8] = core::array::from_fn(|i| f16::from_bits(bits + i as u16));
        let wide = F32x4::widen(halves);
        let [low, high] = wide.map(F32x4::lanes);
        for (half, wide) in halves.into_iter().zip(low.into_iter().chain(high)) {
            assert!(wide.is_nan() == half.is_nan());
            assert!(wide.is_nan() || wide.to_bits() == half.to_f32().to_bits(), "{:#x}", half.to_bits());
        }
        let quiet = halves.map(|half| half.to_bits() | if half.is_nan() { 0x200 } else { 0 });
        assert_eq!(F32x4::narrow(wide).map(f16::to_bits), quiet);
    }
}

#[test]
fn f32_narrows_as_half_does() {
    let agree = |bits: [u32; 8]| {
        let values = bits.map(f32::from_bits);
        let (low, high) = values.split_at(4);
        let ours = F32x4::narrow([low, high].map(|lanes| F32x4::new(core::array::from_fn(|i| lanes[i]))));
        let theirs = values.map(f16::from_f32);
        assert_eq!(ours.map(f16::to_bits), theirs.map(f16::to_bits), "{values:?}");
    };
    // Tests every f32 near a rounding boundary, and a sample of all others.
    for half in 0..=u16::MAX {
        let bits = f16::from_bits(half).to_f32().to_bits();
        agree([0u32, 1, 0xfff, 0x1000, 0x1001, 0x1fff, 0x2000, 0x800].map(|offset| bits.wrapping_add(offset)));
        agree([0u32, 1, 0xfff, 0x1000, 0x1001, 0x1fff, 0x2000, 0x800].map(|offset| bits.wrapping_sub(offset)));
    }
    for bits in (0..=u32::MAX).step_by(40_009) {
        agree(core::array::from_fn(|i| bits.wrapping_add(5_001 * i as u32)));
    }
}

#[test]
fn a_pair_narrows_as_each_of_it_does() {
    let numbers = [F32x4::new([1.0, -0.0, 65504.0, 1e-7]), F32x4::new([-2.5, 0.333, 1e9, -1e-9])];
    let nans = [F32x4::new([1.0, f32::NAN, 3.0, 4.0]), F32x4::new([f32::from_bits(0xff80_2000), 6.0, 7.0, 8.0])];
    for pair in [[numbers, numbers], [numbers, nans], [nans, numbers], [nans, nans]] {
        let bits = |halves: [f16; 8]| halves.map(f16::to_bits);
        assert_eq!(F32x4::narrow_pair(pair).map(bits), pair.map(F32x4::narrow).map(bits));
    }
}

#[test]
fn lanes_are_added_in_pairs() {
    // In any other order of the additions, rounding would lose other small numbers.
    assert_eq!(F32x4::new([1e8, 1.0, -1e8, 2.0]).sum(), 3.0);
}
