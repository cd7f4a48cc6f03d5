//! The house keeps its order: crates depend downwards only, and files do not import each other in a circle.
//!
//! Nothing here is built or run: the tests read `DESIGN.md`, manifests and sources.

mod circles;
mod crates;
mod graph;
mod mentions;
mod resolve;
mod tree;
mod workspace;
