//! The engines, one file each, behind one contract.
//!
//! - [`Engine::compile`] takes a [`VerifiedModule`] only, so nothing unverified can be compiled.
//! - An [`Instance`] belongs to one caller at a time. It starts with its linear memory as the module declares it and
//!   obeys the limits it was made with, whatever the module asks for.
//! - [`Instance::call`] returns within the ticks given, a tick being [`TICK`], plus at most two ticks more, whatever the
//!   guest does, unless it was made with [`Interruption::Never`].
//! - A call that fails leaves the instance in an unknown state: the caller drops it. A call that returns, with whatever
//!   code, leaves it usable.

mod budget;
mod choice;
mod execution;
#[cfg(feature = "wasmtime")]
mod interruptible;
mod interruption;
#[cfg(feature = "wamr-compile")]
mod native_compiler;
mod stack;
mod ticker;
#[cfg(any(feature = "wamr", feature = "wamr-aot"))]
mod wamr;
#[cfg(feature = "wasmtime")]
mod wasmtime;
mod watchdog;

use std::{io, ops::Range, time::Duration};

use kernelpack_abi::{BatchStatus, ResourceLimits};
use kernelpack_manifest::{Memory, VerifiedAot, VerifiedModule};

use crate::{Backtrace, EngineError, KernelError, cache::CacheOutcome, memory::SharedPart};

pub(crate) use budget::Budget;
pub(crate) use choice::EngineChoice;
pub use execution::Execution;
pub use interruption::Interruption;
#[cfg(feature = "wamr-compile")]
pub use native_compiler::NativeCompiler;
#[cfg(any(feature = "wamr", feature = "wamr-aot"))]
pub(crate) use wamr::WamrEngine;
#[cfg(all(test, feature = "wamr"))]
pub(crate) use wamr::tests as wamr_tests;
#[cfg(feature = "wasmtime")]
pub(crate) use wasmtime::WasmtimeEngine;

/// The unit of execution budgets.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// Bytes of a page of linear memory.
pub(crate) const PAGE: u64 = 65536;

/// A module that exports a function `empty` which takes nothing, does nothing and returns nothing.
#[rustfmt::skip]
const EMPTY_MODULE: &[u8] = &[
    0, b'a', b's', b'm', 1, 0, 0, 0,
    1, 4, 1, 0x60, 0, 0,                           // types: () -> ()
    3, 2, 1, 0,                                    // functions: of type 0
    7, 9, 1, 5, b'e', b'm', b'p', b't', b'y', 0, 0, // exports: function 0
    10, 4, 1, 2, 0, 0x0b,                          // code: no locals, end
];

/// Compiles verified modules.
pub(crate) trait Engine: Send + Sync {
    /// The name under which manifests list what they need of it.
    fn name(&self) -> &'static str;

    /// Its version.
    fn version(&self) -> semver::Version;

    /// The WebAssembly features that it was found to run, by the names that manifests use.
    fn features(&self) -> Vec<&'static str>;

    /// Whether native code that a pack brings is loaded in its modules' stead.
    fn runs_native(&self) -> bool {
        false
    }

    /// Memory that the engine can spare for a file of so many bytes, while a pack is opened.
    fn lend(&self, bytes: usize) -> Option<Box<dyn Memory>> {
        let _ = bytes;
        None
    }

    /// Compiles a module whose instances will obey `limits`, or loads native code in its stead, if the engine loads any.
    fn compile(
        &self,
        kernel: &str,
        module: &VerifiedModule,
        native: Option<VerifiedAot>,
        limits: ResourceLimits,
    ) -> Result<Box<dyn CompiledModule>, EngineError>;

    /// Makes an instance of a module of the engine's own.
    fn empty_function(&self) -> Result<Box<dyn EmptyFunction>, EngineError>;
}

/// A function that does nothing, with an instance to itself: for measuring what entering the sandbox takes.
pub(crate) trait EmptyFunction: Send {
    /// Calls it this many times. The error is the engine's words.
    fn call(&mut self, times: u32) -> Result<(), String>;
}

/// Why an instance was not made.
#[derive(Debug)]
pub(crate) struct NoInstance {
    /// The engine's words.
    pub(crate) message: String,
    /// Whether that is the module's fault: its segments do not fit. Else it is the machine's.
    pub(crate) by_module: bool,
}

/// A module ready to be instantiated.
pub(crate) trait CompiledModule: Send + Sync {
    /// Makes an instance; no code of the module runs.
    fn instantiate(&self) -> Result<Box<dyn Instance>, NoInstance>;

    /// Where its code came from.
    fn cache_outcome(&self) -> CacheOutcome;

    /// How calls of its instances are stopped.
    fn interruption(&self) -> Interruption;
}

/// Why and where a guest was stopped.
#[derive(Clone, Debug)]
pub(crate) struct Stop {
    pub(crate) error: KernelError,
    /// Empty where the engine keeps no account.
    pub(crate) backtrace: Backtrace,
}

/// Addresses in linear memory that a module tells its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Places {
    /// The value of `__heap_base`.
    pub(crate) heap_base: u32,
    /// The value of `kernel_message`.
    pub(crate) message: u32,
}

/// The exports that a host calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Export {
    /// `kernel_forward(descriptor)`.
    Forward,
    /// `kernel_backward(descriptor)`.
    Backward,
    /// `kernel_init(params, size)`.
    Init {
        /// Bytes of the params block.
        size: u32,
    },
    /// `kernel_info(info)`.
    Info,
    /// `kernel_cleanup()`.
    Cleanup,
}

/// A module with memory of its own.
pub(crate) trait Instance: Send {
    /// Bytes of linear memory.
    fn memory_size(&self) -> u64;

    /// Bytes of the pieces in which the host grows linear memory. The guest counts whole pages all the same.
    fn piece(&self) -> u64 {
        PAGE
    }

    /// Adds pieces to linear memory; `false` if the limits or the machine do not allow it.
    fn grow(&mut self, pieces: u64) -> bool;

    /// A range of linear memory; none if it is not all inside, or lies where [`close`](Self::close) closed it.
    fn bytes(&mut self, range: Range<usize>) -> Option<&mut [u8]>;

    /// Where its `__heap_base` and `kernel_message` are, if that is not where the verified module has them: native code
    /// may have been compiled from another.
    fn places(&self) -> Option<Places> {
        None
    }

    /// Whether tensors can be mapped into its memory.
    fn maps(&self) -> bool;

    /// Takes a range of linear memory out of the guest's reach, with what was mapped there, and all from its start on out
    /// of the host's; both ends are multiples of the system's page size. Only where it [maps](Self::maps).
    fn close(&mut self, range: Range<usize>) -> io::Result<()>;

    /// Maps shared memory to where memory was closed, for the guest to read alone or to write as well.
    fn map(&mut self, at: usize, part: &SharedPart, writable: bool) -> io::Result<()>;

    /// Whether the module runs a forward pass for many descriptors.
    fn has_batch(&self) -> bool;

    /// Runs the forward pass for so many descriptors, one behind the other, for at most this many ticks in all.
    fn call_batch(&mut self, descriptors: u32, count: u32, ticks: u32) -> Result<BatchStatus, Stop>;

    /// Calls an export with an address, for at most this many ticks, and returns its status code.
    fn call(&mut self, export: Export, address: u32, ticks: u32) -> Result<i32, Stop>;
}
