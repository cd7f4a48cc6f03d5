//! Replacing packs in use: what callers see, what fails at which step, and what is left on disk, on each engine. Packs
//! with native code are only swapped under load: their steps are the same.

mod bound;
mod inbox;
mod kill;
mod refusals;
mod releases;
mod rollback;
mod signers;
mod store;
mod threads;
