//! Replacing packs under way: what callers see, what fails at which step, and what is left on disk, on each engine. Packs
//! with native code are swapped under load only: the steps are the same for them.

mod bound;
mod inbox;
mod kill;
mod refusals;
mod releases;
mod rollback;
mod signers;
mod store;
mod threads;
