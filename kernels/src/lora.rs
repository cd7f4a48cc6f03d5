//! Low-rank adaptation.

use core::array;

use kernelpack_guest::{Float, Result, backward, ensure, f16, kernel, simd::F32x4};

use crate::convert::{narrow, widen};

/// Elements of y per step.
const BLOCK: usize = 32;
/// Elements of a dot product that are summed in lanes, so that errors do not grow with the length of a row.
const CHUNK: usize = 8 * BLOCK;
/// Elements of a column that are moved together.
const LANES: usize = 8;
/// Rows of `x` that share the loads of `a` and `b`.
const ROWS: usize = 2;
/// Rows of `a`, and columns of `b`, that share the loads of rows of `x` and `y`.
const GROUP: usize = 4;

/// Low-rank adaptation (Hu et al., 2021) in PEFT's layout: y += scale · (x aᵀ) bᵀ.
///
/// A `scale` that is not finite is refused.
#[kernel(category = "adapter", name = "LoRA Delta Application (FP32)", backward = lora_apply_f32_backward, split = rows)]
pub fn lora_apply_f32(
    #[shape(rows, din)] x: &[f32],
    #[shape(r, din)] a: &[f32],
    #[shape(dout, r)] b: &[f32],
    #[inout]
    #[shape(rows, dout)]
    y: &mut [f32],
    #[scratch(len = r * dout)] b_transposed: &mut [f32],
    #[param(default = 1.0)] scale: f32,
    din: usize,
    dout: usize,
    r: usize,
) -> Result<()> {
    check(scale)?;
    if din == 0 || dout == 0 || r == 0 {
        return Ok(()); // Nothing to add, not even 0, which would turn −0 into +0.
    }
    transpose(b, b_transposed, dout, r);
    let adapter = Adapter { a, b_transposed, scale, r };
    for (x, y) in x.chunks(ROWS * din).zip(y.chunks_mut(ROWS * dout)) {
        adapter.apply(x, y, din, dout);
    }
    Ok(())
}

/// Low-rank adaptation (Hu et al., 2021) in PEFT's layout, computed in f32 and rounded once: y += scale · (x aᵀ) bᵀ.
///
/// A `scale` that is not finite is refused.
#[kernel(category = "adapter", name = "LoRA Delta Application (FP16)", split = rows)]
pub fn lora_apply_f16(
    #[shape(rows, din)] x: &[f16],
    #[shape(r, din)] a: &[f16],
    #[shape(dout, r)] b: &[f16],
    #[inout]
    #[shape(rows, dout)]
    y: &mut [f16],
    #[scratch(len = r * din)] a_wide: &mut [f32],
    #[scratch(len = r * dout)] b_transposed: &mut [f32],
    #[scratch(len = din * 2)] x_wide: &mut [f32],
    #[scratch(len = dout * 2)] y_wide: &mut [f32],
    #[param(default = 1.0)] scale: f32,
    din: usize,
    dout: usize,
    r: usize,
) -> Result<()> {
    check(scale)?;
    if din == 0 || dout == 0 || r == 0 {
        return Ok(()); // Nothing to add, not even 0, which would turn −0 into +0.
    }
    widen(a, a_wide);
    transpose(b, b_transposed, dout, r);
    let adapter = Adapter { a: a_wide, b_transposed, scale, r };
    for (x, y) in x.chunks(ROWS * din).zip(y.chunks_mut(ROWS * dout)) {
        let (x_wide, y_wide) = (&mut x_wide[..x.len()], &mut y_wide[..y.len()]);
        widen(x, x_wide);
        widen(y, y_wide);
        adapter.apply(x_wide, y_wide, din, dout);
        narrow(y_wide, y);
    }
    Ok(())
}

/// Refuses a scale that is not finite, since it would turn every zero into NaN.
fn check(scale: f32) -> Result<()> {
    ensure!(scale.is_finite(), InvalidParams, "scale must be finite");
    Ok(())
}

