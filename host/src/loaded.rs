//! A kernel that was compiled, with its idle instances.

use std::sync::Arc;

use crossbeam_queue::ArrayQueue;
use kernelpack_abi::{KernelInfo, KernelSpecBuf, ResourceLimits, Signature, TensorArg};
use kernelpack_manifest::{ModuleFacts, VerifiedModule};
use semver::Version;

use crate::{
    BadCall, EngineError, Error, KernelError, Trapped,
    engine::{CompiledModule, Engine, Export},
    guest::{Failure, Guest, check},
};

/// Idle instances that are kept; more callers than this at once still work, but their instances are not kept.
const MAX_IDLE: usize = 64;

/// Which pack a kernel came from, for error messages.
pub(crate) struct Origin {
    pub(crate) pack: Arc<str>,
    pub(crate) version: Version,
}

/// A compiled kernel.
pub(crate) struct LoadedKernel {
    pub(crate) id: Arc<str>,
    pub(crate) spec: KernelSpecBuf,
    origin: Arc<Origin>,
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
    ) -> Result<Self, EngineError> {
        let spec = module.spec().clone();
        let limits = ResourceLimits {
            max_memory_pages: spec.limits.max_memory_pages.min(ceiling.max_memory_pages),
            max_epoch_ticks: spec.limits.max_epoch_ticks.min(ceiling.max_epoch_ticks),
            max_table_elements: spec.limits.max_table_elements.min(ceiling.max_table_elements),
        };
        Ok(Self {
            id: spec.id.as_str().into(),
            origin,
            facts: module.facts().clone(),
            limits,
            idle: ArrayQueue::new(MAX_IDLE),
            module: engine.compile(&spec.id, module, limits)?,
            spec,
            _engine: engine.clone(),
        })
    }

    /// Checks a call, runs it in an instance of its own, and hands the instance back.
    pub(crate) fn call(
        &self,
        export: Export,
        signature: &Signature<'_>,
        tensors: &mut [TensorArg<'_>],
        scalars: &[u8],
        max_ticks: u32,
    ) -> Result<(), Error> {
        let symbols = check(signature, tensors)?;
        let ticks = max_ticks.min(self.limits.max_epoch_ticks);
        self.with_guest(|guest| guest.run(export, signature, tensors, scalars, &symbols, ticks))
    }

    /// What the guest says of itself.
    pub(crate) fn info(&self) -> Result<(KernelInfo, Option<String>), Error> {
        self.with_guest(|guest| {
            let info = guest.info()?;
            Ok((info, guest.text(info.id_offset, info.id_size.min(256))))
        })
    }

    fn with_guest<R>(&self, run: impl FnOnce(&mut Guest) -> Result<R, Failure>) -> Result<R, Error> {
        let mut guest = match self.idle.pop() {
            Some(guest) => guest,
            None => self.birth()?,
        };
        let result = run(&mut guest);
        if !matches!(result, Err(Failure::Stopped(_)))
            && let Err(surplus) = self.idle.push(guest)
        {
            surplus.retire();
        }
        result.map_err(|failure| self.error(failure))
    }

    fn birth(&self) -> Result<Guest, Error> {
        let instance = self
            .module
            .instantiate()
            .map_err(|message| EngineError::Instantiate { kernel: self.id.clone(), message })?;
        let cleanup = self.spec.lifecycle.cleanup;
        let mut guest = Guest::new(instance, self.limits, self.facts.heap_base, self.facts.message, cleanup);
        if self.spec.lifecycle.init {
            self.spec.forward.with(|signature| guest.init(signature.params)).map_err(|failure| self.error(failure))?;
        }
        Ok(guest)
    }

    #[cold]
    fn error(&self, failure: Failure) -> Error {
        match failure {
            Failure::Refused(BadCall::TooLarge { needed, limit, .. }) => {
                BadCall::TooLarge { kernel: self.id.to_string(), needed, limit }.into()
            }
            Failure::Refused(call) => call.into(),
            Failure::OutOfMemory { pages } => EngineError::OutOfMemory { kernel: self.id.clone(), pages }.into(),
            Failure::Returned(error) | Failure::Stopped(error) => self.trapped(error),
        }
    }

    fn trapped(&self, error: KernelError) -> Error {
        let Origin { pack, version } = &*self.origin;
        Box::new(Trapped { kernel: self.id.clone(), pack: pack.clone(), version: version.clone(), error }).into()
    }
}

impl Drop for LoadedKernel {
    fn drop(&mut self) {
        while let Some(guest) = self.idle.pop() {
            guest.retire();
        }
    }
}
