//! The rotation of the heads of a token.

use kernelpack_guest::Float;

/// Pairs per step of the inner loops.
const BLOCK: usize = 32;
/// Pairs that are rotated together.
const LANES: usize = 8;

/// Rotates all pairs in the heads of a token, which have `dim` values each, by a row of the table.
pub(super) fn heads<T: Float>(x: &[T], y: &mut [T], table: &[f32], interleaved: bool, dim: usize) {
    let (cos, sin) = table.split_at(dim / 2);
    let heads = x.chunks_exact(dim).zip(y.chunks_exact_mut(dim));
    if interleaved {
        heads.for_each(|(x, y)| adjacent(x, y, cos, sin));
    } else {
        heads.for_each(|(x, y)| halves(x, y, cos, sin));
    }
}

/// Rotates the pairs (x\[i\], x\[i + dim/2\]).
#[inline(always)]
fn halves<T: Float>(x: &[T], y: &mut [T], cos: &[f32], sin: &[f32]) {
    let (x1, x2) = x.split_at(cos.len());
    let (y1, y2) = y.split_at_mut(cos.len());
    let (x1, x1_rest) = x1.as_chunks::<BLOCK>();
    let (x2, x2_rest) = x2.as_chunks::<BLOCK>();
    let (y1, y1_rest) = y1.as_chunks_mut::<BLOCK>();
    let (y2, y2_rest) = y2.as_chunks_mut::<BLOCK>();
    let (cos, cos_rest) = cos.as_chunks::<BLOCK>();
    let (sin, sin_rest) = sin.as_chunks::<BLOCK>();
    for (((((x1, x2), y1), y2), cos), sin) in x1.iter().zip(x2).zip(y1).zip(y2).zip(cos).zip(sin) {
        let [x1, x2] = [x1, x2].map(|x| x.as_chunks::<LANES>().0);
        let [cos, sin] = [cos, sin].map(|factors| factors.as_chunks::<LANES>().0);
        let results = y1.as_chunks_mut::<LANES>().0.iter_mut().zip(y2.as_chunks_mut::<LANES>().0);
        for (i, (y1, y2)) in results.enumerate() {
            let ([a0, a1], [b0, b1]) = (T::widen8(&x1[i]), T::widen8(&x2[i]));
            let ([cos0, cos1], [sin0, sin1]) = (f32::widen8(&cos[i]), f32::widen8(&sin[i]));
            [*y1, *y2] = T::narrow16([
                [a0 * cos0 - b0 * sin0, a1 * cos1 - b1 * sin1],
                [a0 * sin0 + b0 * cos0, a1 * sin1 + b1 * cos1],
            ]);
        }
    }
    for i in 0..x1_rest.len() {
        [y1_rest[i], y2_rest[i]] = pair([x1_rest[i], x2_rest[i]], cos_rest[i], sin_rest[i]);
    }
}

/// Rotates the pairs (x\[2i\], x\[2i+1\]).
#[inline(always)]
fn adjacent<T: Float>(x: &[T], y: &mut [T], cos: &[f32], sin: &[f32]) {
    let (x, _) = x.as_chunks::<2>();
    let (y, _) = y.as_chunks_mut::<2>();
    let (x, x_rest) = x.as_chunks::<BLOCK>();
    let (y, y_rest) = y.as_chunks_mut::<BLOCK>();
    let (cos, cos_rest) = cos.as_chunks::<BLOCK>();
    let (sin, sin_rest) = sin.as_chunks::<BLOCK>();
    for (((x, y), cos), sin) in x.iter().zip(y).zip(cos).zip(sin) {
        for i in 0..BLOCK {
            y[i] = pair(x[i], cos[i], sin[i]);
        }
    }
    for (((x, y), cos), sin) in x_rest.iter().zip(y_rest).zip(cos_rest).zip(sin_rest) {
        *y = pair(*x, *cos, *sin);
    }
}

/// Rotates one pair.
#[inline(always)]
fn pair<T: Float>([a, b]: [T; 2], cos: f32, sin: f32) -> [T; 2] {
    let (a, b) = (a.widen(), b.widen());
    [T::narrow(a * cos - b * sin), T::narrow(a * sin + b * cos)]
}
