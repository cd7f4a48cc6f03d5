//! Verifies kernel packs and calls their kernels in a sandbox.
//!
//! # Example: from a pack to a result
//! ```no_run
//! use kernelpack_host::{PublicKey, Runtime};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let key = PublicKey::from_pem(&std::fs::read_to_string("release.pub")?)?;
//! let runtime = Runtime::server().trust(key).build()?;
//! let pack = runtime.open("kernel-pack-v1.0.0")?;
//! let rmsnorm = pack.kernel_named("rmsnorm_f32")?;
//! # Ok(())
//! # }
//! ```
//!
//! A kernel crate's stubs give [`Pack::kernel`] its types; [`Pack::kernel_named`] needs none.
//!
//! Nothing of a pack is compiled before it is verified: [`VerifiedPack`] can be made only by checking everything, and
//! [`Runtime::load`] takes nothing else. Errors say who is at fault: [`Error::Rejected`] the pack, [`Error::BadCall`]
//! the caller, [`Error::Trapped`] the kernel, [`Error::Engine`] the machine.
#![forbid(unsafe_code)]

mod backtrace;
mod bad_call;
mod dynamic;
mod engine;
mod error;
mod guest;
mod kernel_error;
mod loaded;
mod pack;
mod prepared;
mod recovery;
mod runtime;
mod typed;

pub use backtrace::{Backtrace, BacktraceFrame};
pub use bad_call::BadCall;
pub use dynamic::{DynKernel, DynTensor, DynView};
pub use error::{EngineError, Error, OutOfService, Trapped};
pub use kernel_error::KernelError;
pub use kernelpack_abi as abi;
pub use kernelpack_manifest::{
    CompatibilityChecker, CompatibilityResult, KernelPackVerifier, Manifest, PublicKey, Rejected, SignedManifest,
    VerifiedModule,
};
pub use pack::{Pack, VerifiedPack, read_manifest};
pub use prepared::Prepared;
pub use recovery::{BreakerPolicy, FallbackPolicy, Placement};
pub use runtime::{Runtime, RuntimeBuilder};
pub use typed::TypedKernel;
