//! Verifies kernel packs and calls their kernels in a sandbox.
//!
//! # Example: from a pack to a result
//! ```no_run
//! use kernelpack_host::{PublicKey, Runtime, Tensor};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let key = PublicKey::from_pem(&std::fs::read_to_string("release.pub")?)?;
//! let runtime = Runtime::server().trust(key).build()?;
//! let pack = runtime.open("kernel-pack-v1.0.0")?;
//! let rmsnorm = pack.kernel_named("rmsnorm_f32")?;
//!
//! let x = Tensor::from_slice(&[3.0_f32, -4.0], &[1, 2])?;
//! let weight = Tensor::from_slice(&[1.0_f32, 1.0], &[2])?;
//! let results = rmsnorm.run(&[("x", (&x).into()), ("weight", (&weight).into())], &[])?;
//! println!("{:?}", results[0].to_vec::<f32>()?);
//! # Ok(())
//! # }
//! ```
//!
//! A kernel crate's stubs give [`Pack::kernel`] its types; [`Pack::kernel_named`] needs none.
//!
//! Nothing of a pack is compiled before it is verified: [`VerifiedPack`](pack::VerifiedPack) can be made only by
//! checking everything, and [`Runtime::load`] takes nothing else. Errors say who is at fault: [`Error::Rejected`] the
//! pack, [`Error::BadCall`] the caller, [`Error::Kernel`] and [`Error::OutOfService`] the kernel, [`Error::TrustStore`]
//! the operator, [`Error::Config`] the program's settings, [`Error::File`] a file that cannot be read,
//! [`Error::Resources`] a machine that is short of something, [`Error::Load`] a module that the engine does not take,
//! [`Error::Internal`] this crate. Items that are not at the crate's root are in modules by subject; the [prelude] has
//! what most programs need.
//!
//! # Features
//! | feature | what |
//! |---|---|
//! | `wasmtime`, on by default | `Runtime::server`: Wasmtime, which compiles modules when a pack is opened |
//! | `wamr` | `Runtime::embedded`: WAMR's interpreter, for small devices; needs a C compiler |
//! | `wamr-aot` | `Runtime::embedded`: WAMR for the native code in packs whose signer may vouch for such |
//! | `wamr-compile` | `Wamr::compile_native`: that, and native code which the host compiles itself, by running `kernelpack-wamrc` |
//! | `async` | calls that return futures |
//! | `measure` | calls to measure against, for benchmarks |
//!
//! # Metrics
//! Unless [`RuntimeBuilder::metrics`] says otherwise, packs report to the recorder of the `metrics` facade that is
//! installed when they are loaded. All of these have the labels `kernel`, `pack` and `version`:
//!
//! | metric | type, unit | more labels | what |
//! |---|---|---|---|
//! | `kernelpack_calls_total` | counter | `placement`, `outcome` | calls by how they ended, see below |
//! | `kernelpack_call_duration_seconds` | histogram, s | `placement` | one call in 64, whole: checks, copies, kernel, fallback |
//! | `kernelpack_failures_total` | counter | `kind` | failures of the kernel, by [`KernelError::kind`](error::KernelError::kind) |
//! | `kernelpack_fallbacks_total` | counter | `result`: `ok`, `failed` | runs of the reference in place of the kernel |
//! | `kernelpack_degraded` | gauge | | 1 while the last call did not get its result from the sandbox |
//! | `kernelpack_out_of_service` | gauge | | 1 while the circuit breaker keeps calls out of the sandbox |
//! | `kernelpack_instances` | gauge | `state`: `idle`, `busy` | instances in the pool, at the end of the last call |
//! | `kernelpack_pack_info` | gauge | none, and no `kernel` | packs that are loaded |
//!
//! `placement` is `sandboxed` or `native`. `outcome` is `ok`, `fallback` (the reference computed the result), `refused`
//! (the kernel does not take the arguments: statuses 1 to 3), `failed` (any other failure of the kernel, without a
//! result), `bad_call` (the caller is at fault), `engine` (the machine is at fault), `internal` (Kernelpack is at
//! fault) or `out_of_service`.
#![forbid(unsafe_code)]

