//! Compares every kernel and every backward pass with independent computations.
//!
//! All calls go through [`sandbox`], which runs each of them natively and in the sandbox and requires the same bits.

mod agreement;
mod candle;
mod compare;
mod empty;
mod formulas;
mod forward;
mod ggml;
mod gradients;
mod requantization;
mod sandbox;
mod scalars;
mod special;
mod values;
