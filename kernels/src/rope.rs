//! Rotary position embedding.

use kernelpack_guest::{Result, ensure, kernel};

/// Pairs that one step of the inner loops takes.
const BLOCK: usize = 16;

/// Rotary position embedding (Su et al., 2021): rotates each pair of a head by an angle that grows with the position.
///
/// `freqs`, where given, holds the angles in radians. Otherwise the angle of pair i at position s is
/// (s + `position_offset`) · `theta`^(-2i / dim), computed in f64 and rounded to f32, as a table of `freqs` would hold
/// it. Pairs are (x\[i\], x\[i + dim/2\]), as Llama and GPT-NeoX have them, or with `interleaved` (x\[2i\], x\[2i+1\]), as
/// in the paper.
#[kernel(category = "positional_encoding", name = "Rotary Position Embedding (FP32)", fallback = "rope_reference")]
pub fn rope_f32(
    #[shape(batch, seq, heads, dim)] x: &[f32],
    #[shape(seq, dim / 2)] freqs: Option<&[f32]>,
    #[shape(batch, seq, heads, dim)] y: &mut [f32],
    #[scratch(len = seq * dim)] table: &mut [f32],
    #[param(default = 10000.0)] theta: f32,
    #[param(default = 0)] position_offset: u32,
    #[param(default = false)] interleaved: bool,
    seq: usize,
    heads: usize,
    dim: usize,
) -> Result<()> {
    ensure!(dim.is_multiple_of(2), InvalidInput, "dim must be even, since it is made of pairs; it is {dim}");
    if x.is_empty() {
        return Ok(());
    }
    let pairs = dim / 2;
    match freqs {
        Some(freqs) => fill(table, pairs, freqs.iter().copied()),
        None => {
            let angles = (0..seq).flat_map(|s| {
                let position = s as f64 + f64::from(position_offset);
                (0..pairs).map(move |i| (position * frequency(theta, i, dim)) as f32)
            });
            fill(table, pairs, angles);
        }
    }
    let positions = table.chunks_exact(dim).cycle();
    for ((x, y), table) in x.chunks_exact(heads * dim).zip(y.chunks_exact_mut(heads * dim)).zip(positions) {
        let (cos, sin) = table.split_at(pairs);
        for (x, y) in x.chunks_exact(dim).zip(y.chunks_exact_mut(dim)) {
            if interleaved {
                rotate_interleaved(x, y, cos, sin);
            } else {
                rotate_halves(x, y, cos, sin);
            }
        }
    }
    Ok(())
}

/// `theta`^(-2i / dim).
fn frequency(theta: f32, i: usize, dim: usize) -> f64 {
    libm::pow(f64::from(theta), -((2 * i) as f64 / dim as f64))
}

/// Fills the table: for each position the cosines of all pairs, then their sines.
fn fill(table: &mut [f32], pairs: usize, mut angles: impl Iterator<Item = f32>) {
    for row in table.chunks_exact_mut(2 * pairs) {
        let (cos, sin) = row.split_at_mut(pairs);
        for ((cos, sin), angle) in cos.iter_mut().zip(sin).zip(&mut angles) {
            (*sin, *cos) = libm::sincosf(angle);
        }
    }
}

/// Rotates the pairs (x\[i\], x\[i + dim/2\]) of one head.
fn rotate_halves(x: &[f32], y: &mut [f32], cos: &[f32], sin: &[f32]) {
    let (x1, x2) = x.split_at(cos.len());
    let (y1, y2) = y.split_at_mut(cos.len());
    let (x1, x1_rest) = x1.as_chunks::<BLOCK>();
    let (x2, x2_rest) = x2.as_chunks::<BLOCK>();
    let (y1, y1_rest) = y1.as_chunks_mut::<BLOCK>();
    let (y2, y2_rest) = y2.as_chunks_mut::<BLOCK>();
    let (cos, cos_rest) = cos.as_chunks::<BLOCK>();
    let (sin, sin_rest) = sin.as_chunks::<BLOCK>();
    for (((((x1, x2), y1), y2), cos), sin) in x1.iter().zip(x2).zip(y1).zip(y2).zip(cos).zip(sin) {
        for i in 0..BLOCK {
            y1[i] = x1[i] * cos[i] - x2[i] * sin[i];
            y2[i] = x1[i] * sin[i] + x2[i] * cos[i];
        }
    }
    for i in 0..x1_rest.len() {
        y1_rest[i] = x1_rest[i] * cos_rest[i] - x2_rest[i] * sin_rest[i];
        y2_rest[i] = x1_rest[i] * sin_rest[i] + x2_rest[i] * cos_rest[i];
    }
}

/// Rotates the pairs (x\[2i\], x\[2i+1\]) of one head.
fn rotate_interleaved(x: &[f32], y: &mut [f32], cos: &[f32], sin: &[f32]) {
    let (x, _) = x.as_chunks::<2>();
    let (y, _) = y.as_chunks_mut::<2>();
    let (x, x_rest) = x.as_chunks::<BLOCK>();
    let (y, y_rest) = y.as_chunks_mut::<BLOCK>();
    let (cos, cos_rest) = cos.as_chunks::<BLOCK>();
    let (sin, sin_rest) = sin.as_chunks::<BLOCK>();
    for (((x, y), cos), sin) in x.iter().zip(y).zip(cos).zip(sin) {
        for i in 0..BLOCK {
            y[i] = rotate(x[i], cos[i], sin[i]);
        }
    }
    for (((x, y), cos), sin) in x_rest.iter().zip(y_rest).zip(cos_rest).zip(sin_rest) {
        *y = rotate(*x, *cos, *sin);
    }
}

/// Rotates one pair.
#[inline(always)]
fn rotate([a, b]: [f32; 2], cos: f32, sin: f32) -> [f32; 2] {
    [a * cos - b * sin, a * sin + b * cos]
}
