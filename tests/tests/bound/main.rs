//! Calls on tensors that stay where the kernel accesses them, and the proof that a hostile kernel cannot affect them.
//!
//! Mappings are counted for the whole process, so any test that makes or drops one takes a lock.

mod asynchronous;
mod batch;
mod chain;
mod dynamic;
mod isolation;
mod limits;
mod mappings;
mod split;
#[path = "../pool/stub.rs"]
#[allow(dead_code, reason = "the stub does more than these tests need")]
mod stub;
#[path = "../end_to_end/wat_kernel.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod wat_kernel;

use std::{
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use kernelpack_host::Pack;
use kernelpack_tests::{engine::Engine, pack::some_of_core};

/// Returns the folder of the kernels of the core pack that these tests call.
fn folder(engine: Engine) -> &'static Path {
    engine.folder(some_of_core(&["kv_pack_q8", "rmsnorm_f32", "rope_f32", "swiglu_f32"]))
}

fn core(engine: Engine) -> Pack {
    engine.runtime().open(folder(engine)).unwrap()
}

/// Serializes tests that make mappings.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    // A test that fails poisons the lock, which must not make the others fail.
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}
