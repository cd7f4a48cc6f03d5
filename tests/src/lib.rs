//! What the tests and the demonstration share: golden files, packs, and packs that somebody tampered with.

pub mod golden;
pub mod pack;
pub mod section;
