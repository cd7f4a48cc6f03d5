//! Rewrites modules so that making a guest's memory inaccessible stops the guest.
//!
//! A watchdog stops a call that overruns its budget by making the instance's linear memory inaccessible: the guest's
//! next access faults, and the fault is a trap like that of any out-of-bounds access. So loops contain no checks. This
//! requires, for every module, hostile ones included, that
//!
//! 1. there is a bounded number of instructions between two accesses that the *compiled* code performs, and that
//! 2. no instruction makes the host access linear memory, where a fault would end the process.
//!
//! To meet condition 2, `memory.fill` and `memory.copy` become calls of appended functions, and modules with
//! `memory.init` are rejected. To meet condition 1, *touches* are added where the module's own accesses are not enough:
//! calls of an appended function that loads from address 0. A touch is a call because Cranelift removes accesses: a
//! load of a value that was loaded or stored before, a store of a value that is already there, and a store that is
//! overwritten. Cranelift does not remove calls, provided that Wasmtime's inlining is off, and after a call it assumes
//! nothing about the contents of memory.
//!
//! # Which accesses count
//!
//! Cranelift (0.135: `alias_analysis.rs`, `egraph/mod.rs`) drops an access in favour of another of the same address,
//! *the same SSA value*, that was computed with no call in between:
//!
//! - a load or store of a known value, in favour of one that dominates it. That one comes earlier on every path, after
//!   the point where the address is computed and after the last call.
//! - a store, in favour of an overwriting one that postdominates it. No call, return or other instruction that may trap
//!   comes between them, since these observe the first. A loop between them has accesses of its own.
//!
//! Accesses of linear memory have a trap code, so an access stays even if its result is unused. Hence:
//!
//! - *From the start of a function to its first call or end, and from its last call to its end,* any access counts. If
//!   a path has none, the function gets a touch at its start, or one before that end. So every call and every return
//!   implies an access: recursion, trees of calls and chains of returns are bounded.
//! - *In a loop,* an access counts if its address is a variable that steps in this loop, times constants, plus or minus
//!   values that the loop does not change. Such an address is computed again in each iteration, and an access that uses
//!   it and dominates this one was executed in the same iteration; since the addresses differ, no store of another
//!   iteration overwrites it. It also counts for the enclosing loops. `loops` says when Cranelift has such a variable.
//!   A call always counts. A loop that may complete an iteration without either gets a touch at its head.
//! - *Along one path,* a touch follows every 2048 instructions without a touch or call, and every instruction that
//!   makes the host work on tables or grows memory.
//!
//! A path without accesses takes each loop's back edge at most once, from the inner to the outer ones, and loops nested
//! deeper than 16 have touches. So it has fewer than 17 × 2048 instructions, and twice that across a call or return.

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

/// A module whose guest soon traps when its memory becomes inaccessible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interruptible {
    /// The module. Functions, globals and all other items keep their indices.
    pub wasm: Vec<u8>,
    /// The number of touches that were added.
    pub touches: usize,
    /// The offsets of its instructions in the original module.
    pub origins: Origins,
}

/// The version of the rewriting; it changes whenever this code produces another result for some module.
pub const REVISION: u32 = 3;

/// The name under which a module's stack pointer is exported, if it has one, so that the host can detect a stack
/// overflow.
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

/// Replaces `memory.fill` and `memory.copy` by functions, so that epochs interrupt them, and adds a call of an empty
/// function after each other instruction that makes the host work. Epochs are checked only in loops and at the start of
/// functions, and straight-line code with thousands of such instructions has neither. No touches are added.
///
/// # Errors
/// See [`Reason`].
pub fn lower_bulk(wasm: &[u8]) -> Result<Interruptible, Reason> {
    rewrite(wasm, &Outline::read(wasm)?, false)
}

/// The changes to one function.
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
            // The body is read a second time, since the instructions of all functions at once would take a lot of
            // memory.
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

/// Returns a function's instructions, with their offsets in the module.
fn read<'a>(body: &FunctionBody<'a>) -> Result<Vec<(Operator<'a>, usize)>, Reason> {
    let operators = body.get_operators_reader().map_err(Reason::unreadable)?;
    operators.into_iter_with_offsets().collect::<Result<_, _>>().map_err(Reason::unreadable)
}
