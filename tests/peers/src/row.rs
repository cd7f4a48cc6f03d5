//! The work: one row to normalize, and its native result.

use kernelpack_kernels::rmsnorm_f32;

/// One row, its weights and its native result.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) x: Vec<f32>,
    pub(crate) weight: Vec<f32>,
    pub(crate) eps: f32,
    expected: Vec<f32>,
}

impl Row {
    /// Makes a row of this many floats, the same in every process.
    pub(crate) fn new(dim: usize) -> Self {
        let mut state = 0x9E37_79B9_7F4A_7C15u64;
        // Numerical Recipes' 64-bit congruential generator; the upper 24 bits become a float from -1 to 1.
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1 << 23) as f32 - 1.0
        };
        let x: Vec<f32> = (0..dim).map(|_| next()).collect();
        let weight: Vec<f32> = (0..dim).map(|_| 1.0 + 0.1 * next()).collect();
        let (eps, mut expected) = (1e-5, vec![0.0; dim]);
        rmsnorm_f32(&x, &weight, &mut expected, eps, dim).expect("rows of any length are taken");
        Self { x, weight, eps, expected }
    }

    pub(crate) fn dim(&self) -> usize {
        self.x.len()
    }

    /// Compares an answer with the native result, which every sandbox must give bit for bit.
    ///
    /// # Errors
    /// The answer differs.
    pub(crate) fn check(&self, answer: &[f32]) -> Result<(), String> {
        if answer.len() != self.dim() {
            return Err(format!("the answer has {} floats, the row {}", answer.len(), self.dim()));
        }
        let same = |(a, b): (&f32, &f32)| a.to_bits() == b.to_bits();
        match answer.iter().zip(&self.expected).position(|pair| !same(pair)) {
            Some(i) => Err(format!("float {i} is {}, natively {}", answer[i], self.expected[i])),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_answer_is_noticed() {
        let row = Row::new(130);
        let mut answer = row.expected.clone();
        assert_eq!(row.check(&answer), Ok(()));
        assert!(row.check(&answer[1..]).is_err());
        answer[129] = f32::from_bits(answer[129].to_bits() ^ 1);
        assert!(row.check(&answer).unwrap_err().starts_with("float 129 is"));
        assert!(row.expected.iter().any(|y| y.abs() > 1.0));
    }
}
