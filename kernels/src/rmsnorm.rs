//! Root-mean-square normalization.

use core::mem;

use kernelpack_guest::{Float, Result, backward, ensure, f16, kernel, math::sqrt, simd::F32x4};

/// Elements per step of the loops, whose squares are added in f32.
const BLOCK: usize = 128;
/// Elements that are processed together, so that LLVM unrolls the loops around them: four registers of four lanes.
const LANES: usize = 16;

/// Root-mean-square normalization over the last axis (Zhang and Sennrich, 2019): y = x / sqrt(mean(x²) + eps) · weight.
///
/// The mean is accumulated in f64 over blocks of 128, so that its error does not grow with `dim`; rows whose squares
/// exceed the range of f32, at either end, are summed in f64 throughout. An `eps` that is negative or not finite is
/// refused.
#[kernel(
    category = "normalization",
    name = "Root Mean Square Normalization (FP32)",
    fallback = "rmsnorm_reference",
    backward = rmsnorm_f32_backward,
    split = rows
)]
pub fn rmsnorm_f32(
    #[shape(rows, dim)] x: &[f32],
    #[shape(dim)] weight: &[f32],
    #[shape(rows, dim)] y: &mut [f32],
    #[param(default = 1e-5)] eps: f32,
    dim: usize,
) -> Result<()> {
    check(eps)?;
    rmsnorm(x, weight, y, eps, dim);
    Ok(())
}

/// Root-mean-square normalization over the last axis (Zhang and Sennrich, 2019), computed in f32 and rounded once.
///
/// An `eps` that is negative or not finite is refused.
#[kernel(category = "normalization", name = "Root Mean Square Normalization (FP16)", split = rows)]
pub fn rmsnorm_f16(
    #[shape(rows, dim)] x: &[f16],
    #[shape(dim)] weight: &[f16],
    #[shape(rows, dim)] y: &mut [f16],
    #[param(default = 1e-5)] eps: f32,
    dim: usize,
) -> Result<()> {
    check(eps)?;
    rmsnorm(x, weight, y, eps, dim);
    Ok(())
}

/// Refuses an eps that is negative or not finite: with it, the mean of squares plus eps could be negative, NaN or
/// infinite, which would give rows of NaN or zeros.
fn check(eps: f32) -> Result<()> {
    ensure!(eps >= 0.0 && eps.is_finite(), InvalidParams, "eps must be finite and not negative");
    Ok(())
}

fn rmsnorm<T: Squares>(x: &[T], weight: &[T], y: &mut [T], eps: f32, dim: usize) {
    if dim == 0 {
        return;
    }
    // Avoids `chunks_exact`, which divides twice; the divisions take as long as a short row.
    let (mut x_rest, mut y_rest) = (x, y);
    while let (Some((x, x_after)), Some((y, y_after))) =
        (x_rest.split_at_checked(dim), mem::take(&mut y_rest).split_at_mut_checked(dim))
    {
        (x_rest, y_rest) = (x_after, y_after);
        let scale = inverse_rms(x, eps);
        if scale.is_finite() && scale > f64::from(f32::MAX) {
            // The row has only denormals, and eps is tiny.
            for ((x, weight), y) in x.iter().zip(weight).zip(y) {
                *y = T::narrow((f64::from(x.widen()) * scale) as f32 * weight.widen());
            }
        } else {
            scale_row(x, weight, y, scale as f32);
        }
    }
}

/// Computes 1 / sqrt(mean(x²) + eps).
fn inverse_rms<T: Squares>(x: &[T], eps: f32) -> f64 {
    let (count, eps) = (x.len() as f64, f64::from(eps));
    let mut sum = sum_of_squares(x);
    // Recomputes in f64 if a square overflowed or an element is infinite or NaN, which f64 distinguishes, or if the sum
    // is so small that squares which f32 rounds to denormals or 0 may matter.
    if !sum.is_finite() || sum + count * eps < count * f64::from(f32::MIN_POSITIVE) {
        sum = x.iter().map(|x| f64::from(x.widen()) * f64::from(x.widen())).sum();
    }
    sqrt(count / (sum + count * eps))
}

fn sum_of_squares<T: Squares>(x: &[T]) -> f64 {
    let (blocks, rest) = x.as_chunks::<BLOCK>();
    let blocks = blocks.iter().fold(0.0, |sum, block| sum + f64::from(T::sum_of_squares(block)));
    let (groups, rest) = rest.as_chunks::<LANES>();
    let groups = groups.iter().fold(0.0, |sum, group| sum + f64::from(sum_of_group(group)));
    blocks + groups + rest.iter().map(|x| f64::from(x.widen() * x.widen())).sum::<f64>()
}

/// Returns the sum of the squares of a group.
#[inline(always)]
fn sum_of_group<T: Float>(group: &[T; LANES]) -> f32 {
    let [first, second] = group.as_chunks::<8>().0 else { return 0.0 };
    let ([a, b], [c, d]) = (T::widen8(first), T::widen8(second));
    ((a * a + b * b) + (c * c + d * d)).sum()
}

/// An element type whose squares are added in f32. The code that LLVM vectorizes differs between types.
trait Squares: Float {
    /// Returns the sum of the squares of a block.
    fn sum_of_squares(block: &[Self; BLOCK]) -> f32;
}

