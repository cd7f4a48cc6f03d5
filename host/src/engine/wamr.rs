//! WAMR, for small devices.
//!
//! Modules are interpreted, or native code that a pack brings is loaded in their stead. Everything that WAMR allocates,
//! linear memory included, comes from one pool of fixed size, which is the process's, as WAMR's runtime is: runtimes in
//! one process share it, and must agree on its size.

mod blocks;
mod instance;
mod trap;
mod vm;

use std::{sync::Arc, time::Duration};

use kernelpack_abi::ResourceLimits;
use kernelpack_manifest::{FEATURES, Memory, VerifiedAot, VerifiedModule};

use self::{
    instance::WamrInstance,
    vm::{Brake, Buffer, Code, MOST_PAGES, Machine, Vm},
};
use super::{
    CompiledModule, EmptyFunction, Engine, Execution, Instance, Interruption, TICK, ticker::Ticker, watchdog::Watchdog,
};
use crate::{EngineError, cache::CacheOutcome};

/// The size of the pool unless told otherwise, 256 KiB: one kernel of the core pack takes 95 to 110 KiB as native code, with
/// an instance of one page and small tensors, and 190 to 255 KiB interpreted, with a stack.
pub(crate) const DEFAULT_POOL: usize = 256 << 10;

/// The stack of an instance unless told otherwise, 32 KiB.
pub(crate) const DEFAULT_STACK: u32 = 32 << 10;

/// Why a module does not run that could be interpreted.
const NO_NATIVE: &str = "the pack has no native code for this machine that its signer may vouch for, and nothing is \
                         interpreted unless Runtime::embedded is told to";

/// Why a module is not interpreted whose bytes nobody kept.
const PUT_AWAY: &str = "its native code may not be run any more, and its module was not kept: open the pack again";

/// What WAMR's interpreter does not run as it is configured.
const WITHOUT: [&str; 2] = ["relaxed-simd", "simd"];

/// WAMR.
pub(crate) struct WamrEngine {
    vm: Arc<Vm>,
    stack_bytes: u32,
    execution: Execution,
    /// None if calls are never stopped.
    watchdog: Option<Arc<Watchdog<Brake>>>,
    _ticker: Option<Ticker>,
}

impl WamrEngine {
    /// Joins the process's pool of so many bytes, or makes it.
    pub(crate) fn new(
        pool_bytes: usize,
        stack_bytes: u32,
        execution: Execution,
        interruption: Interruption,
    ) -> Result<Self, EngineError> {
        Self::with_tick(pool_bytes, stack_bytes, execution, interruption, TICK)
    }

    /// The same with ticks of another length, for tests.
    pub(crate) fn with_tick(
        pool_bytes: usize,
        stack_bytes: u32,
        execution: Execution,
        interruption: Interruption,
        interval: Duration,
    ) -> Result<Self, EngineError> {
        for (needed, built, feature) in [
            (execution.interprets(), cfg!(feature = "wamr"), "wamr"),
            (execution.runs_native(), cfg!(feature = "wamr-aot"), "wamr-aot"),
        ] {
            if needed && !built {
                let told = format!("{execution:?} needs the feature {feature:?}, which this program was built without");
                return Err(EngineError::Configure(told));
            }
        }
        let vm = Vm::start(pool_bytes).map_err(|error| EngineError::Configure(error.to_string()))?;
        let watchdog = (interruption != Interruption::Never).then(|| Arc::new(Watchdog::default()));
        let tick = |dog: Arc<Watchdog<Brake>>| Ticker::start(interval, move || dog.tick());
        let ticker = watchdog.clone().map(tick).transpose().map_err(EngineError::Ticker)?;
        Ok(Self { vm: Arc::new(vm), stack_bytes, execution, watchdog, _ticker: ticker })
    }
}

impl Engine for WamrEngine {
    fn name(&self) -> &'static str {
        "wamr"
    }

    fn version(&self) -> semver::Version {
        self.vm.version()
    }

    fn features(&self) -> Vec<&'static str> {
        FEATURES.into_iter().filter(|feature| !WITHOUT.contains(feature)).collect()
    }

    fn runs_native(&self) -> bool {
        self.execution.runs_native()
    }

    fn lend(&self, bytes: usize) -> Option<Box<dyn Memory>> {
        Buffer::new(&self.vm, bytes).map(|buffer| Box::new(buffer) as Box<dyn Memory>)
    }

    fn compile(
        &self,
        kernel: &str,
        module: &VerifiedModule,
        native: Option<VerifiedAot>,
        limits: ResourceLimits,
    ) -> Result<Box<dyn CompiledModule>, EngineError> {
        let needed = module.facts().initial_pages;
        if needed > MOST_PAGES {
            let (kernel, what) = (kernel.to_owned(), "pages of memory");
            return Err(EngineError::CeilingTooLow { kernel, what, needed, limit: MOST_PAGES });
        }
        let (elements, pages) = (limits.max_table_elements, module.facts().max_pages);
        let code = match native.filter(|_| self.execution.runs_native()) {
            Some(native) => native
                .facts()
                .check_engine(&self.version())
                .map_err(|fault| fault.to_string())
                .and_then(|()| Code::load_native(&self.vm, native, elements, pages)),
            None if !self.execution.interprets() => Err(NO_NATIVE.to_owned()),
            None if module.bytes().is_empty() => Err(PUT_AWAY.to_owned()),
            None => Code::load(&self.vm, module.bytes(), elements, pages),
        };
        let code = code.map_err(|message| EngineError::Compile { kernel: kernel.to_owned(), message })?;
        let (stack_bytes, watchdog) = (self.stack_bytes, self.watchdog.clone());
        Ok(Box::new(WamrModule { code: Arc::new(code), limits, stack_bytes, watchdog }))
    }

    fn empty_function(&self) -> Result<Box<dyn EmptyFunction>, EngineError> {
        if !cfg!(feature = "wamr") {
            return Err(EngineError::Configure("without the interpreter, there is no empty function".to_owned()));
        }
        let code = Code::load(&self.vm, super::EMPTY_MODULE, 0, 0).map(Arc::new);
        let machine = code.and_then(|code| Machine::new(&code, self.stack_bytes, 1, &[c"empty"]));
        Ok(Box::new(Empty(machine.map_err(EngineError::Configure)?)))
    }
}

/// An instance of a module whose function does nothing.
struct Empty(Machine);

impl EmptyFunction for Empty {
    fn call(&mut self, times: u32) -> Result<(), String> {
        (0..times).try_for_each(|_| self.0.call(0, &[]).map(drop))
    }
}

struct WamrModule {
    code: Arc<Code>,
    limits: ResourceLimits,
    stack_bytes: u32,
    watchdog: Option<Arc<Watchdog<Brake>>>,
}

impl CompiledModule for WamrModule {
    fn cache_outcome(&self) -> CacheOutcome {
        CacheOutcome::Off
    }

    fn interruption(&self) -> Interruption {
        if self.watchdog.is_some() { Interruption::Epoch } else { Interruption::Never }
    }

    fn instantiate(&self) -> Result<Box<dyn Instance>, String> {
        WamrInstance::new(&self.code, self.limits, self.stack_bytes, self.watchdog.as_ref())
            .map(|instance| Box::new(instance) as Box<dyn Instance>)
    }
}

#[cfg(all(test, feature = "wamr"))]
mod tests;
