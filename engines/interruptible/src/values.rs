//! Tracks where a value comes from, as far as that shows whether it differs in each iteration of a loop.

use std::collections::HashMap;

use wasmparser::Operator;

use super::loops::Loops;

/// The facts that are known about a value.
///
/// Loops are identified by their depth: 1 is the outermost open loop, 0 the function outside of loops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Value {
    /// No loop deeper than this changes it.
    pub(super) depth: usize,
    /// The absolute change per iteration of the loop at this depth; 0 if unknown. It is below 2³¹, so that the change
    /// is not lost where addresses wrap around.
    pub(super) stride: u32,
    constant: Option<i32>,
}

impl Value {
    /// Returns a value that is computed where `depth` loops are open; nothing else is known of it.
    pub(super) fn unknown(depth: usize) -> Self {
        Self { depth, stride: 0, constant: None }
    }

    /// Returns a local that steps in the loop at this depth.
    pub(super) fn stepping(depth: usize, stride: u32) -> Self {
        Self { stride: bounded(stride.into()), ..Self::unknown(depth) }
    }

    fn constant(value: i32) -> Self {
        Self { constant: Some(value), ..Self::unknown(0) }
    }

    /// Returns the sum or the difference. Two values that step in the same loop may step alike, so that their
    /// difference is constant.
    fn sum(self, other: Self) -> Self {
        let (deeper, outer) = if self.depth >= other.depth { (self, other) } else { (other, self) };
        Self { stride: if outer.depth < deeper.depth { deeper.stride } else { 0 }, ..Self::unknown(deeper.depth) }
    }

    fn times(self, factor: u32) -> Self {
        Self { stride: bounded(u64::from(self.stride) * u64::from(factor)), ..Self::unknown(self.depth) }
    }

    /// Returns the result of any other function of the two.
    fn mix(self, other: Self) -> Self {
        Self::unknown(self.depth.max(other.depth))
    }

    /// Returns the results of the arithmetic that addresses are computed with; `None` for other instructions.
    pub(super) fn compute(operator: &Operator<'_>, operands: &[Self]) -> Option<Self> {
        match (operator, operands) {
            (Operator::I32Const { value }, _) => Some(Self::constant(*value)),
            (Operator::I32Add | Operator::I32Sub, &[a, b]) => Some(a.sum(b)),
            (Operator::I32Shl, &[a, Self { constant: Some(bits), .. }]) => Some(a.times(1 << (bits & 31))),
            (Operator::I32Mul, &[a, Self { constant: Some(factor), .. }]) => Some(a.times(factor.unsigned_abs())),
            (
                Operator::I32Mul
                | Operator::I32Shl
                | Operator::I32ShrS
                | Operator::I32ShrU
                | Operator::I32And
                | Operator::I32Or
                | Operator::I32Xor,
                &[a, b],
            ) => Some(a.mix(b)),
            _ => None,
        }
    }
}

/// Returns the stride, or 0 if it is too large.
fn bounded(stride: u64) -> u32 {
    u32::try_from(stride).ok().filter(|&stride| stride < 1 << 31).unwrap_or(0)
}

/// The values of the locals at one place in a function.
#[derive(Default)]
pub(super) struct Locals {
    /// The values of the assignments seen on the way here, and the positions of these.
    seen: HashMap<u32, (Value, usize)>,
    /// All assignments since the function's start, except those that joins have handled.
    assigned: Vec<u32>,
}

impl Locals {
    /// Returns the local's value where these loops are open; the loops' numbers, the outermost first.
    pub(super) fn value(&self, local: u32, open: &[usize], loops: &Loops) -> Value {
        if let Some(&(value, position)) = self.seen.get(&local) {
            // Of the loops that started since, the outermost assigns whatever one of them assigns.
            let began = open.partition_point(|&index| loops.all[index].start < position);
            if open.get(began).is_none_or(|&index| !loops.assigns(index, local)) {
                return value;
            }
        }
        let depth = open.partition_point(|&index| loops.assigns(index, local));
        let stride = depth.checked_sub(1).and_then(|last| loops.step(open[last], local));
        Value::stepping(depth, stride.unwrap_or(0))
    }

    pub(super) fn assign(&mut self, local: u32, value: Value, position: usize) {
        self.seen.insert(local, (value, position));
        self.assigned.push(local);
    }

    /// Returns a mark for [`forget`](Self::forget).
    pub(super) fn mark(&self) -> usize {
        self.assigned.len()
    }

    /// Joins paths: what was assigned since the mark holds on some of them only, and is forgotten.
    pub(super) fn forget(&mut self, mark: usize) {
        for local in self.assigned.drain(mark.min(self.assigned.len())..) {
            self.seen.remove(&local);
        }
    }
}
