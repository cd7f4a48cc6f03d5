//! A kernel that was compiled, with its idle instances.

use std::{sync::Arc, time::Instant};

use crossbeam_queue::ArrayQueue;
use kernelpack_abi::{KernelInfo, KernelSpecBuf, ResourceLimits, Signature, TensorArg};
use kernelpack_manifest::{ModuleFacts, VerifiedModule};
use semver::Version;

use crate::{
    Backtrace, BadCall, EngineError, Error, Trapped,
    engine::{CompiledModule, Engine, Export, PAGE, Stop, TICK},
    guest::{Failure, Guest, check},
    recovery::{PackInfo, PackLabels, Recovery, Settings},
};

/// Idle instances that are kept; more callers than this at once still work, but their instances are not kept.
const MAX_IDLE: usize = 64;

/// What the cleanups of instances may take, however long the kernel's calls may: 100 ms.
const CLEANUP_TICKS: u32 = 10;

/// Which pack a kernel came from, for errors, logs and metrics.
pub(crate) struct Origin {
    pub(crate) pack: Arc<str>,
    pub(crate) version: Version,
    _info: PackInfo,
}

impl Origin {
    pub(crate) fn new(pack: &str, version: &Version, settings: &Settings) -> Self {
        let pack: Arc<str> = pack.into();
        let info = PackInfo::new(settings.metrics, &PackLabels { name: &pack, version });
        Self { pack, version: version.clone(), _info: info }
    }

    fn labels(&self) -> PackLabels<'_> {
        PackLabels { name: &self.pack, version: &self.version }
    }
}

/// A compiled kernel.
pub(crate) struct LoadedKernel {
    pub(crate) id: Arc<str>,
    pub(crate) spec: KernelSpecBuf,
    pub(crate) origin: Arc<Origin>,
    pub(crate) recovery: Recovery,
    facts: ModuleFacts,
    /// What instances may use: the manifest's limits, never above the runtime's.
    limits: ResourceLimits,
    // Fields drop in order: idle instances first, then the module, then the engine whose ticker ends their calls.
    idle: ArrayQueue<Guest>,
    module: Box<dyn CompiledModule>,
    _engine: Arc<dyn Engine>,
}

impl LoadedKernel {
    /// Compiles a verified module.
    pub(crate) fn compile(
        engine: &Arc<dyn Engine>,
        module: &VerifiedModule,
        origin: Arc<Origin>,
        ceiling: ResourceLimits,
        settings: &Settings,
    ) -> Result<Self, EngineError> {
        let spec = module.spec().clone();
        let limits = ResourceLimits {
            max_memory_pages: spec.limits.max_memory_pages.min(ceiling.max_memory_pages),
            max_epoch_ticks: spec.limits.max_epoch_ticks.min(ceiling.max_epoch_ticks),
            max_table_elements: spec.limits.max_table_elements.min(ceiling.max_table_elements),
        };
        // Told now and not at the first call: no instance could ever be made.
        for (what, needed, limit) in [
            ("pages of memory", module.facts().initial_pages, limits.max_memory_pages),
            ("table elements", module.facts().table_elements, limits.max_table_elements),
        ] {
            if needed > limit {
                return Err(EngineError::CeilingTooLow { kernel: spec.id, what, needed, limit });
            }
        }
        Ok(Self {
            id: spec.id.as_str().into(),
            recovery: Recovery::new(settings, module, &origin.labels())?,
            origin,
            facts: module.facts().clone(),
            limits,
            idle: ArrayQueue::new(MAX_IDLE),
            module: engine.compile(&spec.id, module, limits)?,
            spec,
            _engine: engine.clone(),
        })
    }

