//! Engines that bound the stack of calls.
//!
//! Wasmtime bounds the stack by a setting of its engine, as it does whether code checks the epoch, so there is an engine
//! for each bound and each way.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;
use kernelpack_engine::Interruption;
use wasmtime::{Config, Engine};

/// What Wasmtime's own functions may need above the guest's stack, such as those that grow memory.
pub(super) const HEADROOM: usize = 128 << 10;

/// Engines that differ in their bound of the stack and how they are interrupted only; each is made when it is first
/// asked for.
pub(super) struct Engines {
    config: Config,
    /// Without a lock, since the ticker's thread looks at them: a process that is forked at that moment would never get it.
    made: ArcSwap<BTreeMap<(u32, Interruption), Engine>>,
}

impl Engines {
    pub(super) fn new(config: Config) -> Self {
        Self { config, made: ArcSwap::default() }
    }

    /// The engine whose guests may use so many bytes of stack and are interrupted in this way.
    pub(super) fn make(&self, bytes: u32, interruption: Interruption) -> wasmtime::Result<Engine> {
        let which = (bytes, interruption);
        if let Some(engine) = self.made.load().get(&which) {
            return Ok(engine.clone());
        }
        // Another thread may be first.
        let mut config = self.config.clone();
        config.max_wasm_stack(bytes as usize);
        config.epoch_interruption(interruption == Interruption::Epoch);
        // Nothing runs asynchronously in Wasmtime, which nevertheless holds the two against each other.
        config.async_stack_size((bytes as usize + HEADROOM).max(2 << 20));
        let engine = Engine::new(&config)?;
        self.made.rcu(|made| {
            let mut made = BTreeMap::clone(made);
            made.entry(which).or_insert_with(|| engine.clone());
            Arc::new(made)
        });
        Ok(self.made.load().get(&which).cloned().unwrap_or(engine))
    }

    /// Begins the next epoch of every engine.
    pub(super) fn increment_epoch(&self) {
        for engine in self.made.load().values() {
            engine.increment_epoch();
        }
    }
}
