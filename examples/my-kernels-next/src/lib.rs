//! Kernels of mine, release 1.1.0: negative values no longer vanish.

use kernelpack_guest::{Result, ensure, kernel};

/// Adds a bias to each row and keeps a quarter of what is below zero.
#[kernel(category = "activation")]
pub fn bias_relu_f32(
    #[shape(rows, dim)] x: &[f32],
    #[shape(dim)] bias: &[f32],
    #[shape(rows, dim)] y: &mut [f32],
    #[param(default = 1.0)] gain: f32,
    dim: usize,
) -> Result<()> {
    ensure!(gain > 0.0, InvalidParams, "gain must be positive, is {gain}");
    if dim == 0 {
        return Ok(());
    }
    for (x, y) in x.chunks_exact(dim).zip(y.chunks_exact_mut(dim)) {
        for i in 0..dim {
            let sum = gain * x[i] + bias[i];
            y[i] = sum.max(0.25 * sum);
        }
    }
    Ok(())
}
