//! An engine that breaks what the host relies on: the host is blamed, and neither the kernel nor the caller.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use kernelpack_abi::{BatchStatus, ResourceLimits};
use kernelpack_engine::{
    CompileError, CompiledModule, EmptyFunction, Engine, EngineSettings, Export, Instance, KernelCode, NoInstance,
    StartError, Stop,
};
use kernelpack_host::{
    Error, Runtime,
    engine::{Interruption, Wasmtime},
    pack::CacheOutcome,
    policy::BreakerPolicy,
};
use kernelpack_tests::pack::key;

use crate::wat_kernel::{Parts, call};

/// Wasmtime, whose instances hide their memory while the flag is set.
#[derive(Clone, Debug, Default)]
struct Forgetful(Arc<AtomicBool>);

struct Started(Arc<dyn Engine>, Forgetful);

struct Compiled(Box<dyn CompiledModule>, Forgetful);

struct Made(Box<dyn Instance>, Forgetful);

impl EngineSettings for Forgetful {
    fn start(&self) -> Result<Arc<dyn Engine>, StartError> {
        Ok(Arc::new(Started(Wasmtime::new().start()?, self.clone())))
    }
}

impl Engine for Started {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn version(&self) -> semver::Version {
        self.0.version()
    }

    fn features(&self) -> Vec<&'static str> {
        self.0.features()
    }

    fn compile(&self, code: KernelCode, limits: ResourceLimits) -> Result<Box<dyn CompiledModule>, CompileError> {
        Ok(Box::new(Compiled(self.0.compile(code, limits)?, self.1.clone())))
    }

    fn empty_function(&self) -> Result<Box<dyn EmptyFunction>, CompileError> {
        self.0.empty_function()
    }
}

impl CompiledModule for Compiled {
    fn instantiate(&self) -> Result<Box<dyn Instance>, NoInstance> {
        Ok(Box::new(Made(self.0.instantiate()?, self.1.clone())))
    }

    fn cache_outcome(&self) -> CacheOutcome {
        self.0.cache_outcome()
    }

    fn interruption(&self) -> Interruption {
        self.0.interruption()
    }
}

impl Instance for Made {
    fn memory_size(&self) -> u64 {
        self.0.memory_size()
    }

    fn grow(&mut self, pieces: u64) -> bool {
        self.0.grow(pieces)
    }

    fn bytes(&mut self, range: Range<usize>) -> Option<&mut [u8]> {
        if self.1.0.load(Relaxed) { None } else { self.0.bytes(range) }
    }

    fn has_batch(&self) -> bool {
        self.0.has_batch()
    }

    fn call_batch(&mut self, descriptors: u32, count: u32, ticks: u32) -> Result<BatchStatus, Stop> {
        self.0.call_batch(descriptors, count, ticks)
    }

    fn call(&mut self, export: Export, address: u32, ticks: u32) -> Result<i32, Stop> {
        self.0.call(export, address, ticks)
    }
}

#[test]
fn what_kernelpack_breaks_is_reported_as_such_and_takes_no_kernel_out_of_service() {
    let settings = Forgetful::default();
    let runtime = Runtime::builder(settings.clone()).trust(key().public());
    let runtime = runtime.breaker(BreakerPolicy::after(1, Duration::from_secs(3600))).build().unwrap();
    let pack = runtime.open(Parts::forward("i32.const 0").pack().path()).unwrap();
    let kernel = pack.kernel_named("wat_kernel").unwrap();
    call(&kernel, 0).unwrap();
    for _ in 0..3 {
        settings.0.store(true, Relaxed);
        let broken = call(&kernel, 0).unwrap_err();
        assert!(matches!(broken, Error::Internal(_)), "{broken:?}");
        assert!(broken.to_string().ends_with("; please report this"), "{broken}");
        settings.0.store(false, Relaxed);
        call(&kernel, 0).unwrap();
    }
}
