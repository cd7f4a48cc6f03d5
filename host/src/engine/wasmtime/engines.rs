//! Engines that bound the stack of calls.
//!
//! Wasmtime bounds the stack by a setting of its engine, as it does whether code checks the epoch, so there is an engine
//! for each bound and each way.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use wasmtime::{Config, Engine};

use crate::{EngineError, Interruption};

/// What Wasmtime's own functions may need above the guest's stack, such as those that grow memory.
pub(super) const HEADROOM: usize = 128 << 10;

/// Engines that differ in their bound of the stack and how they are interrupted only; each is made when it is first
/// asked for.
pub(super) struct Engines {
    config: Config,
    made: Mutex<BTreeMap<(u32, Interruption), Engine>>,
}

impl Engines {
    pub(super) fn new(config: Config) -> Self {
        Self { config, made: Mutex::new(BTreeMap::new()) }
    }

    /// The engine whose guests may use so many bytes of stack and are interrupted in this way.
    pub(super) fn make(&self, bytes: u32, interruption: Interruption) -> Result<Engine, EngineError> {
        if let Some(engine) = self.lock().get(&(bytes, interruption)) {
            return Ok(engine.clone());
        }
        // Made without the lock, which the ticker needs every tick; another thread may be first.
        let mut config = self.config.clone();
        config.max_wasm_stack(bytes as usize);
        config.epoch_interruption(interruption == Interruption::Epoch);
        // Nothing runs asynchronously in Wasmtime, which nevertheless holds the two against each other.
        config.async_stack_size((bytes as usize + HEADROOM).max(2 << 20));
        let engine = Engine::new(&config).map_err(|error| EngineError::Configure(format!("{error:#}")))?;
        Ok(self.lock().entry((bytes, interruption)).or_insert(engine).clone())
    }

    /// Begins the next epoch of every engine.
    pub(super) fn increment_epoch(&self) {
        for engine in self.lock().values() {
            engine.increment_epoch();
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(u32, Interruption), Engine>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
