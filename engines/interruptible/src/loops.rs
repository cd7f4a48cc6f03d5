//! The loops of a function, and which locals step in them.
//!
//! A local *steps* in a loop if its value at the head of each iteration is that of the previous iteration, plus or
//! minus a constant other than zero. Every path back to the head must contain the step: Cranelift has no variable of
//! its own for a local that comes back unchanged. So all back branches must be in the block that contains the step, and
//! after it. At least one of them must be reachable for Cranelift too: it drops the code after an instruction that is
//! certain to trap, and dropping the only back branch would drop the variable as well.

use std::collections::HashMap;

use wasmparser::Operator;

use super::{Reason, operator};

/// The largest number of locals that a sum may pass through before it is assigned.
const LONGEST_CHAIN: usize = 4;

/// The number of an instruction.
type Position = usize;

/// One loop of a function.
#[derive(Debug)]
pub(super) struct Loop {
    /// The positions of its `loop` and its `end`.
    pub(super) start: Position,
    pub(super) end: Position,
    /// The first and the last reachable branch back to its head.
    back: Option<(Position, Position)>,
}

/// All loops of a function, in the order of their starts, and the assignments and calls in them.
#[derive(Debug, Default)]
pub(super) struct Loops {
    pub(super) all: Vec<Loop>,
    /// The positions at which each local is assigned, in ascending order.
    assignments: HashMap<u32, Vec<Position>>,
    /// The assignments that have the form of a step.
    steps: HashMap<Position, Step>,
    /// Calls of other functions, in ascending order.
    calls: Vec<Position>,
    /// Instructions that Cranelift may know to always trap, in ascending order.
    ends: Vec<Position>,
}

/// An assignment `p = p + c`.
#[derive(Debug)]
struct Step {
    /// The innermost enclosing loop.
    of: usize,
    /// The absolute value of the constant.
    stride: u32,
    /// The end of its block.
    end: Position,
}

/// An open `block`, `loop` or `if`.
struct Open {
    /// The loop's index, if this is a loop.
    of: Option<usize>,
    /// The innermost loop that this is or is in.
    within: Option<usize>,
    /// The steps directly in it.
    steps: Vec<Position>,
    is_if: bool,
    /// Whether its start is reachable, and whether the current end of its code is.
    entered: bool,
    left: bool,
}

impl Open {
    fn new(of: Option<usize>, within: Option<usize>, entered: bool) -> Self {
        Self { of, within, steps: Vec::new(), is_if: false, entered, left: false }
    }
}

