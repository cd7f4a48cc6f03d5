//! The core kernels: RoPE, RMSNorm, SwiGLU, quantization of the key-value cache, and LoRA.
//!
//! Kernels are plain Rust over slices. Inner loops run over arrays of fixed size, so that LLVM unrolls them into SIMD
//! code, and an epoch check at a loop's back edge is paid once for many elements. Nothing here depends on a platform's
//! libm: the sandbox and the native reference give the same bits.
#![cfg_attr(target_family = "wasm", no_std)]

mod convert;
mod kv;
mod lora;
mod quant;
mod rmsnorm;
mod rope;
mod swiglu;

pub use kv::{kv_pack_q4, kv_pack_q8, kv_unpack_q4, kv_unpack_q8};
pub use lora::{lora_apply_f16, lora_apply_f32, lora_apply_f32_backward};
pub use rmsnorm::{rmsnorm_f16, rmsnorm_f32, rmsnorm_f32_backward};
pub use rope::{rope_f16, rope_f32, rope_f32_backward, rope_q8};
pub use swiglu::{swiglu_f16, swiglu_f32, swiglu_f32_backward};
