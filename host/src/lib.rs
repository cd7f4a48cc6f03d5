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
//! the caller, [`Error::Kernel`] and [`Error::OutOfService`] the kernel, [`Error::TrustStore`] the operator,
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
//! | `kernelpack_failures_total` | counter | `kind` | failures of the kernel, by [`KernelError::kind`] |
//! | `kernelpack_fallbacks_total` | counter | `result`: `ok`, `failed` | runs of the reference in the kernel's stead |
//! | `kernelpack_degraded` | gauge | | 1 while the last call did not get its result from the sandbox |
//! | `kernelpack_out_of_service` | gauge | | 1 while the circuit breaker keeps calls from the sandbox |
//! | `kernelpack_instances` | gauge | `state`: `idle`, `busy` | instances in the pool, at the end of the last call |
//! | `kernelpack_pack_info` | gauge | none, and no `kernel` | packs that are loaded |
//!
//! `placement` is `sandboxed` or `native`. `outcome` is `ok`, `fallback` (the reference gave the result), `refused` (the
//! kernel does not take the arguments: statuses 1 to 3), `failed` (any other failure of the kernel, without a result),
//! `bad_call` (the caller is at fault), `engine` (the machine is), `internal` (Kernelpack is) or `out_of_service`.
#![forbid(unsafe_code)]

pub use kernelpack_manager::{
    Bindable, CheckFailed, Fallback, Followed, FollowedBound, KernelManager, KernelManagerBuilder, ManagerError,
    PackStore, RollbackError, Stage, StoreError, StoreState, Swapped, Upgrade, UpgradeError, Watch, WatchBuilder,
    WatchEvent,
};
pub use kernelpack_runtime::*;
