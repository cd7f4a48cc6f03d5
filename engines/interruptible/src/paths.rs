//! Finds where a function needs touches, in one forward pass over all its paths that tracks the worst of them.

use wasmparser::{MemArg, Operator};

use super::{
    Reason,
    loops::Loops,
    operator,
    outline::Outline,
    values::{Locals, Value},
};

/// The most instructions between two touches or calls.
const LONGEST_RUN: usize = 2048;

/// Loops nested deeper than this always get a touch, since each loop of a nest can add a run of its own on the way out.
const DEEPEST: usize = 16;

/// The places of touches.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Touches {
    /// At the start of the function.
    pub(super) entry: bool,
    /// After these `loop` instructions, by their numbers.
    pub(super) loops: Vec<usize>,
    /// Before these instructions.
    pub(super) before: Vec<usize>,
}

impl Touches {
    /// Places a check after each instruction that makes the host work.
    pub(super) fn behind_work(operators: &[(Operator<'_>, usize)]) -> Self {
        let works = |operator: &Operator<'_>| works_long(operator) || matches!(operator, Operator::MemoryInit { .. });
        let behind = operators.iter().enumerate().filter(|(_, (operator, _))| works(operator));
        Self { before: behind.map(|(position, _)| position + 1).collect(), ..Self::default() }
    }

    /// Returns the number of touches.
    pub(super) fn count(&self) -> usize {
        usize::from(self.entry) + self.loops.len() + self.before.len()
    }
}

/// The facts that hold on every path to one place in a function.
#[derive(Clone, Copy, Debug)]
struct State {
    /// At least 1 if memory was accessed since the start of the function; `n + 1` if it was also accessed since the
    /// head of each of the `n` outermost open loops.
    covered: usize,
    /// Whether memory was accessed since the last call, if there was one.
    settled: bool,
    /// The largest possible number of instructions since the last touch or call.
    run: usize,
}

impl State {
    const START: Self = Self { covered: 0, settled: true, run: 0 };
    const TOUCHED: Self = Self { covered: usize::MAX, settled: true, run: 0 };

    fn join(self, other: Self) -> Self {
        Self {
            covered: self.covered.min(other.covered),
            settled: self.settled && other.settled,
            run: self.run.max(other.run),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Function,
    Block,
    If,
    /// A `loop`, with its number.
    Loop(usize),
}

/// An open function, `block`, `loop` or `if`.
struct Frame {
    kind: Kind,
    params: usize,
    results: usize,
    /// The number of operands below it.
    height: usize,
    /// The locals' mark at its start.
    mark: usize,
    /// The number of open loops around its end.
    around: usize,
    /// The state before its first instruction; `None` if that is unreachable.
    entry: Option<State>,
    /// The state after its end, from branches.
    exit: Option<State>,
}

/// Finds the touches that a function with this many results needs.
pub(super) fn find(
    outline: &Outline<'_>,
    results: usize,
    operators: &[(Operator<'_>, usize)],
    loops: &Loops,
) -> Result<Touches, Reason> {
    // Whether a loop needs its own touch is known only at its end.
    let draft = Paths::walk(outline, results, operators, loops, vec![false; loops.all.len()])?;
    if draft.touches.count() == 0 {
        return Ok(draft.touches);
    }
    Ok(Paths::walk(outline, results, operators, loops, draft.touched)?.touches)
}

struct Paths<'a> {
    outline: &'a Outline<'a>,
    loops: &'a Loops,
    /// Which loops get a touch.
    touched: Vec<bool>,
    touches: Touches,
    /// `None` in unreachable code.
    state: Option<State>,
    frames: Vec<Frame>,
    /// The numbers of the open loops.
    open: Vec<usize>,
    operands: Vec<Value>,
    locals: Locals,
}

impl<'a> Paths<'a> {
    fn walk(
        outline: &'a Outline<'a>,
        results: usize,
        operators: &[(Operator<'_>, usize)],
        loops: &'a Loops,
        touched: Vec<bool>,
    ) -> Result<Self, Reason> {
        let mut paths = Self {
            outline,
            loops,
            touched,
            touches: Touches::default(),
            state: Some(State::START),
            frames: Vec::new(),
            open: Vec::new(),
            operands: Vec::new(),
            locals: Locals::default(),
        };
        paths.enter(Kind::Function, 0, results)?;
        let mut next_loop = 0;
        for (position, (operator, _)) in operators.iter().enumerate() {
            let number = next_loop;
            next_loop += usize::from(matches!(operator, Operator::Loop { .. }));
            if paths.state.is_some() {
                paths.step(position, operator, number)?;
            } else {
                paths.skip(position, operator, number)?;
            }
        }
        let numbers = loops.all.iter().zip(&paths.touched);
        paths.touches.loops = numbers.filter(|(_, touched)| **touched).map(|(found, _)| found.start).collect();
        Ok(paths)
    }

    /// Skips an unreachable instruction, and only tracks blocks.
    fn skip(&mut self, position: usize, operator: &Operator<'_>, number: usize) -> Result<(), Reason> {
        match operator {
            Operator::Block { blockty } | Operator::If { blockty } => self.open_block(Kind::Block, *blockty),
            Operator::Loop { blockty } => self.open_block(Kind::Loop(number), *blockty),
            Operator::Else => self.turn(),
            Operator::End => self.close(position),
            _ => Ok(()),
        }
    }

    /// Handles a reachable instruction.
    fn step(&mut self, position: usize, operator: &Operator<'_>, number: usize) -> Result<(), Reason> {
        if self.state.is_some_and(|state| state.run >= LONGEST_RUN) {
            self.touch(position);
        }
        self.add_to_run(1);
        match operator {
            Operator::Block { blockty } => self.open_block(Kind::Block, *blockty),
            Operator::Loop { blockty } => self.open_block(Kind::Loop(number), *blockty),
            Operator::If { blockty } => {
                self.pop(1)?;
                self.open_block(Kind::If, *blockty)
            }
            Operator::Else => self.turn(),
            Operator::End => self.close(position),
            Operator::Br { relative_depth } => {
                self.branch(position, *relative_depth)?;
                self.state = None;
                Ok(())
            }
            Operator::BrIf { relative_depth } => {
                self.pop(1)?;
                self.branch(position, *relative_depth)
            }
            Operator::BrTable { targets } => {
                for target in targets.targets().chain([Ok(targets.default())]) {
                    self.branch(position, target.map_err(Reason::unreadable)?)?;
                }
                self.state = None;
                Ok(())
            }
            Operator::Return => {
                self.leave(position);
                self.state = None;
                Ok(())
            }
            Operator::Unreachable => {
                self.state = None;
                Ok(())
            }
            Operator::Call { function_index } => {
                let arity = self.outline.function_arity(*function_index)?;
                self.call(0, arity)
            }
            Operator::CallIndirect { type_index, .. } => {
                let arity = self.outline.type_arity(*type_index)?;
                self.call(1, arity)
            }
            // The rewriting replaces these instructions by calls.
            Operator::MemoryFill { .. } | Operator::MemoryCopy { .. } => self.call(0, (3, 0)),
            Operator::LocalGet { local_index } => {
                self.operands.push(self.locals.value(*local_index, &self.open, self.loops));
                Ok(())
            }
            Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => {
                let value = *self.pop(1)?.first().ok_or(Reason::Inconsistent)?;
                self.locals.assign(*local_index, value, position);
                if matches!(operator, Operator::LocalTee { .. }) {
                    self.operands.push(value);
                }
                Ok(())
            }
            Operator::TypedSelect { .. } => self.plain(operator, (3, 1)),
            _ => {
                let (takes, gives) = operator::arity(operator).ok_or_else(|| Reason::unknown(operator))?;
                self.plain(operator, (takes as usize, gives as usize))?;
                if works_long(operator) {
                    self.touch(position + 1);
                }
                Ok(())
            }
        }
    }

    /// Handles an instruction that neither branches nor calls.
    fn plain(&mut self, operator: &Operator<'_>, (takes, gives): (usize, usize)) -> Result<(), Reason> {
        let unknown = Value::unknown(self.open.len());
        let operands = self.pop(takes)?;
        let result = Value::compute(operator, &operands).unwrap_or(unknown);
        let address = operands.first().copied();
        self.operands.extend(std::iter::repeat_n(result, gives));
        if let Some(MemArg { .. }) = operator::access(operator) {
            self.access(address.ok_or(Reason::Inconsistent)?);
        }
        Ok(())
    }

    fn access(&mut self, address: Value) {
        if let Some(state) = &mut self.state {
            let covers = if address.stride > 0 { address.depth + 1 } else { 1 };
            state.covered = state.covered.max(covers);
            state.settled = true;
        }
    }

    /// Handles a call. The called function accesses memory before it calls another or returns.
    fn call(&mut self, more: usize, (takes, gives): (usize, usize)) -> Result<(), Reason> {
        self.pop(takes + more)?;
        self.operands.extend(std::iter::repeat_n(Value::unknown(self.open.len()), gives));
        self.need_entry();
        self.state = Some(State { settled: false, ..State::TOUCHED });
        self.add_to_run(takes + gives);
        Ok(())
    }

    /// Makes sure that the function accesses memory before it calls or returns.
    fn need_entry(&mut self) {
        self.touches.entry |= self.state.is_some_and(|state| state.covered == 0);
    }

    /// Adds a touch before an instruction.
    fn touch(&mut self, position: usize) {
        self.touches.before.push(position);
        self.state = Some(State::TOUCHED);
    }

    fn add_to_run(&mut self, instructions: usize) {
        if let Some(state) = &mut self.state {
            state.run += instructions;
        }
    }

    fn pop(&mut self, count: usize) -> Result<Vec<Value>, Reason> {
        let floor = self.frames.last().map_or(0, |frame| frame.height);
        let first = self.operands.len().checked_sub(count).filter(|&first| first >= floor);
        Ok(self.operands.split_off(first.ok_or(Reason::Inconsistent)?))
    }

    fn open_block(&mut self, kind: Kind, ty: wasmparser::BlockType) -> Result<(), Reason> {
        let (params, results) = self.outline.block_arity(ty)?;
        self.enter(kind, params, results)
    }

    fn enter(&mut self, kind: Kind, params: usize, results: usize) -> Result<(), Reason> {
        if self.state.is_some() {
            self.pop(params)?;
        }
        let (height, around) = (self.operands.len(), self.open.len());
        self.add_to_run(params);
        if let Kind::Loop(number) = kind {
            self.open.push(number);
            self.head(number);
        }
        let (mark, entry) = (self.locals.mark(), self.state);
        self.frames.push(Frame { kind, params, results, height, mark, around, entry, exit: None });
        self.push_unknown(params);
        Ok(())
    }

    /// Handles the head of a loop, which back branches also reach.
    fn head(&mut self, number: usize) {
        let Some(state) = &mut self.state else { return };
        if self.open.len() > DEEPEST {
            self.touched[number] = true;
        }
        if self.touched[number] {
            *state = State::TOUCHED;
        } else {
            // Memory has not been accessed since the head of this loop, and the previous iteration may have made a call.
            state.covered = state.covered.min(self.open.len());
            state.settled &= !self.loops.calls(number);
        }
    }

    fn push_unknown(&mut self, count: usize) {
        let unknown = Value::unknown(self.open.len());
        if self.state.is_some() {
            self.operands.extend(std::iter::repeat_n(unknown, count));
        }
    }

    /// Moves from the first branch of an `if` to its `else`.
    fn turn(&mut self) -> Result<(), Reason> {
        let frame = self.frames.last_mut().ok_or(Reason::Inconsistent)?;
        frame.exit = merge(frame.exit, self.state);
        frame.kind = Kind::Block;
        self.state = frame.entry;
        let (height, mark, params) = (frame.height, frame.mark, frame.params);
        self.operands.truncate(height);
        self.locals.forget(mark);
        self.push_unknown(params);
        Ok(())
    }

    fn close(&mut self, position: usize) -> Result<(), Reason> {
        if self.frames.len() == 1 {
            self.leave(position);
        }
        let frame = self.frames.pop().ok_or(Reason::Inconsistent)?;
        self.state = merge(self.state, frame.exit);
        match frame.kind {
            Kind::Loop(_) => {
                self.open.pop();
            }
            // The condition may have been false.
            Kind::If => self.state = merge(self.state, frame.entry),
            Kind::Function | Kind::Block => {}
        }
        self.state = self.state.map(|state| State { covered: state.covered.min(frame.around + 1), ..state });
        self.operands.truncate(frame.height);
        self.locals.forget(frame.mark);
        self.push_unknown(frame.results);
        Ok(())
    }

    /// Handles a branch that may be taken.
    fn branch(&mut self, position: usize, depth: u32) -> Result<(), Reason> {
        let target = self.frames.len().checked_sub(1 + depth as usize).ok_or(Reason::Inconsistent)?;
        let Frame { kind, params, results, around, .. } = self.frames[target];
        match kind {
            Kind::Function => self.leave(position),
            Kind::Loop(number) => {
                self.add_to_run(params);
                self.touched[number] |= self.state.is_some_and(|state| state.covered < around + 2);
            }
            Kind::Block | Kind::If => {
                self.add_to_run(results);
                let state = self.state.map(|state| State { covered: state.covered.min(around + 1), ..state });
                self.frames[target].exit = merge(self.frames[target].exit, state);
            }
        }
        Ok(())
    }

    /// Handles an instruction at which the function may return.
    fn leave(&mut self, position: usize) {
        self.need_entry();
        if self.state.is_some_and(|state| !state.settled) {
            self.touch(position);
        }
    }
}

/// Returns the worse of two states at the same place.
fn merge(one: Option<State>, other: Option<State>) -> Option<State> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.join(other)),
        (one, other) => one.or(other),
    }
}

/// Returns whether the instruction makes the host work for longer than a few instructions take, though for a bounded
/// time.
fn works_long(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::MemoryGrow { .. }
            | Operator::TableGrow { .. }
            | Operator::TableFill { .. }
            | Operator::TableCopy { .. }
            | Operator::TableInit { .. }
    )
}
