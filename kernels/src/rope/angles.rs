//! The cosines and sines of a rotation, position by position.

use kernelpack_guest::{Result, ensure};

/// How the pairs of a head are rotated.
#[derive(Clone, Copy)]
pub(super) struct Angles<'a> {
    /// The angles in radians \[seq, dim/2\], if the caller has them.
    pub(super) freqs: Option<&'a [f32]>,
    pub(super) theta: f32,
    pub(super) position_offset: u32,
    /// −1 turns the other way, as the gradient does.
    pub(super) direction: f32,
}

impl Angles<'_> {
    /// Fills a table \[seq, dim\]: for each position the cosines of all pairs, then their sines.
    pub(super) fn tabulate(self, table: &mut [f32], dim: usize) -> Result<()> {
        ensure!(dim.is_multiple_of(2), InvalidInput, "dim must be even, since it is made of pairs; it is {dim}");
        let pairs = dim / 2;
        if pairs == 0 {
            return Ok(());
        }
        for (s, row) in table.chunks_exact_mut(dim).enumerate() {
            let (cos, sin) = row.split_at_mut(pairs);
            for (i, (cos, sin)) in cos.iter_mut().zip(sin).enumerate() {
                let angle = match self.freqs {
                    Some(freqs) => freqs[s * pairs + i],
                    None => self.angle(s, i, dim),
                };
                let (s, c) = libm::sincosf(angle);
                (*cos, *sin) = (c, s * self.direction);
            }
        }
        Ok(())
    }

    /// (s + offset) · theta^(-2i / dim), rounded to f32 once, as a table of angles would hold it.
    fn angle(self, s: usize, i: usize, dim: usize) -> f32 {
        let position = s as f64 + f64::from(self.position_offset);
        (position * libm::pow(f64::from(self.theta), -((2 * i) as f64 / dim as f64))) as f32
    }
}
