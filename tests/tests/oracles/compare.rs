//! Asserts that results are within the required bounds.

use kernelpack_guest::f16;

/// Returns the root mean square.
pub(crate) fn rms(reference: &[f64]) -> f64 {
    (reference.iter().map(|r| r * r).sum::<f64>() / reference.len().max(1) as f64).sqrt()
}

/// Asserts that each element is within `bound` · max(|reference|, rms), or within one denormal.
pub(crate) fn close(y: &[f32], reference: &[f64], bound: f64) {
    let rms = rms(reference);
    let least = f64::from(f32::from_bits(1));
    within(y.iter().copied().map(f64::from), reference, |r| bound * r.abs().max(rms) + least);
}

/// Like `close`, but also allows 1e-6 of the sum of the terms' magnitudes, since the terms may cancel.
pub(crate) fn close_sums(y: &[f32], reference: &[f64], terms: &[f64], bound: f64) {
    assert_eq!(y.len(), terms.len());
    let rms = rms(reference);
    for (i, ((y, r), terms)) in y.iter().zip(reference).zip(terms).enumerate() {
        let allowed = bound * r.abs().max(rms) + 1e-6 * terms.abs();
        assert!((f64::from(*y) - r).abs() <= allowed, "[{i}]: {y:e} is not {r:e}, where {allowed:e} is allowed");
    }
    assert_eq!(y.len(), reference.len());
}

/// Asserts that each element is within one ulp of f16 and `bound` · rms.
pub(crate) fn close_f16(y: &[f16], reference: &[f64], bound: f64) {
    let rms = rms(reference);
    within(y.iter().copied().map(f64::from), reference, |r| ulp_f16(r) + bound * rms);
}

fn within(y: impl ExactSizeIterator<Item = f64>, reference: &[f64], allowed: impl Fn(f64) -> f64) {
    assert_eq!(y.len(), reference.len());
    for (i, (y, r)) in y.zip(reference).enumerate() {
        let error = (y - r).abs();
        // Not `error > allowed`, since NaN must fail as well.
        assert!(error <= allowed(*r), "[{i}]: {y:e} is not {r:e}, off by {error:e} where {:e} is allowed", allowed(*r));
    }
}

/// Returns one unit in the last place of an f16 at this value.
fn ulp_f16(value: f64) -> f64 {
    let exponent = value.abs().max(2f64.powi(-14)).log2().floor() as i32;
    2f64.powi(exponent - 10)
}

/// Returns the elements in f64.
pub(crate) fn wide<T: Copy + Into<f64>>(data: &[T]) -> Vec<f64> {
    data.iter().map(|&x| x.into()).collect()
}
