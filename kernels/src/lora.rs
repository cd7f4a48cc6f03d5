//! Low-rank adaptation.

use kernelpack_guest::{Float, Result, backward, f16, kernel, simd::F32x4};

/// Elements that one step of the inner loops takes.
const BLOCK: usize = 32;
/// Elements of a dot product whose lanes are carried along, so that errors do not grow with the length of a row.
const CHUNK: usize = 8 * BLOCK;
/// Elements that are converted or moved as one.
const LANES: usize = 8;
/// Rows of `a` that share the loads of a row of `x`.
const GROUP: usize = 4;

/// Low-rank adaptation (Hu et al., 2021) in PEFT's layout: y += scale · (x aᵀ) bᵀ.
#[kernel(category = "adapter", name = "LoRA Delta Application (FP32)", backward = lora_apply_f32_backward, split = rows)]
pub fn lora_apply_f32(
    #[shape(rows, din)] x: &[f32],
    #[shape(r, din)] a: &[f32],
    #[shape(dout, r)] b: &[f32],
    #[inout]
    #[shape(rows, dout)]
    y: &mut [f32],
    #[scratch(len = r * dout)] b_transposed: &mut [f32],
    #[scratch(len = r)] reduced: &mut [f32],
    #[param(default = 1.0)] scale: f32,
    rows: usize,
    din: usize,
    dout: usize,
    r: usize,
) -> Result<()> {
    if din == 0 || r == 0 {
        return Ok(()); // Nothing to add, not even 0, which would make −0 into +0.
    }
    transpose(b, b_transposed, dout, r);
    for row in 0..rows {
        reduce(&x[row * din..][..din], a, reduced, scale);
        expand(reduced, b_transposed, &mut y[row * dout..][..dout]);
    }
    Ok(())
}

/// Low-rank adaptation (Hu et al., 2021) in PEFT's layout, computed in f32 and rounded once: y += scale · (x aᵀ) bᵀ.
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
    #[scratch(len = din)] x_wide: &mut [f32],
    #[scratch(len = dout)] y_wide: &mut [f32],
    #[scratch(len = r)] reduced: &mut [f32],
    #[param(default = 1.0)] scale: f32,
    rows: usize,
    din: usize,
    dout: usize,
    r: usize,
) -> Result<()> {
    if din == 0 || r == 0 {
        return Ok(()); // Nothing to add, not even 0, which would make −0 into +0.
    }
    widen(a, a_wide);
    transpose(b, b_transposed, dout, r);
    for row in 0..rows {
        let y = &mut y[row * dout..][..dout];
        widen(&x[row * din..][..din], x_wide);
        widen(y, y_wide);
        reduce(x_wide, a_wide, reduced, scale);
        expand(reduced, b_transposed, y_wide);
        narrow(y_wide, y);
    }
    Ok(())
}

/// \[dout, r\] to \[r, dout\], so that `expand` runs along rows.
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

/// reduced\[j\] = scale · x · a\[j\].
fn reduce(x: &[f32], a: &[f32], reduced: &mut [f32], scale: f32) {
    let din = x.len();
    let (groups, rest) = reduced.as_chunks_mut::<GROUP>();
    for (index, group) in groups.iter_mut().enumerate() {
        let rows: [&[f32]; GROUP] = core::array::from_fn(|k| &a[(index * GROUP + k) * din..][..din]);
        *group = dots(x, rows).map(|sum| scale * sum);
    }
    let done = groups.len() * GROUP;
    for (j, value) in rest.iter_mut().enumerate() {
        let [sum] = dots(x, [&a[(done + j) * din..][..din]]);
        *value = scale * sum;
    }
}

/// The dot products of `x` with each of these rows, which share the loads of `x`.
#[inline(always)]
fn dots<const N: usize>(x: &[f32], rows: [&[f32]; N]) -> [f32; N] {
    let (x_chunks, x_rest) = x.as_chunks::<CHUNK>();
    let row_chunks = rows.map(|row| row.as_chunks::<CHUNK>().0);
    let mut sums = [0.0f32; N];
    for (index, x) in x_chunks.iter().enumerate() {
        let rows = row_chunks.map(|row| row[index].as_chunks::<BLOCK>().0);
        let mut lanes = [F32x4::splat(0.0); N];
        for (index, x) in x.as_chunks::<BLOCK>().0.iter().enumerate() {
            for (lanes, row) in lanes.iter_mut().zip(rows) {
                *lanes = (*lanes + products(x, &row[index])).settle();
            }
        }
        for (sum, lanes) in sums.iter_mut().zip(lanes) {
            *sum += lanes.sum();
        }
    }
    let start = x_chunks.len() * CHUNK;
    core::array::from_fn(|k| sums[k] + rest_of_dot(x_rest, &rows[k][start..]))
}

