use super::*;

#[test]
fn every_f16_widens_as_half_does_and_comes_back() {
    for bits in 0..=u16::MAX {
        let value = f16::from_bits(bits);
        let (ours, theirs) = (Float::widen(value), value.to_f32());
        if value.is_nan() {
            assert!(ours.is_nan());
            assert_eq!(<f16 as Float>::narrow(ours).to_bits(), bits | 0x200);
        } else {
            assert_eq!(ours.to_bits(), theirs.to_bits(), "{bits:#x}");
            assert_eq!(<f16 as Float>::narrow(ours).to_bits(), bits);
        }
    }
}

#[test]
fn f32_narrows_as_half_does() {
    let agree = |bits: u32| {
        let value = f32::from_bits(bits);
        let (ours, theirs) = (<f16 as Float>::narrow(value), f16::from_f32(value));
        assert_eq!(ours.to_bits(), theirs.to_bits(), "{value:e} {bits:#x}");
    };
    // Tests every f32 near a rounding boundary, and a sample of all others.
    for half in 0..=u16::MAX {
        let bits = f16::from_bits(half).to_f32().to_bits();
        for offset in [0u32, 1, 0xfff, 0x1000, 0x1001, 0x1fff] {
            agree(bits.wrapping_add(offset));
            agree(bits.wrapping_sub(offset));
        }
    }
    for bits in (0..=u32::MAX).step_by(40_009) {
        agree(bits);
    }
}
