//! The documents of this repository: their examples, and what they say about the sources.

mod engine;
mod kernels;
mod pages;
