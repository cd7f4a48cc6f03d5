//! Checks the structure of the sources: crates depend downwards only, files do not import each other in a circle,
//! errors state their causes once, modules and tests are where a reader looks for them, and handles have examples.
//!
//! Nothing is built or run here: the tests read `DESIGN.md`, manifests and sources.

mod circles;
mod crates;
mod errors;
mod examples;
mod graph;
mod habits;
mod mentions;
mod resolve;
mod tree;
mod workspace;