impl Loops {
    /// Reads the instructions of a function, in a module whose memory has this initial size in bytes.
    pub(super) fn read(operators: &[(Operator<'_>, usize)], memory: u64) -> Result<Self, Reason> {
        let mut loops = Self::default();
        let mut open = vec![Open::new(None, None, true)];
        let mut reachable = true;
        for (position, (operator, _)) in operators.iter().enumerate() {
            match operator {
                Operator::Block { .. } | Operator::If { .. } => {
                    let within = open.last().and_then(|around| around.within);
                    let is_if = matches!(operator, Operator::If { .. });
                    open.push(Open { is_if, ..Open::new(None, within, reachable) });
                }
                Operator::Loop { .. } => {
                    let index = Some(loops.all.len());
                    open.push(Open::new(index, index, reachable));
                    loops.all.push(Loop { start: position, end: position, back: None });
                }
                Operator::Else => {
                    let inner = open.last_mut().ok_or(Reason::Inconsistent)?;
                    loops.close(&mut inner.steps, position);
                    inner.left |= reachable;
                    inner.is_if = false;
                    reachable = inner.entered;
                }
                Operator::End => {
                    let mut inner = open.pop().ok_or(Reason::Inconsistent)?;
                    loops.close(&mut inner.steps, position);
                    match inner.of {
                        Some(index) => loops.all[index].end = position,
                        None => reachable |= inner.left || (inner.is_if && inner.entered),
                    }
                }
                Operator::Br { relative_depth } | Operator::BrIf { relative_depth } => {
                    if reachable {
                        loops.branch(&mut open, *relative_depth, position)?;
                    }
                    reachable &= matches!(operator, Operator::BrIf { .. });
                }
                Operator::BrTable { targets } => {
                    if reachable {
                        for target in targets.targets().chain([Ok(targets.default())]) {
                            loops.branch(&mut open, target.map_err(Reason::unreadable)?, position)?;
                        }
                    }
                    reachable = false;
                }
                Operator::Return | Operator::Unreachable => reachable = false,
                Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => {
                    let local = *local_index;
                    loops.assignments.entry(local).or_default().push(position);
                    let inner = open.last_mut().ok_or(Reason::Inconsistent)?;
                    if let Some((of, stride)) = inner.within.zip(stride(operators, position, local)) {
                        loops.steps.insert(position, Step { of, stride, end: position });
                        inner.steps.push(position);
                    }
                }
                Operator::Call { .. } | Operator::MemoryFill { .. } | Operator::MemoryCopy { .. } => {
                    loops.calls.push(position);
                }
                Operator::CallIndirect { .. } => {
                    loops.calls.push(position);
                    loops.ends.push(position);
                }
                _ => {
                    if let Some(access) = operator::access(operator)
                        && access.offset.saturating_add(1 << access.max_align) > memory
                    {
                        loops.ends.push(position);
                    }
                }
            }
        }
        Ok(loops)
    }

    fn branch(&mut self, open: &mut [Open], depth: u32, position: Position) -> Result<(), Reason> {
        let target = (open.len() - 1).checked_sub(depth as usize).ok_or(Reason::Inconsistent)?;
        match open[target].of {
            Some(index) => {
                self.all[index].back.get_or_insert((position, position)).1 = position;
            }
            None => open[target].left = true,
        }
        Ok(())
    }

    /// Records the end of the block that contains these steps.
    fn close(&mut self, steps: &mut Vec<Position>, end: Position) {
        for position in steps.drain(..) {
            if let Some(step) = self.steps.get_mut(&position) {
                step.end = end;
            }
        }
    }

    /// Returns whether a loop assigns a local.
    pub(super) fn assigns(&self, index: usize, local: u32) -> bool {
        !self.assignments_in(index, local).is_empty()
    }

    /// Returns whether a loop calls other functions.
    pub(super) fn calls(&self, index: usize) -> bool {
        !self.within(index, &self.calls).is_empty()
    }

    /// Returns the absolute step of a local in a loop, if it steps there.
    pub(super) fn step(&self, index: usize, local: u32) -> Option<u32> {
        let (first, last) = self.all[index].back?;
        let &[assignment] = self.assignments_in(index, local) else { return None };
        let step = self.steps.get(&assignment)?;
        let on_all_ways = step.of == index && assignment < first && last < step.end;
        (on_all_ways && self.within(index, &self.ends).is_empty()).then_some(step.stride)
    }

    fn assignments_in(&self, index: usize, local: u32) -> &[Position] {
        self.assignments.get(&local).map_or(&[], |all| self.within(index, all))
    }

    fn within<'p>(&self, index: usize, positions: &'p [Position]) -> &'p [Position] {
        let Loop { start, end, .. } = self.all[index];
        let first = positions.partition_point(|&position| position < start);
        let last = positions.partition_point(|&position| position <= end);
        &positions[first..last]
    }
}

/// Returns the constant that an assignment adds to a local, if it is the last of `local.get p; i32.const c; i32.add;
/// local.set p`. The sum may pass through other locals in between.
fn stride(operators: &[(Operator<'_>, usize)], position: Position, local: u32) -> Option<u32> {
    let before = operators.get(..position)?;
    let tees = before
        .iter()
        .rev()
        .take_while(|(operator, _)| matches!(operator, Operator::LocalTee { local_index } if *local_index != local));
    match before.get(..position - tees.take(LONGEST_CHAIN).count())? {
        [
            ..,
            (Operator::LocalGet { local_index }, _),
            (Operator::I32Const { value }, _),
            (Operator::I32Add | Operator::I32Sub, _),
        ] if *local_index == local && *value != 0 => Some(value.unsigned_abs()),
        _ => None,
    }
}
