//! The core kernels: RMSNorm, SwiGLU and RoPE over `f32`.
//!
//! Bodies are plain Rust over slices. Inner loops run over arrays of fixed size, so that LLVM unrolls them into SIMD
//! code and an epoch check, which sits at each loop's back edge, is paid once for many elements. Nothing here depends
//! on a platform's libm: the sandbox and the native reference give the same bits.
#![cfg_attr(target_family = "wasm", no_std)]

mod rmsnorm;
mod rope;
mod swiglu;

pub use rmsnorm::rmsnorm_f32;
pub use rope::rope_f32;
pub use swiglu::swiglu_f32;
