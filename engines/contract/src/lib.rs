//! The interface of engines that run Kernelpack's kernels, and code that engines share.
//!
//! - [`Engine::compile`] takes only [`KernelCode`], which is verified, so nothing unverified can be compiled.
//! - An [`Instance`] belongs to one caller at a time. Its linear memory starts as the module declares it, and the
//!   instance obeys the limits that it was made with, whatever the module does.
//! - [`Instance::call`] returns within the given ticks ([`TICK`] each) plus at most two more, whatever the guest does,
//!   unless the instance was made with [`Interruption::Never`].
//! - A call that fails leaves the instance in an unknown state, and the caller drops it. A call that returns any status
//!   code leaves it usable.
//!
//! An engine's settings implement [`EngineSettings`], so that a host can start an engine that it does not know. Engines
//! may build on the [`Ticker`] and the [`Watchdog`], which stop calls that overrun their budget, and on [`with_room`],
//! which keeps guests from overflowing their caller's stack.
#![deny(unsafe_code)]

mod backtrace;
mod budget;
mod error;
mod interruption;
mod kernel_error;
mod shadow_stack;
mod stack;
mod ticker;
mod watchdog;

use std::{fmt, io, ops::Range, sync::Arc, time::Duration};

use kernelpack_abi::{BatchStatus, ResourceLimits};
use kernelpack_compile_cache::CacheOutcome;
use kernelpack_manifest::{Memory, VerifiedAot, VerifiedInterface, VerifiedModule};
use kernelpack_memory::SharedPart;

pub use backtrace::{Backtrace, BacktraceFrame, shorten};
pub use budget::{Budget, ticks};
pub use error::{CompileError, StartError};
pub use interruption::Interruption;
pub use kernel_error::KernelError;
pub use shadow_stack::ShadowStack;
pub use stack::with_room;
pub use ticker::Ticker;
pub use watchdog::{Stoppable, Watch, Watchdog};

/// The unit of execution budgets.
pub const TICK: Duration = Duration::from_millis(10);

/// The size of a page of linear memory in bytes.
pub const PAGE: u64 = 65536;

/// A module that exports a function `empty` which takes nothing, does nothing and returns nothing.
#[rustfmt::skip]
pub const EMPTY_MODULE: &[u8] = &[
    0, b'a', b's', b'm', 1, 0, 0, 0,
    1, 4, 1, 0x60, 0, 0,                           // types: () -> ()
    3, 2, 1, 0,                                    // functions: of type 0
    7, 9, 1, 5, b'e', b'm', b'p', b't', b'y', 0, 0, // exports: function 0
    10, 4, 1, 2, 0, 0x0b,                          // code: no locals, end
];

/// An engine that has not been started yet, with its settings.
pub trait EngineSettings: fmt::Debug + Send + Sync {
    /// Starts the engine.
    ///
    /// # Errors
    /// See [`StartError`].
    fn start(&self) -> Result<Arc<dyn Engine>, StartError>;

    /// Returns the execution budget of a call unless the host sets another.
    fn default_budget(&self) -> Duration {
        Duration::from_secs(10)
    }
}

/// The code that an engine makes a kernel's instances from.
#[derive(Debug)]
pub enum KernelCode {
    /// A module, which is compiled or interpreted.
    Module(VerifiedModule),
    /// Native code from the pack that replaces this module.
    Native(Arc<VerifiedInterface>, Box<VerifiedAot>),
}

impl KernelCode {
    /// Returns the module's interface.
    pub fn interface(&self) -> &Arc<VerifiedInterface> {
        match self {
            Self::Module(module) => module.interface(),
            Self::Native(interface, _) => interface,
        }
    }
}

/// Compiles verified modules.
pub trait Engine: Send + Sync {
    /// Returns the name by which manifests state their requirements on this engine.
    fn name(&self) -> &'static str;

    /// Returns the engine's version.
    fn version(&self) -> semver::Version;

    /// Returns the WebAssembly features that the engine was found to support, by the names that manifests use.
    fn features(&self) -> Vec<&'static str>;

    /// Returns whether the engine loads native code from a pack in place of the pack's modules.
    fn runs_native(&self) -> bool {
        false
    }

    /// Returns the engine as one that lends memory, if it does.
    fn as_lender(&self) -> Option<&dyn LendMemory> {
        None
    }

    /// Compiles a module, or loads native code. Instances of the result obey `limits`.
    ///
    /// # Errors
    /// See [`CompileError`].
    fn compile(&self, code: KernelCode, limits: ResourceLimits) -> Result<Box<dyn CompiledModule>, CompileError>;

