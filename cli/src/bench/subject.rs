//! The subjects of a measurement: a pack, the same pack without deadlines, and an empty call.

use std::error::Error;

use kernelpack_host::{
    Pack, Runtime,
    measure::RawCall,
    policy::{PoolPolicy, WhenFull},
};

use crate::{engine_arg::EngineArg, setup::Setup};

/// A pack that is opened twice in one process.
pub(crate) struct Subject {
    /// The engine of both.
    pub(crate) engine: EngineArg,
    /// The pack as host programs open it.
    pub(crate) pack: Pack,
    /// The pack in a runtime that never stops calls.
    pub(crate) no_deadline: Pack,
    /// An empty call, which only enters the sandbox.
    pub(crate) raw: RawCall,
}

impl Subject {
    /// Returns a runtime for measuring, which allows binding a kernel while it is called, even if the kernel may have
    /// few instances.
    pub(crate) fn setup(setup: Setup) -> Setup {
        setup.with(|builder| builder.pool(PoolPolicy::new().when_full(WhenFull::Grow)))
    }

    /// Opens a pack in a runtime, and in another one that differs only in its deadlines.
    ///
    /// # Errors
    /// The pack is refused, or the engine does not start.
    pub(crate) fn new(
        engine: EngineArg,
        runtime: &Runtime,
        setup: Setup,
        open: impl Fn(&Runtime) -> Result<Pack, Box<dyn Error>>,
    ) -> Result<Self, Box<dyn Error>> {
        let no_deadline = setup.never_interrupted().build()?;
        Ok(Self { engine, pack: open(runtime)?, no_deadline: open(&no_deadline)?, raw: runtime.raw_call()? })
    }
}
