//! The examples of `docs/src/kernel-author.md`, word for word.
#![allow(dead_code, reason = "nothing here asks for all that the attribute makes of a kernel")]

use std::sync::Mutex;

use kernelpack_guest::{BlockQ8_0, Error, Float, Result, Status, backward, bail, ensure, f16, kernel};

/// Multiplies each element by a factor.
#[kernel(category = "arithmetic", backward = scale_f32_backward, split = n)]
pub fn scale_f32(#[shape(n)] x: &[f32], #[shape(n)] y: &mut [f32], #[param(default = 2.0)] factor: f32) -> Result<()> {
    for (y, x) in y.iter_mut().zip(x) {
        *y = factor * x;
    }
    Ok(())
}

/// Puts the elements of two tensors in turns, and tells their sum.
#[kernel(category = "arithmetic")]
pub fn interleave_f32(
    #[shape(n)] a: &[f32],
    #[shape(n)] b: &[f32],
    #[shape(n * 2)] y: &mut [f32],
    #[shape()] sum: &mut [f32],
) -> Result<()> {
    for (y, (a, b)) in y.chunks_exact_mut(2).zip(a.iter().zip(b)) {
        y.copy_from_slice(&[*a, *b]);
    }
    sum[0] = y.iter().sum();
    Ok(())
}

/// Multiplies a matrix of Q8_0 blocks by a vector.
#[kernel(category = "linear")]
pub fn matvec_q8(
    #[shape(rows, dim / 32)] weights: &[BlockQ8_0],
    #[shape(dim)] x: &[f32],
    #[shape(rows)] y: &mut [f32],
    dim: usize,
) -> Result<()> {
    for (row, y) in y.iter_mut().enumerate() {
        let blocks = &weights[row * (dim / 32)..(row + 1) * (dim / 32)];
        *y = 0.0;
        for (block, x) in blocks.iter().zip(x.chunks_exact(32)) {
            let dot: f32 = block.qs.iter().zip(x).map(|(q, x)| f32::from(*q) * x).sum();
            *y += f32::from(block.d) * dot;
        }
    }
    Ok(())
}

/// Raises each element to a power, computed in f32 whatever the element type is.
fn power<T: Float>(x: &[T], y: &mut [T], exponent: u32) {
    for (y, x) in y.iter_mut().zip(x) {
        *y = T::narrow((0..exponent).fold(1.0, |power, _| power * x.widen()));
    }
}

macro_rules! power {
    ($name:ident, $element:ty, $description:literal) => {
        #[doc = $description]
        #[kernel(category = "arithmetic", family = "power", split = n)]
        pub fn $name(
            #[shape(n)] x: &[$element],
            #[shape(n)] y: &mut [$element],
            #[param(default = 2)] exponent: u32,
        ) -> Result<()> {
            power(x, y, exponent);
            Ok(())
        }
    };
}

power!(power_f32, f32, "Raises each element to a power.");
power!(power_f16, f16, "Raises each element to a power, rounded to f16 once.");

/// Adds a bias to each row, where one is given.
#[kernel(category = "arithmetic", split = rows)]
pub fn add_bias_f32(
    #[shape(rows, dim)] x: &[f32],
    #[shape(dim)] bias: Option<&[f32]>,
    #[shape(rows, dim)] y: &mut [f32],
    dim: usize,
) -> Result<()> {
    y.copy_from_slice(x);
    let Some(bias) = bias.filter(|bias| !bias.is_empty()) else { return Ok(()) };
    for row in y.chunks_exact_mut(dim) {
        for (y, bias) in row.iter_mut().zip(bias) {
            *y += bias;
        }
    }
    Ok(())
}

/// Adds x to a running sum.
#[kernel(category = "arithmetic")]
pub fn accumulate_f32(
    #[shape(n)] x: &[f32],
    #[inout]
    #[shape(n)]
    sum: &mut [f32],
) -> Result<()> {
    for (sum, x) in sum.iter_mut().zip(x) {
        *sum += x;
    }
    Ok(())
}

/// Sums each element and the `window - 1` before it in its row.
#[kernel(category = "signal")]
pub fn window_sum_f32(
    #[shape(rows, dim)] x: &[f32],
    #[shape(rows, dim)] y: &mut [f32],
    #[scratch(len = dim + 1)] sums: &mut [f32],
    #[param(default = 4)] window: u32,
    dim: usize,
) -> Result<()> {
    ensure!(window > 0, InvalidParams, "window must be at least 1");
    if dim == 0 {
        return Ok(());
    }
    for (x, y) in x.chunks_exact(dim).zip(y.chunks_exact_mut(dim)) {
        sums[0] = 0.0;
        for (i, x) in x.iter().enumerate() {
            sums[i + 1] = sums[i] + x;
        }
        for (i, y) in y.iter_mut().enumerate() {
            *y = sums[i + 1] - sums[(i + 1).saturating_sub(window as usize)];
        }
    }
    Ok(())
}

/// The powers of the base that an instance computed when it was made.
static POWERS: Mutex<Option<[f32; 8]>> = Mutex::new(None);

