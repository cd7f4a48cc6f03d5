//! The house keeps its order.
//!
//! Nothing here is built or run: the tests read `DESIGN.md` and manifests.

mod crates;
mod workspace;
