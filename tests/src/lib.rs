//! Shared parts of the tests and the demonstration: engines, golden files, packs, and packs that were tampered with.

pub mod bombs;
pub mod engine;
pub mod golden;
mod key;
pub mod pack;
pub mod program;
pub mod section;

/// For [`on_each_engine`] and [`on_both_engines`].
pub use macro_rules_attribute::apply;
