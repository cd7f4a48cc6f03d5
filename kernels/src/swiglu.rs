//! The SwiGLU activation.

use kernelpack_guest::{
    Result, backward, f16, kernel,
    math::{sigmoid, silu},
};

use crate::convert::{narrow, widen};

/// Elements per step: four registers. LLVM turns a loop over such a short array into straight-line vector code, in
/// which the four share the loads of the polynomial's constants.
const BLOCK: usize = 16;
/// Elements that are widened and narrowed at once: enough to keep a processor busy while the last results are still
/// being computed, and few enough to stay in the first-level cache.
const WIDE: usize = 512;

/// Gated activation (Shazeer, 2020): y = silu(gate) · up, element by element, with silu(g) = g / (1 + e⁻ᵍ).
#[kernel(
    category = "activation",
    name = "SwiGLU (FP32)",
    fallback = "swiglu_reference",
    backward = swiglu_f32_backward,
    split = rows
)]
pub fn swiglu_f32(
    #[shape(rows, dim)] gate: &[f32],
    #[shape(rows, dim)] up: &[f32],
    #[shape(rows, dim)] y: &mut [f32],
) -> Result<()> {
    swiglu(gate, up, y);
    Ok(())
}

/// Gated activation (Shazeer, 2020), computed in f32 and rounded once.
#[kernel(category = "activation", name = "SwiGLU (FP16)", split = rows)]
pub fn swiglu_f16(
    #[shape(rows, dim)] gate: &[f16],
    #[shape(rows, dim)] up: &[f16],
    #[shape(rows, dim)] y: &mut [f16],
) -> Result<()> {
    let [mut gate_wide, mut up_wide, mut y_wide] = [[0.0; WIDE]; 3];
    for ((gate, up), y) in gate.chunks(WIDE).zip(up.chunks(WIDE)).zip(y.chunks_mut(WIDE)) {
        let wide = y.len();
        widen(gate, &mut gate_wide[..wide]);
        widen(up, &mut up_wide[..wide]);
        swiglu(&gate_wide[..wide], &up_wide[..wide], &mut y_wide[..wide]);
        narrow(&y_wide[..wide], y);
    }
    Ok(())
}

fn swiglu(gate: &[f32], up: &[f32], y: &mut [f32]) {
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
}

/// Gradients of [`swiglu_f32`](fn@swiglu_f32): dup = dy · silu(gate),
/// dgate = dy · up · σ(gate) · (1 + gate · (1 − σ(gate))).
#[backward]
pub fn swiglu_f32_backward(
    #[shape(rows, dim)] gate: &[f32],
    #[shape(rows, dim)] up: &[f32],
    #[shape(rows, dim)] dy: &[f32],
    #[shape(rows, dim)] dgate: &mut [f32],
    #[shape(rows, dim)] dup: &mut [f32],
) -> Result<()> {
    for i in 0..gate.len() {
        let s = sigmoid(gate[i]);
        // 1 − σ(g) is σ(−g), without the cancellation.
        let slope = s + silu(gate[i]) * sigmoid(-gate[i]);
        dup[i] = dy[i] * silu(gate[i]);
        dgate[i] = dy[i] * up[i] * slope;
    }
    Ok(())
}
