//! Rewrites modules so that taking a guest's memory away stops it.
//!
//! A watchdog stops a call that overruns its budget by making the instance's linear memory inaccessible: the guest's next
//! access faults, and the fault is a trap like that of any access outside of memory. So nothing is checked in loops. It
//! takes, for every module, hostile ones included, that
//!
//! 1. between two accesses that the *compiled* code performs lies a bounded number of instructions, and that
//! 2. no instruction has the host access linear memory, where a fault would end the process.
//!
//! For the second, `memory.fill` and `memory.copy` become calls of functions that are appended, and modules with
//! `memory.init` are refused. For the first, there are *touches* where the module's own accesses do not do: calls of an
//! appended function that loads from address 0. A touch is a call since Cranelift removes accesses: a load of what was
//! loaded or stored before, a store of what is there, a store that is overwritten. To calls it does nothing, provided
//! that Wasmtime's inlining is off, and what it knows of memory ends at them.
//!
//! # Which accesses count
//!
//! Cranelift (0.135: `alias_analysis.rs`, `egraph/mod.rs`) drops an access in favour of another of the same address,
//! *the same SSA value*, that was computed with no call in between:
//!
//! - a load or store of what is known, in favour of one that dominates it. That one comes earlier on every path, behind
//!   the place where the address is computed and behind the last call.
//! - a store, in favour of an overwriting one that postdominates it. No call, return or other instruction that may trap
//!   comes between them, for these observe the first. If a loop does, it has accesses of its own.
//!
//! Accesses of linear memory have a trap code, so one whose result nobody uses stays. Hence:
//!
//! - *From the start of a function to its first call or end, and from its last call to its end,* any access counts.
//!   Where a path has none, the function gets a touch at its start, or one before that end. So every call and every
//!   return means an access: recursion, trees of calls and chains of returns are bounded.
//! - *In a loop,* an access counts if its address is a variable that steps in this loop, times constants, plus or minus
//!   values that the loop does not change. Such an address is computed anew in each iteration, and what dominates the access and uses it
//!   was executed in the same iteration; and as the addresses differ, no store of another iteration overwrites it. It
//!   counts for the loops around as well. `loops` says when Cranelift has such a variable. A call counts always. A
//!   loop in which one iteration can do without either gets a touch at its head.
//! - *Along one path,* there is a touch after 2048 instructions without touch or call, and one after each instruction
//!   that makes the host work on tables or makes memory larger.
//!
//! A way without access takes each loop's branch back once at most, from the inner to the outer ones, and loops deeper
//! than 16 have touches. So it has less than 17 × 2048 instructions, twice that across a call or return.

#![deny(unsafe_code)]

mod helpers;
mod loops;
mod operator;
mod origins;
mod outline;
mod paths;
mod reason;
mod rewrite;
mod values;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use wasmparser::{FunctionBody, Operator};

use helpers::Helper;
use loops::Loops;
use origins::Origin;
use outline::Outline;
use paths::Touches;
use rewrite::Helpers;

pub use origins::Origins;
pub use reason::Reason;

/// A module whose guest stops when its memory is taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interruptible {
    /// The module. Functions, globals and all else keep their indices.
    pub wasm: Vec<u8>,
    /// How many touches it got.
    pub touches: usize,
    /// Where its instructions were.
    pub origins: Origins,
}

/// What is made of a module; another number for each version of this code that makes something else of it.
pub const REVISION: u32 = 3;

/// The export that is added of a module's stack pointer, if it has one, so that the host sees where a stack overflowed.
pub const STACK_POINTER: &str = "kernelpack-host:stack-pointer";

/// Makes a verified module interruptible.
///
/// # Errors
/// See [`Reason`].
pub fn make(wasm: &[u8]) -> Result<Interruptible, Reason> {
    let outline = Outline::read(wasm)?;
    if outline.memory == 0 {
        return Err(Reason::NoMemory);
    }
    rewrite(wasm, &outline, true)
}

