//! Verifies kernel packs and calls their kernels in a sandbox.
//!
//! Engine developers use this crate through `kernelpack-host`, whose documentation begins with an example.
//!
//! A [`Runtime`] reads, verifies and loads packs; each kernel of a [`Pack`] is called through a [`TypedKernel`], a
//! [`DynKernel`] or a [`Bound`]; the runtime's policies say how failed calls are recovered. A pack is verified before
//! anything in it is compiled: making a [`VerifiedPack`] checks everything, and [`Runtime::load`] takes nothing else.
// `unsafe` is allowed file by file, each time with a reason.
#![deny(unsafe_code)]

mod bad_call;
mod binding;
mod bound;
mod bound_call;
mod call;
mod compiled;
mod dispatcher;
mod dynamic;
mod error;
#[cfg(test)]
mod fixture;
#[cfg(feature = "async")]
mod future;
mod guest;
mod health;
mod load_event;
mod loaded;
mod metrics;
mod neighbours;
mod origin;
mod pack;
mod parallel;
mod pool;
#[cfg(feature = "measure")]
mod prepared;
#[cfg(feature = "measure")]
mod raw_call;
mod recovery;
mod runtime;
mod split;
mod tensor;
mod trust_file;
mod typed;
mod workers;

pub use bad_call::BadCall;
pub use bound::Bound;
pub use dynamic::{DynBound, DynKernel, DynTensor, DynView, DynViewMut};
pub use error::{ConfigError, Error, FileError, KernelFailure, LoadError, OutOfService, ResourceError, TrustFileError};
pub use health::{CheckedVector, FailedVector, HealthError, HealthFault, HealthReport, Unchecked, Unhealthy};
pub use kernelpack_abi as abi;
pub use kernelpack_compile_cache::{CacheError, CacheOutcome, EntryFault};
pub use kernelpack_engine::{
    Backtrace, BacktraceFrame, CompileError, EngineSettings, Interruption, KernelError, StartError,
};
pub use kernelpack_manifest::{
    AotFacts, AotFault, AotFile, AotRecord, AotTarget, CompatibilityChecker, CompatibilityResult, KernelPackVerifier,
    KeyStatus, Manifest, Mismatch, PublicKey, Rejected, Revocation, SignedManifest, Signer, Timestamp, TrustStore,
    TrustStoreError, TrustedKey, Value, VerifiedAot, VerifiedInterface, VerifiedModule, VerifiedVector, VerifyError,
};
#[cfg(feature = "kernelpack-wamr")]
pub use kernelpack_wamr::{Execution, Wamr};
#[cfg(feature = "wamr-compile")]
pub use kernelpack_wamr::{NativeCompiler, NativeCompilerError, OutputFault};
#[cfg(feature = "wasmtime")]
pub use kernelpack_wasmtime::Wasmtime;
pub use load_event::LoadEvent;
pub use pack::{Pack, PackId, VerifiedKernel, VerifiedPack, check_pack_files, read_manifest, read_pack_file};
pub use pool::{Occupancy, PoolPolicy, WhenFull};
#[cfg(feature = "measure")]
pub use prepared::Prepared;
#[cfg(feature = "measure")]
pub use raw_call::RawCall;
pub use recovery::{BreakerPolicy, FallbackPolicy, Placement};
pub use runtime::{Runtime, RuntimeBuilder};
pub use tensor::Tensor;
pub use trust_file::read_trust_store;
pub use typed::TypedKernel;
