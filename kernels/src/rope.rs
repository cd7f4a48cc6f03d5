//! Rotary position embedding.

mod angles;
mod rotate;

use kernelpack_guest::{BlockQ8_0, Float, Result, backward, f16, kernel};

use crate::quant::{BLOCK, dequantize_q8, quantize_q8};
use angles::Angles;

/// Rotary position embedding (Su et al., 2021): rotates each pair of a head by an angle that grows with the position.
///
/// `freqs`, where given, holds the angles in radians. Otherwise the angle of pair i at position s is
/// (s + `position_offset`) · `theta`^(-2i / dim), computed in f64 and rounded to f32, as a table of `freqs` would hold
/// it. Pairs are (x\[i\], x\[i + dim/2\]), as Llama and GPT-NeoX have them, or with `interleaved` (x\[2i\], x\[2i+1\]), as
/// in the paper. A `theta` that is not positive and finite, or so small that an angle leaves the range of f32, is refused
/// unless `freqs` is given.
#[kernel(
    category = "positional_encoding",
    name = "Rotary Position Embedding (FP32)",
    fallback = "rope_reference",
    backward = rope_f32_backward,
    split = batch
)]
pub fn rope_f32(
    #[shape(batch, seq, heads, dim)] x: &[f32],
    #[shape(seq, dim / 2)] freqs: Option<&[f32]>,
    #[shape(batch, seq, heads, dim)] y: &mut [f32],
    #[scratch(len = seq * dim)] table: &mut [f32],
    #[param(default = 10000.0)] theta: f32,
    #[param(default = 0)] position_offset: u32,
    #[param(default = false)] interleaved: bool,
    heads: usize,
    dim: usize,
) -> Result<()> {
    Angles { freqs, theta, position_offset, direction: 1.0 }.tabulate(table, dim)?;
    rope(x, y, table, interleaved, heads, dim);
    Ok(())
}

/// Rotary position embedding (Su et al., 2021), as `rope_f32`, computed in f32 and rounded once.
#[kernel(category = "positional_encoding", name = "Rotary Position Embedding (FP16)", split = batch)]
pub fn rope_f16(
    #[shape(batch, seq, heads, dim)] x: &[f16],
    #[shape(seq, dim / 2)] freqs: Option<&[f32]>,
    #[shape(batch, seq, heads, dim)] y: &mut [f16],
    #[scratch(len = seq * dim)] table: &mut [f32],
    #[param(default = 10000.0)] theta: f32,
    #[param(default = 0)] position_offset: u32,
    #[param(default = false)] interleaved: bool,
    heads: usize,
    dim: usize,
) -> Result<()> {
    Angles { freqs, theta, position_offset, direction: 1.0 }.tabulate(table, dim)?;
    rope(x, y, table, interleaved, heads, dim);
    Ok(())
}

/// Rotary position embedding (Su et al., 2021) of GGML Q8_0 blocks: dequantizes, rotates as `rope_f32`, quantizes again.
///
/// A head of dim values is dim / 32 blocks.
#[kernel(category = "positional_encoding", name = "Rotary Position Embedding (Q8_0)", split = batch)]
pub fn rope_q8(
    #[shape(batch, seq, heads, blocks)] x: &[BlockQ8_0],
    #[shape(seq, blocks * 16)] freqs: Option<&[f32]>,
    #[shape(batch, seq, heads, blocks)] y: &mut [BlockQ8_0],
    #[scratch(len = seq * blocks * 32)] table: &mut [f32],
    #[scratch(len = blocks * 32)] wide: &mut [f32],
    #[scratch(len = blocks * 32)] rotated: &mut [f32],
    #[param(default = 10000.0)] theta: f32,
    #[param(default = 0)] position_offset: u32,
    #[param(default = false)] interleaved: bool,
    heads: usize,
    blocks: usize,
) -> Result<()> {
    let dim = blocks * BLOCK;
    Angles { freqs, theta, position_offset, direction: 1.0 }.tabulate(table, dim)?;
    if x.is_empty() {
        return Ok(());
    }
    let positions = table.chunks_exact(dim).cycle();
    let tokens = x.chunks_exact(heads * blocks).zip(y.chunks_exact_mut(heads * blocks));
    for ((x, y), table) in tokens.zip(positions) {
        for (x, y) in x.chunks_exact(blocks).zip(y.chunks_exact_mut(blocks)) {
            for (block, wide) in x.iter().zip(wide.as_chunks_mut::<BLOCK>().0) {
                dequantize_q8(block, wide);
            }
            rotate::heads(wide, rotated, table, interleaved, dim);
            for (block, rotated) in y.iter_mut().zip(rotated.as_chunks::<BLOCK>().0) {
                *block = quantize_q8(rotated);
            }
        }
    }
    Ok(())
}

fn rope<T: Float>(x: &[T], y: &mut [T], table: &[f32], interleaved: bool, heads: usize, dim: usize) {
    if x.is_empty() {
        return;
    }
    let positions = table.chunks_exact(dim).cycle();
    for ((x, y), table) in x.chunks_exact(heads * dim).zip(y.chunks_exact_mut(heads * dim)).zip(positions) {
        rotate::heads(x, y, table, interleaved, dim);
    }
}

/// The gradient of [`rope_f32`](fn@rope_f32): dx is dy rotated the other way.
#[backward]
pub fn rope_f32_backward(
    #[shape(batch, seq, heads, dim)] dy: &[f32],
    #[shape(seq, dim / 2)] freqs: Option<&[f32]>,
    #[shape(batch, seq, heads, dim)] dx: &mut [f32],
    #[scratch(len = seq * dim)] table: &mut [f32],
    #[param(default = 10000.0)] theta: f32,
    #[param(default = 0)] position_offset: u32,
    #[param(default = false)] interleaved: bool,
    heads: usize,
    dim: usize,
) -> Result<()> {
    Angles { freqs, theta, position_offset, direction: -1.0 }.tabulate(table, dim)?;
    rope(dy, dx, table, interleaved, heads, dim);
    Ok(())
}
