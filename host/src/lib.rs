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
//! the caller, [`Error::Trapped`] and [`Error::OutOfService`] the kernel, [`Error::TrustStore`] the operator,
//! [`Error::Engine`] the machine.
//!
//! # Features
//! | feature | what |
//! |---|---|
//! | `wasmtime`, on by default | `Runtime::server`: Wasmtime, which compiles modules when a pack is opened |
//! | `wamr` | `Runtime::embedded`: WAMR's interpreter, for small devices; needs a C compiler |
//! | `wamr-aot` | `Runtime::embedded`: WAMR for the native code in packs whose signer may vouch for such |
//! | `wamr-compile` | `RuntimeBuilder::compile_native`: that, and native code which the host compiles itself, by running `kernelpack-wamrc` |
//! | `async` | calls that return futures |
//!
//! # Metrics
//! Unless [`RuntimeBuilder::metrics`] says otherwise, packs report to the recorder of the `metrics` facade that is
//! installed when they are loaded. All of these have the labels `kernel`, `pack` and `version`:
//!
//! | metric | type, unit | more labels | what |
//! |---|---|---|---|
//! | `kernelpack_calls_total` | counter | `placement`, `outcome` | calls by how they ended, see below |
//! | `kernelpack_call_duration_seconds` | histogram, s | `placement` | one call in 64, whole: checks, copies, kernel, fallback |
//! | `kernelpack_traps_total` | counter | `kind` | failures of the kernel, by [`KernelError::kind`] |
//! | `kernelpack_fallbacks_total` | counter | `result`: `ok`, `failed` | runs of the reference in the kernel's stead |
//! | `kernelpack_degraded` | gauge | | 1 while the last call did not get its result from the sandbox |
//! | `kernelpack_out_of_service` | gauge | | 1 while the circuit breaker keeps calls from the sandbox |
//! | `kernelpack_instances` | gauge | `state`: `idle`, `busy` | instances in the pool, at the end of the last call |
//! | `kernelpack_pack_info` | gauge | none, and no `kernel` | packs that are loaded |
//!
//! `placement` is `sandboxed` or `native`. `outcome` is `ok`, `fallback` (the reference gave the result), `refused` (the
//! kernel does not take the arguments: statuses 1 to 3), `trapped` (any other failure of the kernel, without a result),
//! `bad_call` (the caller is at fault), `engine` (the machine is) or `out_of_service`.
// Allowed file by file, each with its reason: where address space is made and changed, and where an engine takes our word.
#![deny(unsafe_code)]

mod bad_call;
mod binding;
mod bound;
mod cores;
mod dynamic;
mod error;
#[cfg(feature = "async")]
mod future;
mod guest;
mod health;
mod load_event;
mod loaded;
mod manager;
mod neighbours;
mod pack;
mod parallel;
mod pool;
mod prepared;
mod raw_call;
mod recovery;
mod runtime;
mod served;
mod split;
mod store;
mod tensor;
mod trust_file;
mod typed;

pub use bad_call::BadCall;
pub use bound::Bound;
pub use dynamic::{DynBound, DynKernel, DynTensor, DynView, DynViewMut};
pub use error::{EngineError, Error, OutOfService, Trapped, TrustFileError};
pub use health::{CheckedVector, FailedVector, HealthError, HealthFault, HealthReport, Unchecked, Unhealthy};
pub use kernelpack_abi as abi;
pub use kernelpack_compile_cache::{CacheError, CacheOutcome, EntryFault};
pub use kernelpack_engine::{Backtrace, BacktraceFrame, EngineSettings, Interruption, KernelError, StartError};
pub use kernelpack_manifest::{
    AotFacts, AotFault, AotFile, AotRecord, AotTarget, CompatibilityChecker, CompatibilityResult, KernelPackVerifier,
    KeyStatus, Manifest, Mismatch, PublicKey, Rejected, Revocation, SignedManifest, Signer, Timestamp, TrustStore,
    TrustStoreError, TrustedKey, Value, VerifiedAot, VerifiedModule, VerifiedVector, VerifyError,
};
#[cfg(feature = "kernelpack-wamr")]
pub use kernelpack_wamr::{Execution, Wamr};
#[cfg(feature = "wamr-compile")]
pub use kernelpack_wamr::{NativeCompiler, NativeCompilerError, OutputFault};
#[cfg(feature = "wasmtime")]
pub use kernelpack_wasmtime::Wasmtime;
pub use load_event::LoadEvent;
pub use manager::{
    CheckFailed, Fallback, Followed, FollowedBound, KernelManager, KernelManagerBuilder, ManagerError, RollbackError,
    Stage, Swapped, Upgrade, UpgradeError, Watch, WatchBuilder, WatchEvent,
};
pub use pack::{Pack, PackId, VerifiedPack, check_pack_files, read_manifest, read_pack_file};
pub use pool::{Occupancy, PoolPolicy, WhenFull};
pub use prepared::Prepared;
pub use raw_call::RawCall;
pub use recovery::{BreakerPolicy, FallbackPolicy, Placement};
pub use runtime::{Runtime, RuntimeBuilder};
pub use store::{PackStore, StoreError, StoreState};
pub use tensor::Tensor;
pub use trust_file::read_trust_store;
pub use typed::TypedKernel;
