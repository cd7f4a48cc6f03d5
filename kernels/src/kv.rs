//! Quantization of the key-value cache.

use kernelpack_guest::{BlockQ4_0, BlockQ8_0, Result, kernel};

use crate::quant::{BLOCK, dequantize_q4, dequantize_q8, quantize_q4, quantize_q8};

/// Quantizes to GGML's Q8_0: blocks of 32 values in 34 bytes, to the bit as ggml's reference quantizer.
#[kernel(category = "kv_cache", name = "KV Cache Quantization (Q8_0)", split = rows)]
pub fn kv_pack_q8(#[shape(rows, dim)] x: &[f32], #[shape(rows, dim / 32)] y: &mut [BlockQ8_0]) -> Result<()> {
    for (x, y) in x.as_chunks::<BLOCK>().0.iter().zip(y) {
        *y = quantize_q8(x);
    }
    Ok(())
}

/// Quantizes to GGML's Q4_0: blocks of 32 values in 18 bytes, to the bit as ggml's reference quantizer.
#[kernel(category = "kv_cache", name = "KV Cache Quantization (Q4_0)", split = rows)]
pub fn kv_pack_q4(#[shape(rows, dim)] x: &[f32], #[shape(rows, dim / 32)] y: &mut [BlockQ4_0]) -> Result<()> {
    for (x, y) in x.as_chunks::<BLOCK>().0.iter().zip(y) {
        *y = quantize_q4(x);
    }
    Ok(())
}

/// The values of GGML Q8_0 blocks.
#[kernel(category = "kv_cache", name = "KV Cache Dequantization (Q8_0)", split = rows)]
pub fn kv_unpack_q8(#[shape(rows, blocks)] x: &[BlockQ8_0], #[shape(rows, blocks * 32)] y: &mut [f32]) -> Result<()> {
    for (x, y) in x.iter().zip(y.as_chunks_mut::<BLOCK>().0) {
        dequantize_q8(x, y);
    }
    Ok(())
}

/// The values of GGML Q4_0 blocks.
#[kernel(category = "kv_cache", name = "KV Cache Dequantization (Q4_0)", split = rows)]
pub fn kv_unpack_q4(#[shape(rows, blocks)] x: &[BlockQ4_0], #[shape(rows, blocks * 32)] y: &mut [f32]) -> Result<()> {
    for (x, y) in x.iter().zip(y.as_chunks_mut::<BLOCK>().0) {
        dequantize_q4(x, y);
    }
    Ok(())
}
