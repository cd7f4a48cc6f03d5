use super::*;

#[test]
fn square_roots_are_exact() {
    for x in [0.0, -0.0, 1.0, 2.0, 1e-320, 1e300, f64::INFINITY, 0.1, 1e-5] {
        assert_eq!(sqrt(x).to_bits(), x.sqrt().to_bits(), "{x}");
    }
    assert!(sqrt(-1.0).is_nan() && sqrt(f64::NAN).is_nan());
}

#[test]
fn sines_and_cosines_are_within_their_bound() {
    let mut worst = 0.0f64;
    let mut check = |angle: f32| {
        let ([sin], [cos]) = sin_cos([angle]);
        for (ours, exact) in [(sin, f64::from(angle).sin()), (cos, f64::from(angle).cos())] {
            let nearest = exact as f32;
            let ulp = f64::from(nearest.abs().next_up()) - f64::from(nearest.abs());
            worst = worst.max((f64::from(ours) - exact).abs() / ulp);
        }
    };
    for step in 0..400_000 {
        let x = step as f32 * 1e-4;
        [x, -x, x * 1000.0, x * 1e7, x * 1e-20].into_iter().for_each(&mut check);
    }
    for n in 0..100_000 {
        let multiple = (f64::from(n) * core::f64::consts::FRAC_PI_2) as f32;
        [multiple, multiple.next_up(), multiple.next_down()].into_iter().for_each(&mut check);
    }
    assert!(worst < 0.51, "{worst}");
    for angle in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
        let (sines, cosines) = sin_cos([1.0, angle]);
        assert!(sines[1].is_nan() && cosines[1].is_nan() && sines[0] == libm::sinf(1.0));
    }
    let ([sin], [cos]) = sin_cos([3e9]);
    assert_eq!((sin, cos), libm::sincosf(3e9));
}

#[test]
fn exp_is_within_its_bound() {
    let mut worst = 0.0f64;
    let mut x = 0.0f32;
    while x > -87.0 {
        let exact = f64::from(x).exp();
        let ulp = f64::from((exact as f32).next_up()) - f64::from(exact as f32);
        worst = worst.max((f64::from(exp_nonpositive(x)) - exact).abs() / ulp);
        x -= 0.000_37;
    }
    assert!(worst < 1.5, "{worst} ulp");
}

#[test]
fn exp_of_special_values() {
    assert_eq!(exp_nonpositive(0.0), 1.0);
    assert_eq!(exp_nonpositive(-0.0), 1.0);
    assert_eq!(exp_nonpositive(f32::NEG_INFINITY), 0.0);
    assert!(exp_nonpositive(f32::NAN).is_nan());
    // Denormal results are kept: e^-100 = 3.72e-44.
    assert_eq!(exp_nonpositive(-100.0), (-100.0f64).exp() as f32);
}

#[test]
fn silu_of_special_values() {
    assert_eq!(silu(0.0).to_bits(), 0.0f32.to_bits());
    assert_eq!(silu(f32::INFINITY), f32::INFINITY);
    assert_eq!(silu(f32::NEG_INFINITY).to_bits(), (-0.0f32).to_bits());
    assert!(silu(f32::NAN).is_nan());
    assert_eq!(silu(f32::MAX), f32::MAX);
    assert_eq!(silu(f32::MIN).to_bits(), (-0.0f32).to_bits());
    assert!(silu(-100.0) < 0.0);
}
