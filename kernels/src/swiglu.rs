//! The SwiGLU activation.

use kernelpack_guest::{Result, kernel, math::silu};

/// Elements that one step of the inner loop takes.
const BLOCK: usize = 64;

/// Gated activation (Shazeer, 2020): y = silu(gate) · up, element by element, with silu(g) = g / (1 + e⁻ᵍ).
#[kernel(category = "activation", name = "SwiGLU (FP32)", fallback = "swiglu_reference")]
pub fn swiglu_f32(
    #[shape(rows, dim)] gate: &[f32],
    #[shape(rows, dim)] up: &[f32],
    #[shape(rows, dim)] y: &mut [f32],
) -> Result<()> {
    let (gate_blocks, gate_rest) = gate.as_chunks::<BLOCK>();
    let (up_blocks, up_rest) = up.as_chunks::<BLOCK>();
    let (y_blocks, y_rest) = y.as_chunks_mut::<BLOCK>();
    for ((gate, up), y) in gate_blocks.iter().zip(up_blocks).zip(y_blocks) {
        for i in 0..BLOCK {
            y[i] = silu(gate[i]) * up[i];
        }
    }
    for ((gate, up), y) in gate_rest.iter().zip(up_rest).zip(y_rest) {
        *y = silu(*gate) * up;
    }
    Ok(())
}