    /// Makes an instance of [`EMPTY_MODULE`].
    ///
    /// # Errors
    /// See [`CompileError`].
    fn empty_function(&self) -> Result<Box<dyn EmptyFunction>, CompileError>;
}

/// An engine that can lend memory while a pack is opened.
pub trait LendMemory {
    /// Lends memory for a file of this many bytes; `None` if the engine has none left.
    fn lend(&self, bytes: usize) -> Option<Box<dyn Memory>>;
}

/// A function that does nothing, with an instance of its own, for measuring the cost of entering the sandbox.
pub trait EmptyFunction: Send {
    /// Calls it this many times.
    ///
    /// # Errors
    /// The engine's message.
    fn call(&mut self, times: u32) -> Result<(), String>;
}

/// The reason why an instance was not made.
#[derive(Debug)]
pub struct NoInstance {
    /// The engine's message.
    pub message: String,
    /// Whether the module is at fault, since its segments do not fit; otherwise the machine is.
    pub by_module: bool,
}

/// A module ready to be instantiated.
pub trait CompiledModule: Send + Sync {
    /// Makes an instance; no code of the module runs.
    ///
    /// # Errors
    /// See [`NoInstance`].
    fn instantiate(&self) -> Result<Box<dyn Instance>, NoInstance>;

    /// Returns where the compiled code came from.
    fn cache_outcome(&self) -> CacheOutcome;

    /// Returns how calls of its instances are interrupted.
    fn interruption(&self) -> Interruption;
}

/// The reason why a guest was stopped, and the place.
#[derive(Clone, Debug)]
pub struct Stop {
    /// The reason.
    pub error: KernelError,
    /// The location; empty if the engine keeps no backtraces.
    pub backtrace: Backtrace,
}

/// Addresses in linear memory that a module exports to its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    /// The value of `__heap_base`.
    pub heap_base: u32,
    /// The value of `kernel_message`.
    pub message: u32,
}

/// The exports that a host calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Export {
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

/// An instance of a module, with a linear memory of its own.
pub trait Instance: Send {
    /// Returns the size of linear memory in bytes.
    fn memory_size(&self) -> u64;

    /// Returns the granularity in bytes in which the host grows linear memory. The guest still counts whole pages.
    fn piece(&self) -> u64 {
        PAGE
    }

    /// Adds pieces to linear memory; returns `false` if the limits or the machine do not allow it.
    fn grow(&mut self, pieces: u64) -> bool;

    /// Returns a range of linear memory, or `None` if part of it is outside, or in the range that [`MapTensors::close`]
    /// closed.
    fn bytes(&mut self, range: Range<usize>) -> Option<&mut [u8]>;

    /// Returns the addresses of `__heap_base` and `kernel_message`, if they differ from the verified module's: native
    /// code may have been compiled from another module.
    fn places(&self) -> Option<Places> {
        None
    }

    /// Returns the instance as one that tensors can be mapped into, if it supports that.
    fn as_mapper(&mut self) -> Option<&mut dyn MapTensors> {
        None
    }

    /// Returns whether the module exports a forward pass over many descriptors.
    fn has_batch(&self) -> bool;

    /// Runs the forward pass for `count` descriptors in order, for at most this many ticks in total.
    ///
    /// # Errors
    /// See [`Stop`].
    fn call_batch(&mut self, descriptors: u32, count: u32, ticks: u32) -> Result<BatchStatus, Stop>;

    /// Calls an export with an address, for at most this many ticks, and returns its status code.
    ///
    /// # Errors
    /// See [`Stop`].
    fn call(&mut self, export: Export, address: u32, ticks: u32) -> Result<i32, Stop>;
}

/// An instance that tensors can be mapped into.
pub trait MapTensors {
    /// Closes a range of linear memory: the guest can no longer access it, including anything mapped there, and
    /// [`Instance::bytes`] ends at its start. Both ends are multiples of the system's page size.
    ///
    /// # Errors
    /// The system refuses, or the range is not in linear memory.
    fn close(&mut self, range: Range<usize>) -> io::Result<()>;

    /// Maps shared memory into a closed range, for the guest to read and, if `writable`, to write.
    ///
    /// # Errors
    /// The system refuses, or the range was not closed. The guest must not run again after that.
    fn map(&mut self, at: usize, part: &SharedPart, writable: bool) -> io::Result<()>;
}