/// The dot product of a block, but for the sum of the lanes.
#[inline(always)]
fn products(x: &[f32; BLOCK], row: &[f32; BLOCK]) -> F32x4 {
    let mut sums = [F32x4::splat(0.0); 2];
    for (x, row) in x.as_chunks::<8>().0.iter().zip(row.as_chunks::<8>().0) {
        for (sum, (x, row)) in sums.iter_mut().zip(x.as_chunks::<4>().0.iter().zip(row.as_chunks::<4>().0)) {
            *sum = *sum + F32x4::new(*x) * F32x4::new(*row);
        }
    }
    sums[0] + sums[1]
}

/// The dot product of less than a chunk.
fn rest_of_dot(x: &[f32], row: &[f32]) -> f32 {
    let (x_blocks, x_rest) = x.as_chunks::<BLOCK>();
    let (row_blocks, row_rest) = row.as_chunks::<BLOCK>();
    let lanes = x_blocks.iter().zip(row_blocks).fold(F32x4::splat(0.0), |lanes, (x, row)| lanes + products(x, row));
    lanes.sum() + x_rest.iter().zip(row_rest).map(|(x, a)| x * a).sum::<f32>()
}

/// y += Σ over j of reduced\[j\] · rows\[j\], where the rows are as long as `y`.
fn expand(reduced: &[f32], rows: &[f32], y: &mut [f32]) {
    let dout = y.len();
    let (groups, rest) = reduced.as_chunks::<GROUP>();
    for (index, factors) in groups.iter().enumerate() {
        add_rows(*factors, core::array::from_fn(|k| &rows[(index * GROUP + k) * dout..][..dout]), y);
    }
    let done = groups.len() * GROUP;
    for (j, factor) in rest.iter().enumerate() {
        add_rows([*factor], [&rows[(done + j) * dout..][..dout]], y);
    }
}

/// y += Σ of factors · rows.
#[inline(always)]
fn add_rows<const N: usize>(factors: [f32; N], rows: [&[f32]; N], y: &mut [f32]) {
    let row_blocks = rows.map(|row| row.as_chunks::<BLOCK>().0);
    let (blocks, rest) = y.as_chunks_mut::<BLOCK>();
    let done = blocks.len() * BLOCK;
    for (index, y) in blocks.iter_mut().enumerate() {
        let rows = row_blocks.map(|row| row[index].as_chunks::<4>().0);
        for (index, y) in y.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            let mut sum = F32x4::new(*y);
            for (factor, row) in factors.iter().zip(rows) {
                sum = sum + F32x4::splat(*factor) * F32x4::new(row[index]);
            }
            *y = sum.lanes();
        }
    }
    for (i, y) in rest.iter_mut().enumerate() {
        for k in 0..N {
            *y += factors[k] * rows[k][done + i];
        }
    }
}

fn widen(from: &[f16], to: &mut [f32]) {
    let (from_blocks, from_rest) = from.as_chunks::<BLOCK>();
    let (to_blocks, to_rest) = to.as_chunks_mut::<BLOCK>();
    for (from, to) in from_blocks.iter().zip(to_blocks) {
        for (from, to) in from.as_chunks::<LANES>().0.iter().zip(to.as_chunks_mut::<LANES>().0) {
            *to = from.map(Float::widen);
        }
    }
    for (from, to) in from_rest.iter().zip(to_rest) {
        *to = from.widen();
    }
}

fn narrow(from: &[f32], to: &mut [f16]) {
    let (from_blocks, from_rest) = from.as_chunks::<BLOCK>();
    let (to_blocks, to_rest) = to.as_chunks_mut::<BLOCK>();
    for (from, to) in from_blocks.iter().zip(to_blocks) {
        for (from, to) in from.as_chunks::<LANES>().0.iter().zip(to.as_chunks_mut::<LANES>().0) {
            *to = from.map(f16::narrow);
        }
    }
    for (from, to) in from_rest.iter().zip(to_rest) {
        *to = f16::narrow(*from);
    }
}

/// Gradients of [`lora_apply_f32`](fn@lora_apply_f32): dx = scale · (dy b) a, da = scale · (dy b)ᵀ x,
/// db = scale · dyᵀ (x aᵀ). The gradient of y's start value is dy itself.
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
    dx.fill(0.0);
    da.fill(0.0);
    db.fill(0.0);
    for row in 0..rows {
        let (x, dx) = (&x[row * din..][..din], &mut dx[row * din..][..din]);
        let dy = &dy[row * dout..][..dout];
        reduce(x, a, reduced, scale);
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
