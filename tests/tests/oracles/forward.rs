//! The forward passes in f64, directly from their formulas.

/// x / sqrt(mean(x²) + eps) · weight, row by row.
pub(crate) fn rmsnorm(x: &[f64], weight: &[f64], eps: f64) -> Vec<f64> {
    let dim = weight.len();
    let mut y = vec![0.0; x.len()];
    for row in 0..x.len().checked_div(dim).unwrap_or(0) {
        let mut sum = 0.0;
        for i in 0..dim {
            sum += x[row * dim + i] * x[row * dim + i];
        }
        for i in 0..dim {
            y[row * dim + i] = x[row * dim + i] / (sum / dim as f64 + eps).sqrt() * weight[i];
        }
    }
    y
}

/// gate / (1 + e^-gate) · up.
pub(crate) fn swiglu(gate: &[f64], up: &[f64]) -> Vec<f64> {
    gate.iter().zip(up).map(|(gate, up)| gate / (1.0 + (-gate).exp()) * up).collect()
}

/// The angle of pair `i` at position `s`, rounded to f32 as a table of angles holds it.
pub(crate) fn angle(s: usize, i: usize, dim: usize, theta: f32, position_offset: u32) -> f32 {
    let position = s as f64 + f64::from(position_offset);
    (position * f64::from(theta).powf(-2.0 * i as f64 / dim as f64)) as f32
}

/// Rotates x \[batch, seq, heads, 2 · pairs\] by angles \[seq, pairs\].
pub(crate) fn rope(x: &[f64], angles: &[f32], [batch, seq, heads, pairs]: [usize; 4], interleaved: bool) -> Vec<f64> {
    let mut y = vec![0.0; x.len()];
    for b in 0..batch {
        for s in 0..seq {
            for h in 0..heads {
                let start = ((b * seq + s) * heads + h) * 2 * pairs;
                for i in 0..pairs {
                    let (first, second) = if interleaved { (2 * i, 2 * i + 1) } else { (i, i + pairs) };
                    let (u, v) = (x[start + first], x[start + second]);
                    let (sin, cos) = f64::from(angles[s * pairs + i]).sin_cos();
                    y[start + first] = u * cos - v * sin;
                    y[start + second] = u * sin + v * cos;
                }
            }
        }
    }
    y
}

/// The tensors of a low-rank adaptation.
#[derive(Clone)]
pub(crate) struct Lora {
    pub(crate) x: Vec<f64>,
    pub(crate) a: Vec<f64>,
    pub(crate) b: Vec<f64>,
    pub(crate) y: Vec<f64>,
}

impl Lora {
    /// The absolute values of all elements.
    pub(crate) fn abs(&self) -> Self {
        let abs = |data: &[f64]| data.iter().map(|x| x.abs()).collect();
        Self { x: abs(&self.x), a: abs(&self.a), b: abs(&self.b), y: abs(&self.y) }
    }

    /// y + scale · (x aᵀ) bᵀ.
    pub(crate) fn apply(&self, ranks: crate::values::Ranks, scale: f64) -> Vec<f64> {
        let crate::values::Ranks { rows, din, dout, r } = ranks;
        let mut y = self.y.clone();
        for row in 0..rows {
            for o in 0..dout {
                let mut sum = 0.0;
                for j in 0..r {
                    let mut dot = 0.0;
                    for i in 0..din {
                        dot += self.x[row * din + i] * self.a[j * din + i];
                    }
                    sum += dot * self.b[o * r + j];
                }
                y[row * dout + o] += scale * sum;
            }
        }
        y
    }
}
