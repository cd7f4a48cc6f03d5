//! Turns a crate of annotated functions into a signed pack of WebAssembly kernels.
//!
//! Cargo compiles the crate to one module ([`build`]), whose custom section lists the kernels in it. [`passes`] make a
//! module of each kernel, the functions themselves compute what health vectors expect, the manifest describes
//! everything, and a key signs the manifest ([`sign`](sign())). The pack is written completely or not at all.
//! [`generate`] makes keys.
//!
//! The invariant: equal sources, compilers and keys give equal bytes, in any folder and at any time. This crate
//! contains no engine: kernels only run as the author's functions, in a separate program. It prints nothing, and
//! reports its steps as [`Event`]s.
//!
//! # Example: a key and a pack
//! ```no_run
//! use kernelpack_packer::{BuildOptions, Event, Features, Health, Signing, build, generate, load_secret_key};
//!
//! let keys = generate("release".as_ref())?;
//! let options = BuildOptions {
//!     crate_dir: "kernels".into(),
//!     package: None,
//!     features: Features::default(),
//!     out_dir: "kernel-pack-v1.0.0".into(),
//!     health: Health::default(),
//!     scalar: true,
//!     signing: Signing::Now(load_secret_key(&keys.secret)?),
//! };
//! let built = build(&options, &mut |event| match event {
//!     Event::Cargo { line } => eprintln!("{line}"),
//!     Event::Warning(warning) => eprintln!("warning: {warning}"),
//!     _ => {}
//! })?;
//! println!("{} kernels, {}", built.manifest.kernels.len(), built.digest);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod aot;
mod build;
mod check;
mod compile;
mod created_at;
mod diagnostics;
mod error;
mod event;
mod health;
mod key_files;
mod keygen;
mod manifest;
mod no_answer;
mod overrides;
mod pack_files;
pub mod passes;
mod project;
pub mod raw;
mod sign;
mod sign_error;
mod simd;
mod toolchain;
mod write;

pub use aot::{AotError, AotMade, AotOptions, aot};
pub use build::{BuildOptions, Built, Signing, build};
pub use compile::Features;
pub use error::BuildError;
pub use event::{Event, Warning};
pub use health::Health;
pub use kernelpack_manifest::{MANIFEST_FILE, SIGNATURE_FILE};
pub use kernelpack_wamr_driver::{Compiler as AotCompiler, CompilerError};
pub use key_files::{KeyFileError, load_public_key, load_secret_key};
pub use keygen::{GeneratedKeys, KeygenError, generate};
pub use no_answer::NoAnswer;
pub use raw::RawError;
pub use sign::sign;
pub use sign_error::SignError;
