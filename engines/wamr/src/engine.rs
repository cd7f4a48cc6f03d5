//! WAMR, configured and started.

use std::{fmt, sync::Arc, time::Duration};

use kernelpack_abi::ResourceLimits;
use kernelpack_compile_cache::CacheOutcome;
use kernelpack_engine::{
    CompileError, CompiledModule, EMPTY_MODULE, EmptyFunction, Engine, EngineSettings, Interruption, KernelCode,
    LendMemory, StartError, Ticker, Watchdog,
};
use kernelpack_manifest::{FEATURES, Memory};

use crate::{
    Execution, Wamr,
    host_compiled::{self, HostCompiler},
    module::WamrModule,
    native::NativeCode,
    vm::{Brake, Buffer, Code, MOST_PAGES, Machine, Vm},
};

/// The reason why a module is not interpreted.
const NO_NATIVE: &str = "the pack has no native code for this machine that its signer may vouch for, and nothing is \
                         interpreted, or compiled here, unless Runtime::embedded is told to";

/// The reason why an engine that only interprets does not run native code.
const INTERPRETS: &str = "its native code was read for a runtime that runs native code, and this one only interprets; open \
                          the pack with this runtime";

/// Features that WAMR's interpreter does not support in this configuration.
pub(crate) const WITHOUT: [&str; 2] = ["relaxed-simd", "simd"];

/// A started WAMR engine, made by [`Wamr::start_engine`].
pub struct WamrEngine {
    pub(crate) vm: Arc<Vm>,
    pub(crate) stack_bytes: u32,
    execution: Execution,
    /// `None` if the host compiles nothing.
    host_compiler: Option<HostCompiler>,
    /// `None` if calls are never stopped.
    pub(crate) watchdog: Option<Arc<Watchdog<Brake>>>,
    _ticker: Option<Ticker>,
}

impl Wamr {
    /// Starts the engine.
    ///
    /// # Errors
    /// The engine rejects its settings, this process has a pool of another size, the engine's thread cannot be started,
    /// or the compiler of native code or the compile cache cannot be used.
    pub fn start_engine(&self) -> Result<WamrEngine, StartError> {
        WamrEngine::new(self)
    }
}

impl EngineSettings for Wamr {
    fn start(&self) -> Result<Arc<dyn Engine>, StartError> {
        Ok(Arc::new(self.start_engine()?))
    }

    fn default_budget(&self) -> Duration {
        Self::BUDGET
    }
}

impl WamrEngine {
    /// Joins the process's pool, or creates it.
    fn new(settings: &Wamr) -> Result<Self, StartError> {
        let Wamr { pool_bytes, stack_bytes, execution, interruption, tick, .. } = *settings;
        for (needed, built, feature) in [
            (execution == Execution::Interpreted, cfg!(feature = "interp"), "wamr"),
            (execution == Execution::Native, cfg!(feature = "aot"), "wamr-aot"),
        ] {
            if needed && !built {
                let told = format!("{execution:?} needs the feature {feature:?}, which this program was built without");
                return Err(StartError::Settings(told));
            }
        }
        if interruption == Interruption::PageProtection {
            let told = "page protection cannot stop calls in WAMR; choose Interruption::Epoch".to_owned();
            return Err(StartError::Settings(told));
        }
        let vm = Vm::start(pool_bytes)?;
        let watchdog = (interruption != Interruption::Never).then(|| Arc::new(Watchdog::default()));
        let start = |dog: Arc<Watchdog<Brake>>| Ticker::start(tick, move || dog.tick());
        let ticker = watchdog.clone().map(start).transpose().map_err(StartError::Ticker)?;
        let vm = Arc::new(vm);
        let host_compiler = HostCompiler::for_settings(settings, &vm.version())?;
        Ok(Self { vm, stack_bytes, execution, host_compiler, watchdog, _ticker: ticker })
    }

    /// Returns the number of bytes of the pool that are in use.
    #[doc(hidden)]
    pub fn pool_used(&self) -> usize {
        self.vm.used()
    }

    fn interprets(&self) -> bool {
        cfg!(feature = "interp") && self.execution.interprets()
    }

