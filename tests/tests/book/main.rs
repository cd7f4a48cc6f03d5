//! The documents of this repository: their examples, and what they say about the sources.

mod engine;
#[allow(unreachable_pub, reason = "the examples are those of a crate of their own")]
mod kernels;
mod pages;