fn tabulate(params: &polynomial_f32::Params) -> Result<()> {
    let mut powers = [1.0; 8];
    for i in 1..powers.len() {
        powers[i] = powers[i - 1] * params.base;
    }
    *POWERS.lock().map_err(|_| Error::from(Status::InternalError))? = Some(powers);
    Ok(())
}

fn release() -> Result<()> {
    *POWERS.lock().map_err(|_| Error::from(Status::InternalError))? = None;
    Ok(())
}

/// The value of a polynomial at a base that is fixed for the life of an instance.
#[kernel(category = "arithmetic", init = tabulate, cleanup = release)]
pub fn polynomial_f32(
    #[shape(rows, 8)] coefficients: &[f32],
    #[shape(rows)] y: &mut [f32],
    #[param(default = 0.5)] base: f32,
) -> Result<()> {
    let powers = *POWERS.lock().map_err(|_| Error::from(Status::InternalError))?;
    let Some(powers) = powers.filter(|powers| powers[1] == base) else {
        bail!(InvalidParams, "base must be what the instance was made for, is {base}");
    };
    for (y, row) in y.iter_mut().zip(coefficients.chunks_exact(8)) {
        *y = row.iter().zip(powers).map(|(c, power)| c * power).sum();
    }
    Ok(())
}

/// The gradient of `scale_f32`.
#[backward]
pub fn scale_f32_backward(
    #[shape(n)] dy: &[f32],
    #[shape(n)] dx: &mut [f32],
    #[param(default = 2.0)] factor: f32,
) -> Result<()> {
    for (dx, dy) in dx.iter_mut().zip(dy) {
        *dx = factor * dy;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaling_and_its_gradient() {
        let (mut y, mut dx) = ([0.0; 2], [0.0; 2]);
        scale_f32(&[1.0, -2.0], &mut y, 3.0).unwrap();
        scale_f32_backward(&[1.0, 0.5], &mut dx, 3.0).unwrap();
        assert_eq!((y, dx), ([3.0, -6.0], [3.0, 1.5]));
        assert_eq!(scale_f32::SPEC.split, [0]);
    }

    #[test]
    fn interleaving() {
        let (mut y, mut sum) = ([0.0; 4], [0.0]);
        interleave_f32(&[1.0, 2.0], &[3.0, 4.0], &mut y, &mut sum).unwrap();
        assert_eq!((y, sum), ([1.0, 3.0, 2.0, 4.0], [10.0]));
    }

    #[test]
    fn multiplying_blocks() {
        let block = |d: f32, q: i8| BlockQ8_0 { d: f16::from_f32(d), qs: [q; 32] };
        let mut y = [0.0; 2];
        matvec_q8(&[block(0.5, 2), block(1.0, -1)], &[1.0; 32], &mut y, 32).unwrap();
        assert_eq!(y, [32.0, -32.0]);
    }

    #[test]
    fn raising_to_a_power() {
        let (mut y, mut narrow) = ([0.0; 2], [f16::ZERO; 2]);
        power_f32(&[3.0, -2.0], &mut y, 3).unwrap();
        power_f16(&[f16::from_f32(1.5), f16::from_f32(300.0)], &mut narrow, 2).unwrap();
        assert_eq!((y, narrow.map(f16::to_f32)), ([27.0, -8.0], [2.25, f32::INFINITY]));
        assert_eq!(power_f16::SPEC.description, "Raises each element to a power, rounded to f16 once.");
    }

    #[test]
    fn adding_a_bias_or_none() {
        let mut y = [0.0; 4];
        add_bias_f32(&[1.0, 2.0, 3.0, 4.0], Some(&[10.0, 20.0]), &mut y, 2).unwrap();
        assert_eq!(y, [11.0, 22.0, 13.0, 24.0]);
        add_bias_f32(&[1.0, 2.0, 3.0, 4.0], None, &mut y, 2).unwrap();
        assert_eq!(y, [1.0, 2.0, 3.0, 4.0]);
    }

    #[test]
    fn accumulating() {
        let mut sum = [1.0, 2.0];
        accumulate_f32(&[0.5, 0.5], &mut sum).unwrap();
        assert_eq!(sum, [1.5, 2.5]);
    }

    #[test]
    fn sums_of_a_window() {
        let (mut y, mut sums) = ([0.0; 4], [f32::NAN; 5]);
        window_sum_f32(&[1.0, 2.0, 4.0, 8.0], &mut y, &mut sums, 2, 4).unwrap();
        assert_eq!(y, [1.0, 3.0, 6.0, 12.0]);
        assert_eq!(window_sum_f32(&[], &mut [], &mut [], 0, 0).unwrap_err().status(), Status::InvalidParams);
    }

    #[test]
    fn an_instance_keeps_its_powers() {
        let mut y = [0.0];
        tabulate(&polynomial_f32::Params { base: 0.5 }).unwrap();
        polynomial_f32(&[1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0], &mut y, 0.5).unwrap();
        assert_eq!(y, [1.75]);
        assert_eq!(polynomial_f32(&[], &mut [], 0.25).unwrap_err().status(), Status::InvalidParams);
        release().unwrap();
        assert_eq!(polynomial_f32(&[], &mut [], 0.5).unwrap_err().status(), Status::InvalidParams);
    }
}
