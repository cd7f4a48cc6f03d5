//! The SwiGLU activation.

use kernelpack_guest::{
    Float, Result, backward, f16, kernel,
    math::{sigmoid, silu},
};

/// Elements that one step of the outer loop takes.
const BLOCK: usize = 64;
/// Elements of a block that one step of the inner loop is apart from the next: it takes one of each quarter. LLVM
/// vectorizes such a loop but unrolls none with so many operations, and its back edge has an epoch check.
const STRIDE: usize = BLOCK / 4;

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
    let (gate_blocks, gate_rest) = gate.as_chunks::<BLOCK>();
    let (up_blocks, up_rest) = up.as_chunks::<BLOCK>();
    let (y_blocks, y_rest) = y.as_chunks_mut::<BLOCK>();
    for ((gate, up), y) in gate_blocks.iter().zip(up_blocks).zip(y_blocks) {
        for i in 0..BLOCK {
            y[i] = f16::narrow(silu(gate[i].widen()) * up[i].widen());
        }
    }
    for ((gate, up), y) in gate_rest.iter().zip(up_rest).zip(y_rest) {
        *y = f16::narrow(silu(gate.widen()) * up.widen());
    }
    Ok(())
}

fn swiglu(gate: &[f32], up: &[f32], y: &mut [f32]) {
    let (gate_blocks, gate_rest) = gate.as_chunks::<BLOCK>();
    let (up_blocks, up_rest) = up.as_chunks::<BLOCK>();
    let (y_blocks, y_rest) = y.as_chunks_mut::<BLOCK>();
    for ((gate, up), y) in gate_blocks.iter().zip(up_blocks).zip(y_blocks) {
        for i in 0..STRIDE {
            for i in [i, i + STRIDE, i + 2 * STRIDE, i + 3 * STRIDE] {
                y[i] = silu(gate[i]) * up[i];
            }
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