impl Squares for f32 {
    #[inline(always)]
    fn sum_of_squares(block: &[Self; BLOCK]) -> f32 {
        let [first, rest @ ..] = block.as_chunks::<32>().0 else { return 0.0 };
        let sum = rest.iter().fold(lanes_of_squares(first), |sum, part| sum.settle() + lanes_of_squares(part));
        sum.sum()
    }
}

/// Returns four sums of squares, each over eight elements.
#[inline(always)]
fn lanes_of_squares(part: &[f32; 32]) -> F32x4 {
    let mut sums = [F32x4::splat(0.0); 4];
    for group in part.as_chunks::<LANES>().0 {
        for (sum, x) in sums.iter_mut().zip(group.as_chunks::<4>().0) {
            *sum = *sum + F32x4::new(*x) * F32x4::new(*x);
        }
    }
    let [a, b, c, d] = sums;
    (a + c) + (b + d)
}

impl Squares for f16 {
    #[inline(always)]
    fn sum_of_squares(block: &[Self; BLOCK]) -> f32 {
        let mut sums = [F32x4::splat(0.0); 2];
        for group in block.as_chunks::<8>().0 {
            for (sum, x) in sums.iter_mut().zip(Self::widen8(group)) {
                *sum = *sum + x * x;
            }
        }
        let [a, b] = sums;
        (a + b).sum()
    }
}

// This is a separate function, since Cranelift would spill the loop's values to the stack in a larger one.
#[inline(never)]
fn scale_row<T: Float>(x: &[T], weight: &[T], y: &mut [T], scale: f32) {
    // All three have the same length, but the compiler does not know that.
    let (Some(weight), Some(y)) = (weight.get(..x.len()), y.get_mut(..x.len())) else { return };
    let (x_blocks, x_rest) = x.as_chunks::<BLOCK>();
    let (weight_blocks, weight_rest) = weight.as_chunks::<BLOCK>();
    let (y_blocks, y_rest) = y.as_chunks_mut::<BLOCK>();
    let scale_lanes = F32x4::splat(scale);
    for ((x, weight), y) in x_blocks.iter().zip(weight_blocks).zip(y_blocks) {
        // Nests three loops, over 128, 16 and 8 elements, since LLVM unrolls a loop of 2 or 8 iterations but not one of
        // 16.
        let groups = x.as_chunks::<LANES>().0.iter().zip(weight.as_chunks::<LANES>().0);
        for ((x, weight), y) in groups.zip(y.as_chunks_mut::<LANES>().0) {
            let groups = x.as_chunks::<8>().0.iter().zip(weight.as_chunks::<8>().0);
            for ((x, weight), y) in groups.zip(y.as_chunks_mut::<8>().0) {
                let ([x0, x1], [weight0, weight1]) = (T::widen8(x), T::widen8(weight));
                *y = T::narrow8([x0 * scale_lanes * weight0, x1 * scale_lanes * weight1]);
            }
        }
    }
    let ((x_groups, x_rest), (weight_groups, weight_rest)) = (x_rest.as_chunks::<8>(), weight_rest.as_chunks::<8>());
    let (y_groups, y_rest) = y_rest.as_chunks_mut::<8>();
    for ((x, weight), y) in x_groups.iter().zip(weight_groups).zip(y_groups) {
        let ([x0, x1], [weight0, weight1]) = (T::widen8(x), T::widen8(weight));
        *y = T::narrow8([x0 * scale_lanes * weight0, x1 * scale_lanes * weight1]);
    }
    for ((x, weight), y) in x_rest.iter().zip(weight_rest).zip(y_rest) {
        *y = T::narrow(x.widen() * scale * weight.widen());
    }
}

/// Gradients of [`rmsnorm_f32`](fn@rmsnorm_f32): with s = 1 / sqrt(mean(x²) + eps), dx = s · (weight · dy − x · s² ·
/// mean(weight · dy · x)) and dweight = Σ over rows of dy · x · s. An `eps` that is negative or not finite is refused.
#[backward]
pub fn rmsnorm_f32_backward(
    #[shape(rows, dim)] x: &[f32],
    #[shape(dim)] weight: &[f32],
    #[shape(rows, dim)] dy: &[f32],
    #[shape(rows, dim)] dx: &mut [f32],
    #[shape(dim)] dweight: &mut [f32],
    #[param(default = 1e-5)] eps: f32,
    dim: usize,
) -> Result<()> {
    check(eps)?;
    dweight.fill(0.0);
    if dim == 0 {
        return Ok(());
    }
    for ((x, dy), dx) in x.chunks_exact(dim).zip(dy.chunks_exact(dim)).zip(dx.chunks_exact_mut(dim)) {
        let scale = inverse_rms(x, eps);
        let inner: f64 = x
            .iter()
            .zip(weight)
            .zip(dy)
            .map(|((x, w), dy)| f64::from(*x) * scale * f64::from(*w) * f64::from(*dy))
            .sum::<f64>();
        let (scale, inner) = (scale as f32, (inner / dim as f64) as f32);
        for i in 0..dim {
            // This is near 1 for any magnitude of the row, so the product of two does not overflow.
            let normal = x[i] * scale;
            dx[i] = scale * (weight[i] * dy[i] - normal * inner);
            dweight[i] += dy[i] * normal;
        }
    }
    Ok(())
}