    /// Checks a call, runs it in an instance of its own, and hands the instance back: the sandbox and nothing else.
    ///
    /// Callers of kernels get [`serve`](Self::serve), which knows what to do if this fails.
    pub(crate) fn call(
        &self,
        export: Export,
        signature: &Signature<'_>,
        tensors: &mut [TensorArg<'_>],
        scalars: &[u8],
        max_ticks: u32,
    ) -> Result<(), Error> {
        let symbols = check(signature, tensors)?;
        let ticks = self.ticks(max_ticks);
        self.with_guest(ticks, |guest| guest.run(export, signature, tensors, scalars, &symbols, ticks))
    }

    /// Whether an instance could have a tensor of so many bytes.
    pub(crate) fn check_room(&self, bytes: u64) -> Result<(), BadCall> {
        let (needed, limit) = (bytes.div_ceil(PAGE), self.limits.max_memory_pages);
        if needed <= u64::from(limit) {
            return Ok(());
        }
        Err(BadCall::TooLarge { kernel: self.id.to_string(), needed, limit })
    }

    /// The ticks that one call gets.
    pub(crate) fn ticks(&self, max_ticks: u32) -> u32 {
        max_ticks.min(self.limits.max_epoch_ticks)
    }

    /// What the guest says of itself.
    pub(crate) fn info(&self) -> Result<(KernelInfo, Option<String>), Error> {
        self.with_guest(u32::MAX, |guest| {
            let info = guest.info()?;
            Ok((info, guest.text(info.id_offset, info.id_size.min(256))))
        })
    }

    fn with_guest<R>(&self, max_ticks: u32, run: impl FnMut(&mut Guest) -> Result<R, Failure>) -> Result<R, Error> {
        let (guest, result) = self.enter(max_ticks, run)?;
        if !matches!(result, Err(Failure::Stopped(_))) {
            self.give_back(guest);
        }
        result.map_err(|failure| self.error(failure))
    }

    /// Runs something in an instance that nobody else uses, and gives both.
    ///
    /// A warm instance whose guest has grown memory may have no room where a new one has: then a new one has a try.
    pub(crate) fn enter<R>(
        &self,
        max_ticks: u32,
        mut run: impl FnMut(&mut Guest) -> Result<R, Failure>,
    ) -> Result<(Guest, Result<R, Failure>), Error> {
        if let Some(mut guest) = self.idle.pop() {
            match run(&mut guest) {
                Err(Failure::Refused(BadCall::TooLarge { .. }) | Failure::OutOfMemory { .. })
                    if guest.has_grown_memory() =>
                {
                    guest.retire(CLEANUP_TICKS);
                }
                result => return Ok((guest, result)),
            }
        }
        let mut guest = self.birth(max_ticks)?;
        let result = run(&mut guest);
        Ok((guest, result))
    }

    /// How many instances wait for a call, and how many are in one.
    pub(crate) fn occupancy(&self) -> (usize, usize) {
        (self.idle.len(), self.recovery.busy())
    }

    /// Hands an instance to the next caller; one that was stopped must be dropped instead.
    pub(crate) fn give_back(&self, guest: Guest) {
        if let Err(surplus) = self.idle.push(guest) {
            surplus.retire(CLEANUP_TICKS);
        }
    }

    fn birth(&self, max_ticks: u32) -> Result<Guest, Error> {
        let instance = self
            .module
            .instantiate()
            .map_err(|message| EngineError::Instantiate { kernel: self.id.clone(), message })?;
        let cleanup = self.spec.lifecycle.cleanup;
        let mut guest = Guest::new(instance, self.limits, self.facts.heap_base, self.facts.message, cleanup);
        if self.spec.lifecycle.init {
            let ticks = self.ticks(max_ticks);
            self.spec
                .forward
                .with(|signature| guest.init(signature.params, ticks))
                .map_err(|failure| self.error(failure))?;
        }
        Ok(guest)
    }

    /// A failure with the names of kernel and pack.
    #[cold]
    pub(crate) fn error(&self, failure: Failure) -> Error {
        match failure {
            Failure::Refused(BadCall::TooLarge { needed, limit, .. }) => {
                BadCall::TooLarge { kernel: self.id.to_string(), needed, limit }.into()
            }
            Failure::Refused(call) => call.into(),
            Failure::OutOfMemory { pages } => EngineError::OutOfMemory { kernel: self.id.clone(), pages }.into(),
            Failure::Returned(error) => self.trapped(Stop { error, backtrace: Backtrace::default() }).into(),
            Failure::Stopped(stop) => self.trapped(stop).into(),
        }
    }

    #[cold]
    pub(crate) fn trapped(&self, stop: Stop) -> Box<Trapped> {
        let Origin { pack, version, .. } = &*self.origin;
        let Stop { error, backtrace } = stop;
        let (kernel, pack, version) = (self.id.clone(), pack.clone(), version.clone());
        Box::new(Trapped { kernel, pack, version, error, backtrace })
    }
}

impl Drop for LoadedKernel {
    fn drop(&mut self) {
        // One budget for all: a hostile cleanup must not hold up the drop once for each instance.
        let deadline = Instant::now() + TICK * CLEANUP_TICKS;
        while let Some(guest) = self.idle.pop() {
            let left = deadline.saturating_duration_since(Instant::now());
            guest.retire((left.as_millis() / TICK.as_millis()) as u32);
        }
    }
}
