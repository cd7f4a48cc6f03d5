//! The settings of Wasmtime.

use std::{path::PathBuf, sync::Arc, time::Duration};

use kernelpack_compile_cache::{CompileCache, DEFAULT_LIMIT};
use kernelpack_engine::{Engine, EngineSettings, Interruption, StartError, TICK};

use crate::WasmtimeEngine;

/// Wasmtime with Cranelift and SIMD, for servers.
///
/// # Example: a server that keeps compiled code
/// ```no_run
/// use kernelpack_engine::EngineSettings;
/// use kernelpack_wasmtime::Wasmtime;
///
/// let engine = Wasmtime::new().compile_cache("/var/cache/my-engine").start()?;
/// println!("{} {}", engine.name(), engine.version());
/// # Ok::<(), kernelpack_engine::StartError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Wasmtime {
    cache: Option<PathBuf>,
    cache_limit: u64,
    interruption: Interruption,
    tick: Duration,
}

impl Wasmtime {
    /// Uses no compile cache, and stops calls in the best way that this machine supports.
    pub fn new() -> Self {
        Self { cache: None, cache_limit: DEFAULT_LIMIT, interruption: Interruption::BEST, tick: TICK }
    }

    /// Keeps compiled code in this folder, so that packs open faster the next time. Without it, nothing is kept.
    ///
    /// Code from this folder runs outside the sandbox, so the folder must belong to this user alone. Starting the
    /// engine fails if the folder belongs to another user, if others can write to it, or if it is a link. A folder that
    /// does not exist is created with mode 0700.
    ///
    /// Code is taken from the folder only if a process of this user sealed it there, for the module's signed SHA-256
    /// and for an engine of the same version, configuration and processor features. Otherwise the module is compiled
    /// and the entry replaced. Any number of processes can share the folder, and it can be emptied at any time. The
    /// cache never makes opening a pack fail.
    pub fn compile_cache(mut self, dir: impl Into<PathBuf>) -> Self {
        self.cache = Some(dir.into());
        self
    }

    /// Limits the compile cache to this many bytes, 512 MiB by default. The least recently used entries are removed
    /// first.
    pub fn compile_cache_limit(mut self, bytes: u64) -> Self {
        self.cache_limit = bytes;
        self
    }

    /// Chooses how calls that overrun their budget are stopped. The default is [`Interruption::PageProtection`] where
    /// this machine supports it, else [`Interruption::Epoch`].
    pub fn interruption(mut self, interruption: Interruption) -> Self {
        self.interruption = interruption;
        self
    }

    /// Changes the length of a tick from [`TICK`], so that tests of budgets take less time. Hosts still count in
    /// [`TICK`]s.
    #[doc(hidden)]
    pub fn tick(mut self, tick: Duration) -> Self {
        self.tick = tick;
        self
    }

    /// Starts the engine.
    ///
    /// # Errors
    /// The engine rejects its configuration or this machine's processor, its thread cannot be started, or the compile
    /// cache cannot be used.
    pub fn start_engine(&self) -> Result<WasmtimeEngine, StartError> {
        if self.interruption == Interruption::PageProtection && Interruption::BEST != Interruption::PageProtection {
            let message = "page protection cannot stop calls on this system; choose Interruption::Epoch";
            return Err(StartError::Settings(message.to_owned()));
        }
        let cache = self.cache.as_ref().map(|dir| CompileCache::open(dir, self.cache_limit)).transpose()?;
        WasmtimeEngine::new(cache, self.interruption, self.tick)
    }
}

impl Default for Wasmtime {
    fn default() -> Self {
        Self::new()
    }
}

impl EngineSettings for Wasmtime {
    fn start(&self) -> Result<Arc<dyn Engine>, StartError> {
        Ok(Arc::new(self.start_engine()?))
    }
}
