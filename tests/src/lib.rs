//! Shared parts of the tests and the demonstration: engines, golden files, packs, and packs that were tampered with.

pub mod bombs;
pub mod engine;
pub mod golden;
mod key;
pub mod pack;
pub mod program;
pub mod section;

/// The attribute that applies [`on_each_engine`] or [`on_both_engines`] to a function.
pub use macro_rules_attribute::apply;
