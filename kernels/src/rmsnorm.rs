//! Root-mean-square normalization.

use kernelpack_guest::{Result, kernel};

/// Elements that one step of the inner loops takes.
const BLOCK: usize = 128;
/// Partial sums that are carried side by side: four registers of four lanes.
const LANES: usize = 16;

/// Root-mean-square normalization over the last axis (Zhang and Sennrich, 2019): y = x / sqrt(mean(x²) + eps) · weight.
///
/// The mean is accumulated in f64 over blocks of 128, so that its error does not grow with `dim`; rows whose squares
/// leave the range of f32 are summed in f64 throughout.
#[kernel(category = "normalization", name = "Root Mean Square Normalization (FP32)", fallback = "rmsnorm_reference")]
pub fn rmsnorm_f32(
    #[shape(rows, dim)] x: &[f32],
    #[shape(dim)] weight: &[f32],
    #[shape(rows, dim)] y: &mut [f32],
    #[param(default = 1e-5)] eps: f32,
    dim: usize,
) -> Result<()> {
    if dim == 0 {
        return Ok(());
    }
    for (x, y) in x.chunks_exact(dim).zip(y.chunks_exact_mut(dim)) {
        let scale = inverse_rms(x, eps);
        scale_row(x, weight, y, scale);
    }
    Ok(())
}

/// 1 / sqrt(mean(x²) + eps).
fn inverse_rms(x: &[f32], eps: f32) -> f32 {
    let mut sum = sum_of_squares(x);
    if !sum.is_finite() {
        // A square overflowed, or an element is infinite or NaN; f64 tells the one from the other.
        sum = x.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
    }
    (1.0 / libm::sqrt(sum / x.len() as f64 + f64::from(eps))) as f32
}

fn sum_of_squares(x: &[f32]) -> f64 {
    let (blocks, rest) = x.as_chunks::<BLOCK>();
    let mut sum = 0.0;
    for block in blocks {
        let mut lanes = [0.0f32; LANES];
        for group in block.as_chunks::<LANES>().0 {
            for (lane, x) in lanes.iter_mut().zip(group) {
                *lane += x * x;
            }
        }
        sum += f64::from(fold(lanes));
    }
    sum + rest.iter().map(|&x| f64::from(x * x)).sum::<f64>()
}

/// The sum of the lanes, halving in steps that stay whole registers.
fn fold(lanes: [f32; LANES]) -> f32 {
    let eight: [f32; 8] = core::array::from_fn(|i| lanes[i] + lanes[i + 8]);
    let four: [f32; 4] = core::array::from_fn(|i| eight[i] + eight[i + 4]);
    (four[0] + four[2]) + (four[1] + four[3])
}

fn scale_row(x: &[f32], weight: &[f32], y: &mut [f32], scale: f32) {
    let (x_blocks, x_rest) = x.as_chunks::<BLOCK>();
    let (weight_blocks, weight_rest) = weight.as_chunks::<BLOCK>();
    let (y_blocks, y_rest) = y.as_chunks_mut::<BLOCK>();
    for ((x, weight), y) in x_blocks.iter().zip(weight_blocks).zip(y_blocks) {
        for i in 0..BLOCK {
            y[i] = x[i] * scale * weight[i];
        }
    }
    for ((x, weight), y) in x_rest.iter().zip(weight_rest).zip(y_rest) {
        *y = x * scale * weight;
    }
}