pub use kernelpack_runtime::abi;
#[doc(inline)]
pub use kernelpack_runtime::{
    Bound, DynBound, DynKernel, Error, Pack, PublicKey, Runtime, RuntimeBuilder, Tensor, TypedKernel,
};

/// Engines and their settings.
pub mod engine {
    #[cfg(feature = "wamr-compile")]
    #[doc(inline)]
    pub use kernelpack_runtime::NativeCompiler;
    #[cfg(feature = "wasmtime")]
    #[doc(inline)]
    pub use kernelpack_runtime::Wasmtime;
    #[doc(inline)]
    pub use kernelpack_runtime::{EngineSettings, Interruption};
    #[cfg(any(feature = "wamr", feature = "wamr-aot", feature = "wamr-compile"))]
    #[doc(inline)]
    pub use kernelpack_runtime::{Execution, Wamr};
}

/// Errors, by who is at fault.
pub mod error {
    #[doc(inline)]
    pub use kernelpack_runtime::{
        AotFault, Backtrace, BacktraceFrame, BadCall, CacheError, CompileError, ConfigError, FileError, KernelError,
        KernelFailure, LoadError, OutOfService, Rejected, ResourceError, StartError, TrustFileError, TrustStoreError,
        VerifyError,
    };
    #[cfg(feature = "wamr-compile")]
    #[doc(inline)]
    pub use kernelpack_runtime::{NativeCompilerError, OutputFault};
}

/// Checks of a pack by its health vectors.
pub mod health {
    #[doc(inline)]
    pub use kernelpack_runtime::{
        CheckedVector, FailedVector, HealthError, HealthFault, HealthReport, Unchecked, Unhealthy,
    };
}

/// Replacing packs while their kernels are called: managers, stores and watches.
pub mod manager {
    #[doc(inline)]
    pub use kernelpack_manager::{
        Bindable, CheckFailed, Fallback, Followed, FollowedBound, KernelManager, KernelManagerBuilder, ManagerError,
        PackStore, RollbackError, Stage, StoreError, StoreState, Swapped, Upgrade, UpgradeError, Watch, WatchBuilder,
        WatchEvent,
    };
}

#[cfg(feature = "measure")]
/// Baseline calls for measurements.
pub mod measure {
    #[doc(inline)]
    pub use kernelpack_runtime::{Prepared, RawCall};
}

/// Packs before they are loaded: manifests, verification and compatibility.
pub mod pack {
    #[doc(inline)]
    pub use kernelpack_runtime::{
        AotFacts, AotFile, AotRecord, AotTarget, CacheOutcome, CompatibilityChecker, CompatibilityResult, EntryFault,
        LoadEvent, Manifest, Mismatch, PackId, SignedManifest, Timestamp, Value, VerifiedAot, VerifiedInterface,
        VerifiedKernel, VerifiedModule, VerifiedPack, VerifiedVector, check_pack_files, read_manifest, read_pack_file,
    };
}

/// Policies for instances, failures and placement.
pub mod policy {
    #[doc(inline)]
    pub use kernelpack_runtime::{BreakerPolicy, FallbackPolicy, Occupancy, Placement, PoolPolicy, WhenFull};
}

/// Tensors whose types are known at run time.
pub mod tensor {
    #[doc(inline)]
    pub use kernelpack_runtime::{DynTensor, DynView, DynViewMut};
}

/// Keys and trust stores.
pub mod trust {
    #[doc(inline)]
    pub use kernelpack_runtime::{
        KernelPackVerifier, KeyStatus, Revocation, Signer, TrustStore, TrustedKey, read_trust_store,
    };
}

/// The names that most programs need: `use kernelpack_host::prelude::*;`.
pub mod prelude {
    pub use kernelpack_runtime::abi::{TensorView, TensorViewMut, view, view_mut};
    #[doc(inline)]
    pub use kernelpack_runtime::{Bound, DynKernel, Error, Pack, PublicKey, Runtime, Tensor, TypedKernel};
}
