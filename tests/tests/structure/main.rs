//! The house keeps its order: crates depend downwards only, files do not import each other in a circle, and modules and
//! their tests stand where a reader looks for them.
//!
//! Nothing here is built or run: the tests read `DESIGN.md`, manifests and sources.

mod circles;
mod crates;
mod graph;
mod habits;
mod mentions;
mod resolve;
mod tree;
mod workspace;