/// Only makes functions of `memory.fill` and `memory.copy`, so that epochs interrupt them, and has calls of a function that
/// does nothing behind all other instructions that make the host work: epochs are looked at in loops and where functions
/// begin, and a straight line of thousands of such instructions has neither.
///
/// # Errors
/// See [`Reason`].
pub fn lower_bulk(wasm: &[u8]) -> Result<Interruptible, Reason> {
    rewrite(wasm, &Outline::read(wasm)?, false)
}

/// What becomes of one function.
struct Change {
    touches: Touches,
    fills: bool,
    copies: bool,
}

impl Change {
    fn is_none(&self) -> bool {
        self.touches.count() == 0 && !self.fills && !self.copies
    }
}

fn rewrite(wasm: &[u8], outline: &Outline<'_>, touch: bool) -> Result<Interruptible, Reason> {
    let mut changes = Vec::with_capacity(outline.bodies.len());
    for (body, &ty) in outline.bodies.iter().zip(&outline.functions) {
        let (_, results) = outline.type_arity(ty)?;
        changes.push(change(outline, &read(body)?, results, touch)?);
    }
    let touches = changes.iter().map(|change| change.touches.count()).sum();
    let all = [
        (if touch { Helper::Touch } else { Helper::Check }, touches > 0),
        (Helper::Fill, changes.iter().any(|change| change.fills)),
        (Helper::Copy, changes.iter().any(|change| change.copies)),
    ];
    let all: Vec<_> = all.into_iter().filter(|(_, needed)| *needed).map(|(helper, _)| helper).collect();
    if all.is_empty() && outline.stack.is_none() {
        let origins = outline.bodies.iter().map(|body| Origin::at(body.range().start)).collect();
        return Ok(Interruptible { wasm: wasm.to_owned(), touches, origins: Origins::new(origins) });
    }
    let helpers = Helpers::new(outline, all.clone());
    let mut bodies = Vec::with_capacity(changes.len() + all.len());
    let mut origins = Vec::with_capacity(changes.len());
    for (body, change) in outline.bodies.iter().zip(&changes) {
        let (body, origin) = if change.is_none() {
            (Cow::Borrowed(body.as_bytes()), Origin::at(body.range().start))
        } else {
            // Read again: all functions' instructions at once would take a lot of memory.
            let (body, origin) = rewrite::body(wasm, body.range(), &read(body)?, &change.touches, &helpers)?;
            (Cow::Owned(body), origin)
        };
        bodies.push(body);
        origins.push(origin);
    }
    bodies.extend(all.iter().map(|helper| Cow::Owned(helper.body())));
    let wasm = rewrite::module(wasm, outline, &helpers, &bodies)?;
    Ok(Interruptible { wasm, touches, origins: Origins::new(origins) })
}

fn change(
    outline: &Outline<'_>,
    operators: &[(Operator<'_>, usize)],
    results: usize,
    touch: bool,
) -> Result<Change, Reason> {
    let has = |wanted: fn(&Operator<'_>) -> bool| operators.iter().any(|(operator, _)| wanted(operator));
    let touches = if touch {
        let refused = |operator: &&(Operator<'_>, usize)| {
            matches!(operator.0, Operator::MemoryInit { .. }) || !operator::is_supported(&operator.0)
        };
        if let Some((operator, _)) = operators.iter().find(refused) {
            return Err(Reason::unknown(operator));
        }
        paths::find(outline, results, operators, &Loops::read(operators, outline.memory)?)?
    } else {
        Touches::behind_work(operators)
    };
    Ok(Change {
        touches,
        fills: has(|operator| matches!(operator, Operator::MemoryFill { .. })),
        copies: has(|operator| matches!(operator, Operator::MemoryCopy { .. })),
    })
}

/// A function's instructions, with their offsets in the module.
fn read<'a>(body: &FunctionBody<'a>) -> Result<Vec<(Operator<'a>, usize)>, Reason> {
    let operators = body.get_operators_reader().map_err(Reason::unreadable)?;
    operators.into_iter_with_offsets().collect::<Result<_, _>>().map_err(Reason::unreadable)
}
