//! What WAMR can be told.

#[cfg(feature = "compile")]
use std::path::PathBuf;
use std::time::Duration;

use kernelpack_engine::{Interruption, TICK};

use crate::Execution;
#[cfg(feature = "compile")]
use crate::NativeCompiler;

/// WAMR, for small devices: it interprets kernels or runs them as native code, in a pool of fixed size.
///
/// # Example: a larger pool, and native code only
/// ```no_run
/// use kernelpack_engine::EngineSettings;
/// use kernelpack_wamr::{Execution, Wamr};
///
/// let engine = Wamr::new().pool_bytes(1 << 20).execution(Execution::Native).start()?;
/// println!("{} {}", engine.name(), engine.version());
/// # Ok::<(), kernelpack_engine::StartError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Wamr {
    pub(crate) pool_bytes: usize,
    pub(crate) stack_bytes: u32,
    pub(crate) execution: Execution,
    pub(crate) interruption: Interruption,
    pub(crate) tick: Duration,
    #[cfg(feature = "compile")]
    pub(crate) compiler: Option<NativeCompiler>,
    #[cfg(feature = "compile")]
    pub(crate) cache: Option<PathBuf>,
    #[cfg(feature = "compile")]
    pub(crate) cache_limit: u64,
}

impl Wamr {
    /// The default size of the pool, 256 KiB: one kernel of the core pack takes 95 to 110 KiB as native code, with an
    /// instance of one page and small tensors, and 190 to 255 KiB interpreted, with a stack.
    pub const POOL_BYTES: usize = 256 << 10;

    /// The default stack of an instance, 32 KiB.
    pub const STACK_BYTES: u32 = 32 << 10;

    /// The default time that a call may take, 100 ms.
    pub const BUDGET: Duration = Duration::from_millis(100);

    /// WAMR for a small device: a pool of 256 KiB, 32 KiB of stack an instance, 100 ms for a
    /// call. Native code is run where a pack has any that its signer may vouch for, and modules are interpreted else.
    pub fn new() -> Self {
        Self {
            pool_bytes: Self::POOL_BYTES,
            stack_bytes: Self::STACK_BYTES,
            execution: Execution::NativeElseInterpreted,
            interruption: Interruption::Epoch,
            tick: TICK,
            #[cfg(feature = "compile")]
            compiler: None,
            #[cfg(feature = "compile")]
            cache: None,
            #[cfg(feature = "compile")]
            cache_limit: kernelpack_compile_cache::DEFAULT_LIMIT,
        }
    }

    /// Gives WAMR a pool of this many bytes, 256 KiB by default, for modules, instances, their stacks and their linear
    /// memory.
    ///
    /// A process has one WAMR and therefore one pool. The pool exists from the first runtime that uses WAMR until the last
    /// one, with its packs and kernels, is dropped, and all of them share it; until then, a runtime with another size does
    /// not start. The pool is one piece of address space. On systems that provide memory at first use, what was never used
    /// takes none.
    pub fn pool_bytes(mut self, bytes: usize) -> Self {
        self.pool_bytes = bytes;
        self
    }

    /// Gives each instance a stack of this many bytes, 32 KiB by default, or of the kernel's `max_stack_bytes` if those
    /// are fewer.
    pub fn stack_bytes(mut self, bytes: u32) -> Self {
        self.stack_bytes = bytes;
        self
    }

    /// Chooses between native code and the interpreter; [`Execution::NativeElseInterpreted`] by default.
    pub fn execution(mut self, execution: Execution) -> Self {
        self.execution = execution;
        self
    }

    /// Chooses whether calls that overrun their budget are stopped: [`Interruption::Epoch`], the default, or
    /// [`Interruption::Never`]. WAMR does not start with [`Interruption::PageProtection`].
    pub fn interruption(mut self, interruption: Interruption) -> Self {
        self.interruption = interruption;
        self
    }

    /// Compiles kernels to native code when a pack is opened, unless the pack has native code that its signer may vouch
    /// for. By default, nothing is compiled.
    ///
    /// The compiler runs in a process of its own, given the verified module and nothing else, with an empty environment
    /// and within limits. Since the host makes the code itself, with checks of memory accesses, stack and termination, the
    /// pack's signer needs no grant for it. Without a [compile cache](Self::compile_cache), each opening compiles again,
    /// which takes about a second a kernel; with one, cached code works even where the compiler is missing. Starting the
    /// engine asks the compiler for its version, for which the compiler loads LLVM.
    ///
    /// [`execution`](Self::execution) applies: with [`Execution::Interpreted`], nothing is compiled. A module that cannot
    /// be compiled is interpreted if that is allowed, else refused.
    #[cfg(feature = "compile")]
    pub fn compile_native(mut self, compiler: NativeCompiler) -> Self {
        self.compiler = Some(compiler);
        self
    }

    /// Keeps natively compiled code in this folder, which must belong to this user alone; see
    /// [`compile_native`](Self::compile_native). Starting the engine fails if others can write to the folder, or if it is
    /// a link. A folder that does not exist is created with mode 0700.
    #[cfg(feature = "compile")]
    pub fn compile_cache(mut self, dir: impl Into<PathBuf>) -> Self {
        self.cache = Some(dir.into());
        self
    }

    /// Limits the compile cache to this many bytes, 512 MiB by default. What was not used for longest is removed first.
    #[cfg(feature = "compile")]
    pub fn compile_cache_limit(mut self, bytes: u64) -> Self {
        self.cache_limit = bytes;
        self
    }

    /// Gives ticks another length than [`TICK`], so that tests of budgets take less time. Hosts count in [`TICK`]s all
    /// the same.
    #[doc(hidden)]
    pub fn tick(mut self, tick: Duration) -> Self {
        self.tick = tick;
        self
    }
}

impl Default for Wamr {
    fn default() -> Self {
        Self::new()
    }
}
