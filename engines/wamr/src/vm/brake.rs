//! Stops calls from another thread.
#![allow(unsafe_code, reason = "calls of C functions; the reasons stand at the blocks")]

use std::{io, ptr::NonNull};

use kernelpack_wamr_sys as sys;

use kernelpack_engine::Stoppable;

/// Stops the calls of a machine permanently.
#[derive(Debug)]
pub(crate) struct Brake(pub(super) NonNull<sys::ExecEnv>);

// SAFETY: `stop`, its only method, may be called from any thread.
unsafe impl Send for Brake {}
// SAFETY: as above.
unsafe impl Sync for Brake {}

impl Stoppable for Brake {
    fn stop(&self) -> io::Result<bool> {
        // SAFETY: the environment exists: its machine is dropped only after its watch, which waits for a watchdog that
        // is here and keeps it from coming here later. `stop` writes an atomic number, under WAMR's own locks.
        unsafe { sys::wasm_cluster_cancel_thread(self.0.as_ptr()) };
        Ok(true)
    }
}
