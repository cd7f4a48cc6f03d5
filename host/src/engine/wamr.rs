//! WAMR, for small devices.
//!
//! Modules are interpreted, or native code is loaded in their stead, which a pack brings or this host makes. Everything
//! that WAMR allocates, linear memory included, comes from one pool of fixed size, which is the process's, as WAMR's
//! runtime is: runtimes in one process share it, and must agree on its size.

mod blocks;
mod instance;
mod native;
#[cfg(feature = "wamr-compile")]
mod own;
#[cfg(not(feature = "wamr-compile"))]
#[path = "wamr/own_elsewhere.rs"]
mod own;
mod trap;
mod vm;

use std::{sync::Arc, time::Duration};

use kernelpack_abi::ResourceLimits;
use kernelpack_manifest::{FEATURES, Memory, VerifiedAot, VerifiedModule};

use self::{
    instance::WamrInstance,
    native::NativeCode,
    own::OwnCompiler,
    vm::{Brake, Buffer, Code, MOST_PAGES, Machine, Vm},
};
use super::{
    CompiledModule, EmptyFunction, Engine, Execution, Instance, Interruption, NoInstance, TICK, ticker::Ticker,
    watchdog::Watchdog,
};
#[cfg(feature = "wamr-compile")]
use crate::cache::CompileCache;
use crate::{EngineError, cache::CacheOutcome};

/// The size of the pool unless told otherwise, 256 KiB: one kernel of the core pack takes 95 to 110 KiB as native code, with
/// an instance of one page and small tensors, and 190 to 255 KiB interpreted, with a stack.
pub(crate) const DEFAULT_POOL: usize = 256 << 10;

/// The stack of an instance unless told otherwise, 32 KiB.
pub(crate) const DEFAULT_STACK: u32 = 32 << 10;

/// Why a module does not run that could be interpreted.
const NO_NATIVE: &str = "the pack has no native code for this machine that its signer may vouch for, and nothing is \
                         interpreted, or compiled here, unless Runtime::embedded is told to";

/// Why a module is neither interpreted nor compiled whose bytes nobody kept.
const PUT_AWAY: &str = "its native code may not be run any more, and its module was not kept: open the pack again";

/// What WAMR's interpreter does not run as it is configured.
const WITHOUT: [&str; 2] = ["relaxed-simd", "simd"];

/// WAMR.
pub(crate) struct WamrEngine {
    vm: Arc<Vm>,
    stack_bytes: u32,
    execution: Execution,
    /// None if the host compiles nothing.
    own: Option<OwnCompiler>,
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
        Ok(Self { vm: Arc::new(vm), stack_bytes, execution, own: None, watchdog, _ticker: ticker })
    }

    /// The same, if it runs native code, with a compiler that makes some where there is none.
    #[cfg(feature = "wamr-compile")]
    pub(crate) fn compiling(
        self,
        compiler: &super::NativeCompiler,
        cache: Option<Arc<CompileCache>>,
    ) -> Result<Self, EngineError> {
        if !self.execution.runs_native() {
            return Ok(self);
        }
        let own = OwnCompiler::new(compiler, self.vm.version(), cache)?;
        Ok(Self { own: Some(own), ..self })
    }

    /// The code that instances of a module run, within limits on its tables and its memory, and where it came from.
    fn code(
        &self,
        module: &VerifiedModule,
        native: Option<VerifiedAot>,
        elements: u32,
        pages: u32,
    ) -> Result<(Code, CacheOutcome), EngineError> {
        let kernel = &module.spec().id;
        let failed = |message| EngineError::Compile { kernel: kernel.clone(), message };
        let load = |native| Code::load_native(&self.vm, native, elements, pages).map_err(failed);
        if self.execution.runs_native() {
            if let Some(native) = native {
                native.facts().check_engine(&self.version()).map_err(|fault| failed(fault.to_string()))?;
                return Ok((load(NativeCode::Granted(native))?, CacheOutcome::NotCompiled));
            }
            if module.bytes().is_empty() {
                return Err(failed(PUT_AWAY.to_owned()));
            }
            let made = |own: &OwnCompiler| {
                let (native, cache) = own.code(module)?;
                Ok((load(NativeCode::Own(native))?, cache))
            };
            match self.own.as_ref().map(made) {
                Some(Ok(code)) => return Ok(code),
                // Interpreted where that is allowed and it is the module, and not the compiler, that is not as it should.
                Some(Err(reason)) if self.execution.interprets() && own::is_of_the_module(&reason) => {
                    tracing::info!(target: "kernelpack", kernel, %reason, "the module is interpreted");
                }
                Some(Err(error)) => return Err(error),
                None => {}
            }
        }
        if !self.execution.interprets() {
            return Err(failed(NO_NATIVE.to_owned()));
        }
        let code = Code::load(&self.vm, module.bytes(), elements, pages).map_err(failed)?;
        Ok((code, CacheOutcome::NotCompiled))
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
        let (code, cache) = self.code(module, native, limits.max_table_elements, module.facts().max_pages)?;
        let (stack_bytes, watchdog) = (self.stack_bytes, self.watchdog.clone());
        Ok(Box::new(WamrModule { code: Arc::new(code), cache, limits, stack_bytes, watchdog }))
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
    cache: CacheOutcome,
    limits: ResourceLimits,
    stack_bytes: u32,
    watchdog: Option<Arc<Watchdog<Brake>>>,
}

impl CompiledModule for WamrModule {
    fn cache_outcome(&self) -> CacheOutcome {
        self.cache.clone()
    }

    fn interruption(&self) -> Interruption {
        if self.watchdog.is_some() { Interruption::Epoch } else { Interruption::Never }
    }

    fn instantiate(&self) -> Result<Box<dyn Instance>, NoInstance> {
        WamrInstance::new(&self.code, self.limits, self.stack_bytes, self.watchdog.as_ref())
            .map(|instance| Box::new(instance) as Box<dyn Instance>)
            // WAMR has nothing but words; these are of segments.
            .map_err(|message| NoInstance { by_module: message.contains("out of bounds"), message })
    }
}

#[cfg(all(test, feature = "wamr"))]
pub(crate) mod tests;
