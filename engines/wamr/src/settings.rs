//! The settings of WAMR.

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
    /// The default size of the pool, 256 KiB. One kernel of the core pack, with an instance of one page and small
    /// tensors, takes 95 to 110 KiB as native code, and 190 to 255 KiB interpreted, with a stack.
    pub const POOL_BYTES: usize = 256 << 10;

    /// The default stack size of an instance, 32 KiB.
    pub const STACK_BYTES: u32 = 32 << 10;

    /// The default budget of a call, 100 ms.
    pub const BUDGET: Duration = Duration::from_millis(100);

    /// Settings for a small device: a pool of 256 KiB, a stack of 32 KiB per instance, and 100 ms per call. Native code
    /// is run if the pack has some and its signer may vouch for it; otherwise modules are interpreted.
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
    /// A process has one WAMR and therefore one pool. The pool exists from the first runtime that uses WAMR until the
    /// last one is dropped with its packs and kernels. All of them share it; a runtime with another pool size fails to
    /// start meanwhile. The pool is one contiguous allocation. On systems that provide memory at first use, unused
    /// parts take none.
    pub fn pool_bytes(mut self, bytes: usize) -> Self {
        self.pool_bytes = bytes;
        self
    }

    /// Gives each instance a stack of this many bytes, 32 KiB by default, or of the kernel's `max_stack_bytes` if that
    /// is less.
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
    /// The compiler runs in a separate process with only the verified module, an empty environment and resource limits.
    /// Since the host makes the code itself, with checks of memory accesses, stack and termination, the pack's signer
    /// needs no grant for it. Without a [compile cache](Self::compile_cache), each opening compiles again, which takes
    /// about a second per kernel; with one, cached code works even if the compiler is missing. Starting the engine runs
    /// the compiler for its version, which loads LLVM.
    ///
    /// [`execution`](Self::execution) applies: with [`Execution::Interpreted`], nothing is compiled. A module that
    /// cannot be compiled is interpreted if that is allowed, else refused.
    #[cfg(feature = "compile")]
    pub fn compile_native(mut self, compiler: NativeCompiler) -> Self {
        self.compiler = Some(compiler);
        self
    }

    /// Keeps natively compiled code in this folder, which must belong to this user alone; see
    /// [`compile_native`](Self::compile_native). Starting the engine fails if others can write to the folder, or if it
    /// is a link. A folder that does not exist is created with mode 0700.
    #[cfg(feature = "compile")]
    pub fn compile_cache(mut self, dir: impl Into<PathBuf>) -> Self {
        self.cache = Some(dir.into());
        self
    }

    /// Limits the compile cache to this many bytes, 512 MiB by default. The least recently used entries are removed
    /// first.
    #[cfg(feature = "compile")]
    pub fn compile_cache_limit(mut self, bytes: u64) -> Self {
        self.cache_limit = bytes;
        self
    }

    /// Changes the length of a tick from [`TICK`], so that tests of budgets take less time. Hosts still count in
    /// [`TICK`]s.
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
