//! Modules, and native code that replaces them.
#![allow(unsafe_code, reason = "calls of C functions; the reasons stand at the blocks")]

use std::{
    ffi::c_void,
    ptr::{self, NonNull},
    sync::Arc,
};

use kernelpack_manifest::FileBytes;
use kernelpack_wamr_sys as sys;

use super::{super::native::NativeCode, Buffer, MOST_PAGES, PROCESS, Vm, locked, pool::free, words::Words};

/// The alignment of compiled files.
const ALIGNMENT: usize = align_of::<u32>();

/// A loaded module.
#[derive(Debug)]
pub(crate) struct Code {
    pub(super) module: NonNull<sys::Module>,
    /// Whether it is native code.
    pub(super) native: bool,
    /// WAMR's memory for the parts of the file that it needs outside of its own structures.
    kept: Option<NonNull<c_void>>,
    _vm: Arc<Vm>,
}

// SAFETY: WAMR changes a loaded module only when it makes or frees an instance, which takes the lock.
unsafe impl Send for Code {}
// SAFETY: as above.
unsafe impl Sync for Code {}

impl Code {
    /// Loads a module, and limits the total elements of its tables and the pages of its memory.
    pub(crate) fn load(vm: &Arc<Vm>, wasm: &[u8], table_elements: u32, max_pages: u32) -> Result<Self, String> {
        let size = size(wasm)?;
        let mut words = Words::new();
        let guard = locked(&PROCESS);
        // SAFETY: the runtime exists, since a `Vm` does. The file has the given length, is not written to, and nothing
        // points to it afterwards; `shim.c` gives the reasons. The function rejects native code. The message buffer has
        // the given length.
        let module = unsafe { sys::kernelpack_wamr_load(wasm.as_ptr(), size, words.ptr(), Words::CAPACITY) };
        drop(guard);
        Self::bounded(vm, module, false, ptr::null_mut(), table_elements, max_pages).ok_or_else(|| words.text())?
    }

    /// Loads native code that replaces a module.
    pub(crate) fn load_native(
        vm: &Arc<Vm>,
        native: NativeCode,
        table_elements: u32,
        max_pages: u32,
    ) -> Result<Self, String> {
        let mut file = native.into_bytes();
        if !file.as_ptr().addr().is_multiple_of(ALIGNMENT) {
            file = aligned(vm, &file)?;
        }
        let (mut size, mut text_size) = (size(&file)?, 0);
        let (mut words, mut kept) = (Words::new(), ptr::null_mut());
        let guard = locked(&PROCESS);
        // SAFETY: the file has the given length and starts at a multiple of four; the function writes only inside of
        // it.
        let text = unsafe { sys::kernelpack_wamr_lift(file.as_mut_ptr(), &mut size, &mut text_size) };
        if text.is_null() {
            // The size is set as soon as there is code.
            let fault =
                if text_size == 0 { "there is no machine code in it" } else { "no memory for its machine code" };
            return Err(fault.to_owned());
        }
        file.truncate(size as usize);
        // SAFETY: the code must have been compiled from a module by WAMR's compiler, with the checks that keep it
        // inside of its sandbox, and must be unchanged since. The file's record of that was read in either case. A
        // `VerifiedAot` is made only from bytes whose digest is in a manifest signed by a key that the host granted
        // native code; the key's owner vouches for it. A `HostCompiled` is made only in `host_compiled.rs`: from a
        // `Compiled`, which the program that the host's developer named as this compiler just wrote from a
        // `VerifiedModule`, into a folder closed to others; or from a `TrustedArtifact`, an entry of the compile cache
        // whose seal was checked with a secret that only this user can read. Entries under such a fingerprint are
        // sealed only there, and only from a `Compiled`. The runtime exists, since a `Vm` does, and nobody else loads
        // while the lock is held. The file has the given length and starts at a multiple of four, is not written to,
        // and nothing points to it afterwards; `shim.c` gives the reasons. The machine code belongs to this file alone.
        // The message buffer has the given length.
        let module = unsafe {
            sys::kernelpack_wamr_load_native(
                file.as_ptr(),
                size,
                text,
                text_size,
                &mut kept,
                words.ptr(),
                Words::CAPACITY,
            )
        };
        drop(guard);
        Self::bounded(vm, module, true, kept, table_elements, max_pages).ok_or_else(|| words.text())?
    }

    /// Takes ownership of a loaded module, if loading succeeded, and limits its instances.
    fn bounded(
        vm: &Arc<Vm>,
        module: *mut sys::Module,
        native: bool,
        kept: *mut c_void,
        table_elements: u32,
        max_pages: u32,
    ) -> Option<Result<Self, String>> {
        // From here on, dropping it unloads it, which takes the lock.
        let code = Self { module: NonNull::new(module)?, native, kept: NonNull::new(kept), _vm: vm.clone() };
        let guard = locked(&PROCESS);
        let max_pages = max_pages.min(MOST_PAGES);
        // SAFETY: the module is loaded and has no instance yet.
        let bounded = unsafe { sys::kernelpack_wamr_bound(code.module.as_ptr(), table_elements, max_pages) };
        drop(guard);
        Some(if bounded { Ok(code) } else { Err(format!("its tables can grow beyond {table_elements} elements")) })
    }
}

/// Copies the file into a buffer from the pool, which starts at a multiple of [`ALIGNMENT`].
fn aligned(vm: &Arc<Vm>, file: &[u8]) -> Result<FileBytes, String> {
    let mut buffer = Buffer::new(vm, file.len()).ok_or("the pool has no room for the native code")?;
    buffer.as_mut().copy_from_slice(file);
    Ok(FileBytes::lent(Box::new(buffer)))
}

fn size(file: &[u8]) -> Result<u32, String> {
    u32::try_from(file.len()).map_err(|_| "the module is too large".to_owned())
}

impl Drop for Code {
    fn drop(&mut self) {
        let _guard = locked(&PROCESS);
        // SAFETY: loaded in `load` or `load_native`; every `Machine` holds its code, so there is no instance. Nothing
        // points to what was kept afterwards. (`_vm` is dropped after the lock is released.)
        unsafe {
            sys::wasm_runtime_unload(self.module.as_ptr());
            free(sys::FOR_RUNTIME, self.kept.map_or(ptr::null_mut(), NonNull::as_ptr));
        }
    }
}
