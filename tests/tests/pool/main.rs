//! Many concurrent callers, and the budget of each of them, on each engine.

mod budgets;
mod futures;
mod stub;
mod threads;
#[path = "../end_to_end/wat_kernel.rs"]
#[expect(dead_code, reason = "the other tests of hand-written modules use the rest")]
mod wat_kernel;