/// Transposes \[dout, r\] to \[r, dout\], so that `add_rows` runs along rows.
fn transpose<T: Float>(b: &[T], transposed: &mut [f32], dout: usize, r: usize) {
    for j in 0..r {
        let (blocks, rest) = transposed[j * dout..][..dout].as_chunks_mut::<LANES>();
        let done = blocks.len() * LANES;
        for (index, values) in blocks.iter_mut().enumerate() {
            for (i, value) in values.iter_mut().enumerate() {
                *value = b[(index * LANES + i) * r + j].widen();
            }
        }
        for (i, value) in rest.iter_mut().enumerate() {
            *value = b[(done + i) * r + j].widen();
        }
    }
}

/// The factors of an adapter.
#[derive(Clone, Copy)]
struct Adapter<'a> {
    /// \[r, din\]
    a: &'a [f32],
    /// \[r, dout\]
    b_transposed: &'a [f32],
    scale: f32,
    r: usize,
}

impl Adapter<'_> {
    /// Computes y += scale · (x aᵀ) bᵀ for one row or two.
    fn apply(self, x: &[f32], y: &mut [f32], din: usize, dout: usize) {
        if x.len() == din {
            self.apply_to([x], [y]);
        } else {
            let ((x0, x1), (y0, y1)) = (x.split_at(din), y.split_at_mut(dout));
            self.apply_to([x0, x1], [y0, y1]);
        }
    }

    /// Computes y += scale · (x aᵀ) bᵀ for `N` rows, which share the loads of `a` and `b`.
    fn apply_to<const N: usize>(self, x: [&[f32]; N], mut y: [&mut [f32]; N]) {
        let (din, dout) = (x[0].len(), y[0].len());
        let row_of_a = |j: usize| &self.a[j * din..][..din];
        let row_of_b = |j: usize| &self.b_transposed[j * dout..][..dout];
        let scaled = |sum: f32| self.scale * sum;
        let grouped = self.r - self.r % GROUP;
        for j in (0..grouped).step_by(GROUP) {
            let factors = dots::<N, GROUP>(x, array::from_fn(|k| row_of_a(j + k))).map(|sums| sums.map(scaled));
            add_rows::<N, GROUP>(factors, array::from_fn(|k| row_of_b(j + k)), &mut y);
        }
        for j in grouped..self.r {
            let factors = dots::<N, 1>(x, [row_of_a(j)]).map(|sums| sums.map(scaled));
            add_rows::<N, 1>(factors, [row_of_b(j)], &mut y);
        }
    }
}

/// Computes the dot products of each x with each of these rows.
///
/// One step loads one register of each x and of each row. Cranelift delays the arithmetic to the end of a step, so all
/// loaded values and the sums must fit into the registers: eight sums, six factors and a product.
#[inline(never)]
fn dots<const N: usize, const R: usize>(x: [&[f32]; N], rows: [&[f32]; R]) -> [[f32; R]; N] {
    let x_chunks = x.map(|x| x.as_chunks::<CHUNK>().0);
    let row_chunks = rows.map(|row| row.as_chunks::<CHUNK>().0);
    let mut sums = [[0.0f32; R]; N];
    for index in 0..x_chunks[0].len() {
        let x = x_chunks.map(|x| x[index].as_chunks::<4>().0);
        let rows = row_chunks.map(|row| row[index].as_chunks::<4>().0);
        let mut lanes = [[F32x4::splat(0.0); R]; N];
        for i in 0..CHUNK / 4 {
            let rows = rows.map(|row| F32x4::new(row[i]));
            for (lanes, x) in lanes.iter_mut().zip(x) {
                let x = F32x4::new(x[i]);
                for (lanes, row) in lanes.iter_mut().zip(rows) {
                    *lanes = *lanes + x * row;
                }
            }
        }
        for (sums, lanes) in sums.iter_mut().zip(lanes) {
            for (sum, lanes) in sums.iter_mut().zip(lanes) {
                *sum += lanes.sum();
            }
        }
    }
    let start = x_chunks[0].len() * CHUNK;
    for (sums, x) in sums.iter_mut().zip(x) {
        for (sum, row) in sums.iter_mut().zip(rows) {
            *sum += rest_of_dot(&x[start..], &row[start..]);
        }
    }
    sums
}

