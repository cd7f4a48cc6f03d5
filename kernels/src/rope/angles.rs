//! The cosines and sines of a rotation, position by position.

use kernelpack_guest::{Result, ensure, math::sin_cos};

/// Angles per step.
const BLOCK: usize = 8;

/// The angles by which the pairs of a head are rotated.
#[derive(Clone, Copy)]
pub(super) struct Angles<'a> {
    /// The angles in radians \[seq, dim/2\], if the caller has them.
    pub(super) freqs: Option<&'a [f32]>,
    pub(super) theta: f32,
    pub(super) position_offset: u32,
    /// −1 for the opposite rotation, as in the gradient.
    pub(super) direction: f32,
}

impl Angles<'_> {
    /// Fills a table \[seq, dim\]: for each position the cosines of all pairs, then their sines.
    pub(super) fn tabulate(self, table: &mut [f32], dim: usize) -> Result<()> {
        ensure!(dim.is_multiple_of(2), InvalidInput, "dim must be even, but is {dim}");
        let pairs = dim / 2;
        if pairs == 0 {
            return Ok(());
        }
        match self.freqs {
            Some(freqs) => {
                for (row, angles) in table.chunks_exact_mut(dim).zip(freqs.chunks_exact(pairs)) {
                    row[..pairs].copy_from_slice(angles);
                }
            }
            None => {
                // A base that is not positive and finite would give frequencies that are NaN or infinite. The message
                // omits the value, since formatting floats takes 18 KB in each module.
                ensure!(self.theta > 0.0 && self.theta.is_finite(), InvalidParams, "theta must be positive and finite");
                for i in 0..pairs {
                    // Computes the frequency once for all positions, since `pow` takes as long as everything that
                    // follows.
                    let frequency = libm::pow(f64::from(self.theta), -((2 * i) as f64 / dim as f64));
                    let last = self.angle((table.len() / dim).saturating_sub(1), frequency);
                    ensure!(last.is_finite(), InvalidParams, "theta is so small that angles leave the range of f32");
                    for (s, row) in table.chunks_exact_mut(dim).enumerate() {
                        row[i] = self.angle(s, frequency);
                    }
                }
            }
        }
        for row in table.chunks_exact_mut(dim) {
            let (cos, sin) = row.split_at_mut(pairs);
            self.turn(cos, sin);
        }
        Ok(())
    }

    /// Computes (s + offset) · theta^(-2i / dim), rounded to f32 once, like an entry of a table of angles.
    fn angle(self, s: usize, frequency: f64) -> f32 {
        ((s as f64 + f64::from(self.position_offset)) * frequency) as f32
    }

    /// Computes the cosines and sines of the angles that `cos` holds, and replaces the angles by the cosines.
    fn turn(self, cos: &mut [f32], sin: &mut [f32]) {
        let (cos_blocks, cos_rest) = cos.as_chunks_mut::<BLOCK>();
        let (sin_blocks, sin_rest) = sin.as_chunks_mut::<BLOCK>();
        for (cos, sin) in cos_blocks.iter_mut().zip(sin_blocks) {
            (*sin, *cos) = sin_cos(*cos);
            *sin = sin.map(|sin| sin * self.direction);
        }
        for (cos, sin) in cos_rest.iter_mut().zip(sin_rest) {
            let ([s], [c]) = sin_cos([*cos]);
            (*sin, *cos) = (s * self.direction, c);
        }
    }
}
