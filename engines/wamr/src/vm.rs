//! A safe wrapper of WAMR; all `unsafe` of the engine is in this file and its parts.
//!
//! WAMR's runtime is per process, and so is the pool for all its memory. Both exist as long as any [`Vm`], and every
//! module holds one. [`Code`] and [`Machine`] own C objects: a machine holds its code, and both are freed under the
//! lock that all creation and freeing takes. Calls take no global lock; WAMR keeps the state that they change in the
//! instance and in its execution environment, which belong to the machine.
//!
//! No thread is registered with WAMR: that is only needed for signal handlers and guard pages, which are configured
//! off.
#![allow(unsafe_code, reason = "calls of C functions; the reasons stand at the blocks")]

mod brake;
mod buffer;
mod code;
mod machine;
mod pool;
mod words;

use std::{
    ptr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use kernelpack_wamr_sys as sys;

pub(super) use self::{
    brake::Brake,
    buffer::Buffer,
    code::Code,
    machine::{Machine, PIECE},
};

/// The largest number of pages of a linear memory: WAMR computes sizes in 32 bits, where 65536 pages overflow to 0.
pub(super) const MOST_PAGES: u32 = 65_535;

/// The number of users of the runtime, and the size of their shared pool. The lock is held whenever anything is made or
/// freed.
static PROCESS: Mutex<Process> = Mutex::new(Process { users: 0, bytes: 0 });

struct Process {
    users: usize,
    bytes: usize,
}

/// A share in the process's runtime.
#[derive(Debug)]
pub(super) struct Vm {
    version: [u32; 3],
}

/// The reason why the runtime cannot be started.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    #[error("the process has a pool of {has} bytes for WAMR already, and {asked} are asked for: choose one size")]
    OtherPool { has: usize, asked: usize },
    #[error("a pool of {0} bytes is too small for WAMR to start in, or larger than 64 GiB; choose another size")]
    Refused(usize),
    #[error("this machine has no memory for a pool of {0} bytes; choose a smaller one, or free memory")]
    OutOfMemory(usize),
}

impl From<StartError> for kernelpack_engine::StartError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::OutOfMemory(_) => Self::OutOfMemory(error.to_string()),
            StartError::OtherPool { .. } | StartError::Refused(_) => Self::Settings(error.to_string()),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No panic under these locks can leave their data half-updated.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Vm {
    /// Joins the process's runtime, or starts it with a pool of this many bytes.
    pub(super) fn start(bytes: usize) -> Result<Self, StartError> {
        let mut process = locked(&PROCESS);
        if process.users == 0 {
            pool::open(bytes)?;
            if !init() {
                pool::close();
                return Err(StartError::Refused(bytes));
            }
            process.bytes = bytes;
        } else if process.bytes != bytes {
            return Err(StartError::OtherPool { has: process.bytes, asked: bytes });
        }
        process.users += 1;
        let [mut major, mut minor, mut patch] = [0; 3];
        // SAFETY: it writes only to these three numbers.
        unsafe { sys::wasm_runtime_get_version(&mut major, &mut minor, &mut patch) };
        Ok(Self { version: [major, minor, patch] })
    }

    /// Returns WAMR's version.
    pub(super) fn version(&self) -> semver::Version {
        let [major, minor, patch] = self.version.map(u64::from);
        semver::Version::new(major, minor, patch)
    }

    /// Returns the number of bytes of the pool that are in use.
    pub(super) fn used(&self) -> usize {
        pool::used()
    }
}

impl Drop for Vm {
    fn drop(&mut self) {
        let mut process = locked(&PROCESS);
        process.users -= 1;
        if process.users == 0 {
            // SAFETY: `start` initialized it, and this was the last user: all modules and instances hold one, so none
            // is left. The lock prevents another start meanwhile.
            unsafe { sys::wasm_runtime_destroy() };
            pool::close();
        }
    }
}

/// Starts the runtime with the pool.
fn init() -> bool {
    let mut args = sys::RuntimeInitArgs {
        mem_alloc_type: sys::ALLOC_WITH_ALLOCATOR,
        mem_alloc_option: sys::Allocator {
            malloc: pool::malloc,
            realloc: pool::realloc,
            free: pool::free,
            user_data: ptr::null_mut(),
        },
        native_module_name: ptr::null(),
        native_symbols: ptr::null_mut(),
        n_native_symbols: 0,
        // With more, an instance's stack would be divided among threads that never exist.
        max_thread_num: 1,
        ip_addr: [0; 128],
        unused: 0,
        instance_port: 0,
        fast_jit_code_cache_size: 0,
        gc_heap_size: 0,
        running_mode: sys::MODE_INTERP,
        llvm_jit_opt_level: 0,
        llvm_jit_size_level: 0,
        segue_flags: 0,
        enable_linux_perf: false,
    };
    // SAFETY: the arguments are complete, a test of that crate compares their layout with C's, and WAMR does not keep
    // them. It is not running: `PROCESS` has no users, and is locked.
    unsafe { sys::wasm_runtime_full_init(&mut args) }
}