/// Returns the dot product of the remainder, which is shorter than a chunk.
fn rest_of_dot(x: &[f32], row: &[f32]) -> f32 {
    let (x_blocks, x_rest) = x.as_chunks::<4>();
    let (row_blocks, row_rest) = row.as_chunks::<4>();
    let lanes = x_blocks
        .iter()
        .zip(row_blocks)
        .fold(F32x4::splat(0.0), |lanes, (x, row)| lanes + F32x4::new(*x) * F32x4::new(*row));
    lanes.sum() + x_rest.iter().zip(row_rest).map(|(x, a)| x * a).sum::<f32>()
}

/// Adds to each y the sum of its factors · rows. Each store forces Cranelift to compute the stored value, so values do
/// not accumulate in registers and steps may be long.
#[inline(never)]
fn add_rows<const N: usize, const R: usize>(factors: [[f32; R]; N], rows: [&[f32]; R], y: &mut [&mut [f32]; N]) {
    let row_blocks = rows.map(|row| row.as_chunks::<BLOCK>().0);
    let splats = factors.map(|factors| factors.map(F32x4::splat));
    let blocks = y[0].len() / BLOCK;
    let mut y_blocks = y.each_mut().map(|y| y.as_chunks_mut::<BLOCK>().0);
    for index in 0..blocks {
        let rows = row_blocks.map(|row| row[index].as_chunks::<4>().0);
        let mut y = y_blocks.each_mut().map(|y| y[index].as_chunks_mut::<4>().0);
        for i in 0..BLOCK / 4 {
            let rows = rows.map(|row| F32x4::new(row[i]));
            for (y, factors) in y.iter_mut().zip(&splats) {
                let mut sum = F32x4::new(y[i]);
                for (factor, row) in factors.iter().zip(&rows) {
                    sum = sum + *factor * *row;
                }
                y[i] = sum.lanes();
            }
        }
    }
    for (y, factors) in y.iter_mut().zip(factors) {
        for (i, y) in y.iter_mut().enumerate().skip(blocks * BLOCK) {
            *y = factors.into_iter().zip(rows).fold(*y, |sum, (factor, row)| sum + factor * row[i]);
        }
    }
}

/// Gradients of [`lora_apply_f32`](fn@lora_apply_f32): dx = scale · (dy b) a, da = scale · (dy b)ᵀ x, db = scale · dyᵀ
/// (x aᵀ). The gradient of y's initial value is dy itself. A `scale` that is not finite is refused.
#[backward]
pub fn lora_apply_f32_backward(
    #[shape(rows, din)] x: &[f32],
    #[shape(r, din)] a: &[f32],
    #[shape(dout, r)] b: &[f32],
    #[shape(rows, dout)] dy: &[f32],
    #[shape(rows, din)] dx: &mut [f32],
    #[shape(r, din)] da: &mut [f32],
    #[shape(dout, r)] db: &mut [f32],
    #[scratch(len = r)] reduced: &mut [f32],
    #[scratch(len = r)] gradient: &mut [f32],
    #[param(default = 1.0)] scale: f32,
    rows: usize,
    din: usize,
    dout: usize,
    r: usize,
) -> Result<()> {
    check(scale)?;
    dx.fill(0.0);
    da.fill(0.0);
    db.fill(0.0);
    for row in 0..rows {
        let (x, dx) = (&x[row * din..][..din], &mut dx[row * din..][..din]);
        let dy = &dy[row * dout..][..dout];
        for (j, reduced) in reduced.iter_mut().enumerate() {
            let [[sum]] = dots([x], [&a[j * din..][..din]]);
            *reduced = scale * sum;
        }
        gradient.fill(0.0);
        for (o, dy) in dy.iter().enumerate() {
            for j in 0..r {
                gradient[j] += scale * dy * b[o * r + j];
                db[o * r + j] += dy * reduced[j];
            }
        }
        for (j, gradient) in gradient.iter().enumerate() {
            let (a, da) = (&a[j * din..][..din], &mut da[j * din..][..din]);
            for i in 0..din {
                dx[i] += gradient * a[i];
                da[i] += gradient * x[i];
            }
        }
    }
    Ok(())
}
