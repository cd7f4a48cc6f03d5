//! Kernels that resist being stopped, tested through the whole host: each is stopped on each engine, whichever way its
//! calls are made and interrupted.
//!
//! No test here depends on timing, except that [`Patience`] ends the process if a call is never stopped.

mod bulk;
mod coroutine;
mod edge;
mod fixtures;
mod hostile;
mod lifecycle;
mod memory_init;
mod storm;
mod straight;
#[path = "../pool/stub.rs"]
#[allow(dead_code, reason = "the stub does more than these tests need")]
mod stub;
#[path = "../end_to_end/wat_kernel.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod wat_kernel;

use std::{
    sync::{Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::Duration,
};

use kernelpack_host::{
    Error, Pack, RuntimeBuilder, Tensor, TypedKernel,
    engine::Interruption,
    error::KernelError,
    policy::{BreakerPolicy, FallbackPolicy},
};
use kernelpack_tests::engine::Engine;

use crate::{
    stub::{Args, Forward, honest},
    wat_kernel::Parts,
};

/// Locks out other tests that fill much of the pool, which all of WAMR's tests share.
fn large(engine: Engine) -> Option<MutexGuard<'static, ()>> {
    static LARGE: Mutex<()> = Mutex::new(());
    (engine != Engine::Wasmtime).then(|| LARGE.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Ends the process if it is not dropped within two minutes, since a test has no other way to end a guest that never
/// stops.
struct Patience(#[expect(dead_code, reason = "dropping it is what counts")] mpsc::Sender<()>);

impl Patience {
    fn with(what: impl Into<String>) -> Self {
        let what = what.into();
        let (sender, over) = mpsc::channel::<()>();
        thread::spawn(move || {
            if over.recv_timeout(Duration::from_secs(120)) == Err(mpsc::RecvTimeoutError::Timeout) {
                eprintln!("{what} is not stopped");
                std::process::abort();
            }
        });
        Self(sender)
    }
}

/// Returns a runtime that reports the sandbox's own errors.
fn runtime(engine: Engine, interruption: Interruption) -> RuntimeBuilder {
    let runtime = engine.interrupted(interruption).max_stack_bytes(16 << 20);
    runtime.fallback(FallbackPolicy::Never).breaker(BreakerPolicy::Never)
}

/// Returns the kernel of a module whose manifest describes it correctly.
fn kernel(engine: Engine, parts: &Parts, interruption: Interruption) -> (Pack, TypedKernel<Forward>) {
    let pack = engine.ready(honest(parts));
    let pack = runtime(engine, interruption).build().unwrap().open(pack.path()).unwrap();
    let kernel = pack.kernel::<Forward>().unwrap();
    (pack, kernel)
}

/// Makes two tensors of a few floats: ones, and zeros for the output.
fn tensors() -> (Tensor<f32>, Tensor<f32>) {
    (Tensor::from_slice(&[1.0; 16], &[16]).unwrap(), Tensor::zeros(&[16]).unwrap())
}

/// Returns the sandbox's result of a call.
fn outcome(result: Result<(), Error>) -> Result<(), KernelError> {
    match result {
        Ok(()) => Ok(()),
        Err(Error::Kernel(trapped)) => Err(trapped.error),
        Err(other) => panic!("{other}"),
    }
}

fn args<'a>(x: &'a Tensor<f32>, y: &'a mut Tensor<f32>, mode: i32) -> Args<'a> {
    Args { x: x.view(), y: y.view_mut(), mode }
}