    /// Returns the code that instances run, with limits on their tables and memory, and where the code came from.
    fn code(&self, code: KernelCode, elements: u32, pages: u32) -> Result<(Code, CacheOutcome), CompileError> {
        let load = |native| Code::load_native(&self.vm, native, elements, pages).map_err(refused);
        let module = match code {
            KernelCode::Module(module) => module,
            // The code was read for another runtime, since this one requests no native code.
            KernelCode::Native(..) if !self.runs_native() => return Err(CompileError::Refused(INTERPRETS.to_owned())),
            KernelCode::Native(_, native) => {
                let checked = native.facts().check_engine(&self.version());
                checked.map_err(|fault| CompileError::Refused(fault.to_string()))?;
                return Ok((load(NativeCode::Granted(*native))?, CacheOutcome::NotCompiled));
            }
        };
        let made = |compiler: &HostCompiler| {
            let (native, cache) = compiler.code(&module)?;
            Ok((load(NativeCode::HostCompiled(native))?, cache))
        };
        match self.host_compiler.as_ref().map(made) {
            Some(Ok(code)) => return Ok(code),
            // The compiler works, but cannot compile this module.
            Some(Err(reason)) if self.interprets() && host_compiled::is_of_the_module(&reason) => {
                let kernel = &module.spec().id;
                tracing::info!(target: "kernelpack", kernel, %reason, "the module is interpreted");
            }
            Some(Err(error)) => return Err(error),
            None => {}
        }
        if !self.interprets() {
            return Err(CompileError::Refused(NO_NATIVE.to_owned()));
        }
        let code = Code::load(&self.vm, module.bytes(), elements, pages).map_err(refused)?;
        Ok((code, CacheOutcome::NotCompiled))
    }
}

/// Converts WAMR's message to an error. WAMR has no error codes, so a full pool is recognized by its messages.
fn refused(words: String) -> CompileError {
    if ["memory failed", "the pool has no room", "no memory for its machine code"].iter().any(|out| words.contains(out))
    {
        CompileError::OutOfMemory(words)
    } else {
        CompileError::Refused(words)
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
        cfg!(feature = "aot") && self.execution.runs_native()
    }

    fn as_lender(&self) -> Option<&dyn LendMemory> {
        Some(self)
    }

    fn compile(&self, code: KernelCode, limits: ResourceLimits) -> Result<Box<dyn CompiledModule>, CompileError> {
        let facts = code.interface().facts();
        let (needed, max_pages) = (facts.initial_pages, facts.max_pages);
        if needed > MOST_PAGES {
            return Err(CompileError::CeilingTooLow { what: "pages of memory", needed, limit: MOST_PAGES });
        }
        let (code, cache) = self.code(code, limits.max_table_elements, max_pages)?;
        let (stack_bytes, watchdog) = (self.stack_bytes, self.watchdog.clone());
        Ok(Box::new(WamrModule { code: Arc::new(code), cache, limits, stack_bytes, watchdog }))
    }

    fn empty_function(&self) -> Result<Box<dyn EmptyFunction>, CompileError> {
        if !cfg!(feature = "interp") {
            return Err(CompileError::Refused(
                "an empty function needs the interpreter (the feature \"wamr\")".to_owned(),
            ));
        }
        let code = Code::load(&self.vm, EMPTY_MODULE, 0, 0).map(Arc::new);
        let machine = code.and_then(|code| Machine::new(&code, self.stack_bytes, 1, &[c"empty"]));
        Ok(Box::new(Empty(machine.map_err(refused)?)))
    }
}

impl LendMemory for WamrEngine {
    fn lend(&self, bytes: usize) -> Option<Box<dyn Memory>> {
        Buffer::new(&self.vm, bytes).map(|buffer| Box::new(buffer) as Box<dyn Memory>)
    }
}

/// An instance of a module with an empty function.
struct Empty(Machine);

impl EmptyFunction for Empty {
    fn call(&mut self, times: u32) -> Result<(), String> {
        (0..times).try_for_each(|_| self.0.call(0, &[]).map(drop))
    }
}

impl fmt::Debug for WamrEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WamrEngine").field("execution", &self.execution).finish_non_exhaustive()
    }
}
