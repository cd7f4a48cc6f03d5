//! Modules, and native code in the stead of modules.
#![allow(unsafe_code, reason = "calls of C functions; the reasons stand at the blocks")]

use std::{
    ffi::c_void,
    ptr::{self, NonNull},
    sync::Arc,
};

use kernelpack_manifest::VerifiedAot;
use kernelpack_wamr_sys as sys;

use super::{
    MOST_PAGES, PROCESS, Vm, locked,
    pool::{free, malloc},
    words::Words,
};

/// A module that was loaded.
#[derive(Debug)]
pub(crate) struct Code {
    pub(super) module: NonNull<sys::Module>,
    /// What WAMR loaded, in the pool: it goes on pointing there.
    bytes: NonNull<c_void>,
    _vm: Arc<Vm>,
}

// SAFETY: WAMR changes a loaded module only when it makes or frees an instance, which is done under the lock.
unsafe impl Send for Code {}
// SAFETY: as above.
unsafe impl Sync for Code {}

impl Code {
    /// Loads a module whose tables may have so many elements in all, and its memory so many pages.
    pub(crate) fn load(vm: &Arc<Vm>, wasm: &[u8], table_elements: u32, max_pages: u32) -> Result<Self, String> {
        if !wasm.starts_with(b"\0asm") {
            return Err("this is no module".to_owned());
        }
        // SAFETY: this is no native code, which alone is run as it is.
        unsafe { Self::load_any(vm, wasm, table_elements, max_pages) }
    }

    /// Loads native code in the stead of a module.
    pub(crate) fn load_native(
        vm: &Arc<Vm>,
        native: &VerifiedAot,
        table_elements: u32,
        max_pages: u32,
    ) -> Result<Self, String> {
        // SAFETY: a `VerifiedAot` is made only of bytes whose digest is in a manifest that was signed by a key which the
        // host granted native code. That is the word of its owner that it was compiled from a module by WAMR's compiler,
        // with the checks that keep it inside of its sandbox; the file's record of that was read.
        unsafe { Self::load_any(vm, native.bytes(), table_elements, max_pages) }
    }

    /// # Safety
    /// Native code is that of a module that WAMR's compiler compiled, with all checks.
    unsafe fn load_any(vm: &Arc<Vm>, wasm: &[u8], table_elements: u32, max_pages: u32) -> Result<Self, String> {
        let _guard = locked(&PROCESS);
        let size = u32::try_from(wasm.len()).map_err(|_| "the module is too large".to_owned())?;
        // SAFETY: it has no conditions.
        let bytes = NonNull::new(unsafe { malloc(sys::FOR_RUNTIME, size) })
            .ok_or_else(|| format!("the pool has no room for the module's {size} bytes"))?;
        // SAFETY: `bytes` are `size` bytes that were given to us alone.
        unsafe { ptr::copy_nonoverlapping(wasm.as_ptr(), bytes.as_ptr().cast(), wasm.len()) };
        let mut words = Words::new();
        // SAFETY: what native code needs is the caller's word. The runtime is there, since a `Vm` is. The buffer is as
        // long as is said, starts at a multiple of 16, and stays until the module is unloaded in `drop`; the other one
        // is as long as is said.
        let module = unsafe { sys::wasm_runtime_load(bytes.as_ptr().cast(), size, words.ptr(), Words::CAPACITY) };
        let Some(module) = NonNull::new(module) else {
            // SAFETY: allocated above, and WAMR has no module that points to it.
            unsafe { free(sys::FOR_RUNTIME, bytes.as_ptr()) };
            return Err(words.text());
        };
        let max_pages = max_pages.min(MOST_PAGES);
        // SAFETY: the module was loaded and has no instance yet.
        let bounded = unsafe { sys::kernelpack_wamr_bound(module.as_ptr(), table_elements, max_pages) };
        if !bounded {
            // SAFETY: loaded above, without instances; nothing points to the bytes afterwards.
            unsafe {
                sys::wasm_runtime_unload(module.as_ptr());
                free(sys::FOR_RUNTIME, bytes.as_ptr());
            }
            return Err(format!("its tables can grow beyond {table_elements} elements"));
        }
        Ok(Self { module, bytes, _vm: vm.clone() })
    }
}

impl Drop for Code {
    fn drop(&mut self) {
        let _guard = locked(&PROCESS);
        // SAFETY: loaded in `load`; every `Machine` holds its code, so there is no instance. Nothing points to the bytes
        // afterwards. (`_vm` is dropped later, when the lock is free again.)
        unsafe {
            sys::wasm_runtime_unload(self.module.as_ptr());
            free(sys::FOR_RUNTIME, self.bytes.as_ptr());
        }
    }
}
