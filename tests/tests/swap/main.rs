//! Replacing packs under way: what callers see, what fails at which step, and what is left on disk.

mod bound;
mod inbox;
mod kill;
mod refusals;
mod releases;
mod rollback;
mod store;
mod threads;
