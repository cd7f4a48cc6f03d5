//! Wasmtime engines with different stack limits.
//!
//! Wasmtime configures the stack limit per engine, and also whether code checks the epoch, so there is one engine for
//! each limit and kind of interruption.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;
use kernelpack_engine::Interruption;
use wasmtime::{Config, Engine};

/// The stack that Wasmtime's own functions may need on top of the guest's, such as those that grow memory.
pub(super) const HEADROOM: usize = 128 << 10;

/// Engines that differ only in their stack limit and kind of interruption; each is made at first use.
pub(super) struct Engines {
    config: Config,
    /// Lock-free, since the ticker's thread reads this: if that thread held a lock when the process forked, the child
    /// could never take the lock.
    made: ArcSwap<BTreeMap<(u32, Interruption), Engine>>,
}

impl Engines {
    pub(super) fn new(config: Config) -> Self {
        Self { config, made: ArcSwap::default() }
    }

    /// Returns the engine, which is made if necessary, whose guests may use this many bytes of stack and are
    /// interrupted in this way.
    pub(super) fn make(&self, bytes: u32, interruption: Interruption) -> wasmtime::Result<Engine> {
        let which = (bytes, interruption);
        if let Some(engine) = self.made.load().get(&which) {
            return Ok(engine.clone());
        }
        // If another thread makes the same engine meanwhile, the one that is inserted first is used.
        let mut config = self.config.clone();
        config.max_wasm_stack(bytes as usize);
        config.epoch_interruption(interruption == Interruption::Epoch);
        // Nothing runs asynchronously in Wasmtime, but it still requires this stack to be larger than the limit.
        config.async_stack_size((bytes as usize + HEADROOM).max(2 << 20));
        let engine = Engine::new(&config)?;
        self.made.rcu(|made| {
            let mut made = BTreeMap::clone(made);
            made.entry(which).or_insert_with(|| engine.clone());
            Arc::new(made)
        });
        Ok(self.made.load().get(&which).cloned().unwrap_or(engine))
    }

    /// Starts the next epoch of every engine.
    pub(super) fn increment_epoch(&self) {
        for engine in self.made.load().values() {
            engine.increment_epoch();
        }
    }
}
