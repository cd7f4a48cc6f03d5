//! Maps the instructions of a rewritten module to their offsets in the original.

/// For each function of the original, the origins of its instructions. Helpers have no origin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    functions: Vec<Origin>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Origin {
    /// The start of the function's body in the original.
    start: usize,
    /// Pairs of offsets, in the new body and in the original module, from which on the code is the same; in ascending
    /// order.
    steps: Vec<(usize, usize)>,
}

impl Origins {
    pub(super) fn new(functions: Vec<Origin>) -> Self {
        Self { functions }
    }

    /// Returns whether the original has this function.
    pub fn has(&self, function: u32) -> bool {
        (function as usize) < self.functions.len()
    }

    /// Returns the offset in the original of the code at this offset of the function's new body.
    pub fn offset(&self, function: u32, in_body: usize) -> Option<usize> {
        let Origin { start, steps } = self.functions.get(function as usize)?;
        let behind = steps.partition_point(|(new, _)| *new <= in_body);
        let (new, old) = behind.checked_sub(1).map_or((0, 0), |step| steps[step]);
        Some(start + old + (in_body - new))
    }
}

impl Origin {
    /// Makes the origins of a function that starts at this offset of the original and has no changes yet.
    pub(super) fn at(start: usize) -> Self {
        Self { start, steps: Vec::new() }
    }

    /// Records that the code from this offset of the new body is that from that offset of the original module.
    pub(super) fn step(&mut self, new: usize, old: usize) {
        self.steps.push((new, old - self.start));
    }
}

#[cfg(test)]
mod tests;
