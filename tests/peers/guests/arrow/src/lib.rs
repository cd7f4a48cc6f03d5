//! RMSNorm as a user-defined function for Apache Arrow: a row is an array of floats in one cell.

use arrow_udf::function;
use kernelpack_kernels::rmsnorm_f32;

/// Normalizes one row.
#[function("rmsnorm(float32[], float32[], float32) -> float32[]")]
fn rmsnorm(x: &[f32], weight: &[f32], eps: f32) -> Vec<f32> {
    let mut y = vec![0.0; x.len()];
    rmsnorm_f32(x, weight, &mut y, eps, x.len()).expect("rows of any length are taken");
    y
}
