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
//! the caller, [`Error::Trapped`] the kernel, [`Error::TrustStore`] the operator, [`Error::Engine`] the machine.
#![forbid(unsafe_code)]

mod bad_call;
mod dynamic;
mod engine;
mod error;
#[cfg(feature = "async")]
mod future;
mod guest;
mod health;
mod kernel_error;
mod loaded;
mod manager;
mod pack;
mod pool;
mod prepared;
mod runtime;
mod store;
mod trust_file;
mod typed;

pub use bad_call::BadCall;
pub use dynamic::{DynKernel, DynTensor, DynView};
pub use error::{EngineError, Error, Trapped, TrustFileError};
pub use health::{CheckedVector, HealthFault, HealthReport, Unhealthy};
pub use kernel_error::KernelError;
pub use kernelpack_abi as abi;
pub use kernelpack_manifest::{
    CompatibilityChecker, CompatibilityResult, KernelPackVerifier, KeyStatus, Manifest, Mismatch, PublicKey, Rejected,
    Revocation, SignedManifest, Signer, Timestamp, TrustStore, TrustStoreError, TrustedKey, Value, VerifiedModule,
    VerifiedVector, VerifyError,
};
pub use manager::{
    CheckFailed, Fallback, Followed, KernelManager, KernelManagerBuilder, ManagerError, RollbackError, Stage, Swapped,
    Upgrade, UpgradeError, Watch, WatchBuilder, WatchEvent,
};
pub use pack::{Pack, PackId, VerifiedPack, read_manifest};
pub use pool::{Occupancy, PoolPolicy, WhenFull};
pub use prepared::Prepared;
pub use runtime::{Runtime, RuntimeBuilder};
pub use store::{PackStore, StoreError, StoreState};
pub use trust_file::read_trust_store;
pub use typed::TypedKernel;
