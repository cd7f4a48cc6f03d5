//! Instances and calls of their functions.
#![allow(unsafe_code, reason = "calls of C functions; the reasons stand at the blocks")]

use std::{
    ffi::CStr,
    ops::Range,
    ptr::{self, NonNull},
    slice,
    sync::Arc,
};

use kernelpack_wamr_sys as sys;

use super::{Brake, Code, MOST_PAGES, PROCESS, locked, pool, words::Words};
use kernelpack_engine::PAGE;

/// The cells that the arguments and results of a call share: two of each, of at most 64 bits.
const CELLS: usize = 4;
const MOST_VALUES: u32 = 2;

/// The granularity in bytes in which linear memory grows; less than a page, since a device has little memory.
pub(crate) const PIECE: u64 = 1 << 10;

/// The interpreter's stack size for native code, which uses only the native stack. WAMR replaces zero by its default.
const NO_STACK: u32 = 8;

/// An instance with its stack and the functions that were looked up.
#[derive(Debug)]
pub(crate) struct Machine {
    inst: NonNull<sys::ModuleInst>,
    env: NonNull<sys::ExecEnv>,
    memory: Option<NonNull<sys::Memory>>,
    /// The start of memory, until something grows it.
    base: NonNull<u8>,
    size: usize,
    functions: Vec<Option<NonNull<sys::Function>>>,
    /// The address of the module's only mutable global, if that is an `i32`.
    variable: Option<NonNull<u8>>,
    stack_bytes: u32,
    _code: Arc<Code>,
}

// SAFETY: the pointers lead to objects of this machine, and WAMR ties none of them to a thread: each call records its
// thread in the environment.
unsafe impl Send for Machine {}

impl Machine {
    /// Makes an instance with a stack of this many bytes, whose memory can grow to `max_pages`, and looks up functions.
    /// Code runs only if the module has a start function.
    pub(crate) fn new(code: &Arc<Code>, stack_bytes: u32, max_pages: u32, functions: &[&CStr]) -> Result<Self, String> {
        let _guard = locked(&PROCESS);
        let wasm_stack = if code.native { NO_STACK } else { stack_bytes };
        let args = sys::InstantiationArgs {
            default_stack_size: wasm_stack,
            // The host places calls itself.
            host_managed_heap_size: 0,
            max_memory_pages: max_pages.clamp(1, MOST_PAGES),
        };
        let mut words = Words::new();
        // SAFETY: the module is loaded as long as `code` exists; the other arguments are as C expects them, and WAMR
        // does not keep them.
        let inst =
            unsafe { sys::wasm_runtime_instantiate_ex(code.module.as_ptr(), &args, words.ptr(), Words::CAPACITY) };
        let inst = NonNull::new(inst).ok_or_else(|| words.text())?;
        // SAFETY: the instance was made above.
        let env = NonNull::new(unsafe { sys::wasm_runtime_create_exec_env(inst.as_ptr(), wasm_stack) });
        let Some(env) = env else {
            // SAFETY: made above, and nothing points to it.
            unsafe { sys::wasm_runtime_deinstantiate(inst.as_ptr()) };
            return Err(format!("the pool has no room for a stack of {wasm_stack} bytes"));
        };
        // SAFETY: the instance exists, and names end with a zero.
        let memory = NonNull::new(unsafe { sys::wasm_runtime_get_memory(inst.as_ptr(), 0) });
        let functions = functions.iter().map(|name| function(inst, name)).collect();
        // SAFETY: the instance exists.
        let variable = NonNull::new(unsafe { sys::kernelpack_wamr_only_variable(inst.as_ptr()) }.cast_mut());
        let (base, size) = (NonNull::dangling(), 0);
        let mut made = Self { inst, env, memory, base, size, functions, variable, stack_bytes, _code: code.clone() };
        made.look_at_memory();
        Ok(made)
    }

    /// Returns whether the function with this index was found.
    pub(crate) fn has(&self, function: usize) -> bool {
        self.functions.get(function).is_some_and(Option::is_some)
    }

    /// Returns the value of an exported constant of type i32.
    pub(crate) fn constant(&self, name: &CStr) -> Option<u32> {
        let mut global = sys::Global { kind: 0, is_mutable: false, data: ptr::null_mut() };
        // SAFETY: the instance exists, the name ends with a zero, and the function writes only to `global`.
        let found = unsafe { sys::wasm_runtime_get_export_global_inst(self.inst.as_ptr(), name.as_ptr(), &mut global) };
        if !found || global.kind != sys::KIND_I32 || global.is_mutable || global.data.is_null() {
            return None;
        }
        // SAFETY: it points to the instance's value, which has four bytes; WAMR does not align globals.
        Some(unsafe { global.data.cast::<u32>().read_unaligned() })
    }

    /// Returns the value of the module's only mutable global, if that is an `i32`.
    pub(crate) fn variable(&self) -> Option<u32> {
        // SAFETY: it points to the instance's value, which has four bytes and does not move while the instance exists;
        // the guest is not running.
        self.variable.map(|value| unsafe { value.cast::<u32>().read_unaligned() })
    }

    /// Returns the size of linear memory in bytes.
    #[inline]
    pub(crate) fn memory_size(&self) -> usize {
        self.size
    }

    /// Returns a range of linear memory, if all of it is inside.
    #[inline]
    pub(crate) fn bytes(&mut self, range: Range<usize>) -> Option<&mut [u8]> {
        if range.start > range.end || range.end > self.size {
            return None;
        }
        // SAFETY: the range is inside linear memory, whose address was read when it last grew or a call last returned;
        // nothing else moves it. The borrow of `self` keeps the guest from running meanwhile, and references to its
        // memory are made only here.
        Some(unsafe { slice::from_raw_parts_mut(self.base.as_ptr().add(range.start), range.len()) })
    }

    /// Adds this many [`PIECE`]s to linear memory, if limits and pool allow it.
    pub(crate) fn grow(&mut self, pieces: u64) -> bool {
        let Some(memory) = self.memory else { return false };
        // SAFETY: the memory belongs to the instance, whose guest is not running.
        let most = unsafe { sys::wasm_memory_get_max_page_count(memory.as_ptr()) } * PAGE;
        let size = pieces.checked_mul(PIECE).and_then(|more| more.checked_add(self.size as u64));
        let Some(size) = size.filter(|size| *size <= most).and_then(|size| u32::try_from(size).ok()) else {
            return false;
        };
        // SAFETY: as above. The existing memory is an allocation for linear memory, or null if it is empty. So is its
        // replacement, which has the same contents followed by zeros. Nobody has references to either.
        unsafe {
            let old = sys::kernelpack_wamr_memory(memory.as_ptr(), &mut 0);
            let new = pool::realloc(sys::FOR_LINEAR_MEMORY, false, old.cast(), size);
            if new.is_null() {
                return false;
            }
            sys::kernelpack_wamr_place(memory.as_ptr(), new.cast(), u64::from(size));
        }
        self.look_at_memory();
        true
    }

    /// Calls a function by its index and returns its results in 32-bit cells; the error is WAMR's message.
    #[inline]
    pub(crate) fn call(&mut self, function: usize, arguments: &[u32]) -> Result<[u32; 2], String> {
        let Some(&Some(function)) = self.functions.get(function) else {
            return Err("the module has no such export".to_owned());
        };
        let mut cells = [0; CELLS];
        let here = &raw mut cells;
        // The interpreter uses the environment's stack; native code may use as many bytes of this one.
        let end = here.addr().saturating_sub(self.stack_bytes as usize).max(1);
        cells.iter_mut().zip(arguments).for_each(|(cell, argument)| *cell = *argument);
        // SAFETY: environment and function belong to this instance, and nobody else uses them. Only functions with at
        // most two parameters and two results were looked up, each of at most two cells, so `cells` holds either; WAMR
        // rejects calls with fewer argument cells than the function has. The end of the stack is only compared with,
        // never read.
        let returned = unsafe {
            let (end, count) = (ptr::without_provenance_mut(end), arguments.len().min(CELLS) as u32);
            sys::kernelpack_wamr_call(self.env.as_ptr(), end, function.as_ptr(), count, cells.as_mut_ptr())
        };
        self.look_at_memory();
        if returned { Ok([cells[0], cells[1]]) } else { Err(self.exception()) }
    }

    /// Returns the handle with which the watchdog stops calls. The watchdog must have released it before this machine
    /// is dropped.
    pub(crate) fn brake(&self) -> Brake {
        Brake(self.env)
    }

    #[cold]
    fn exception(&self) -> String {
        // SAFETY: the instance exists.
        let text = unsafe { sys::wasm_runtime_get_exception(self.inst.as_ptr()) };
        if text.is_null() {
            return "it failed without a word".to_owned();
        }
        // SAFETY: the text ends with a zero and belongs to the instance, whose guest is not running.
        unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
    }

    /// Reads the address and size of memory.
    #[inline]
    fn look_at_memory(&mut self) {
        let Some(memory) = self.memory else { return };
        let mut size = 0;
        // SAFETY: the memory belongs to the instance, whose guest is not running.
        let base = unsafe { sys::kernelpack_wamr_memory(memory.as_ptr(), &mut size) };
        (self.base, self.size) = NonNull::new(base).map_or((NonNull::dangling(), 0), |base| (base, size as usize));
    }
}

/// Returns an exported function, if there is one with a supported signature.
fn function(inst: NonNull<sys::ModuleInst>, name: &CStr) -> Option<NonNull<sys::Function>> {
    // SAFETY: the instance exists, and the name ends with a zero.
    let function = NonNull::new(unsafe { sys::wasm_runtime_lookup_function(inst.as_ptr(), name.as_ptr()) })?;
    // SAFETY: the function belongs to that instance.
    let (parameters, results) = unsafe {
        (
            sys::wasm_func_get_param_count(function.as_ptr(), inst.as_ptr()),
            sys::wasm_func_get_result_count(function.as_ptr(), inst.as_ptr()),
        )
    };
    (parameters <= MOST_VALUES && results <= MOST_VALUES).then_some(function)
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _guard = locked(&PROCESS);
        // SAFETY: both were made in `new`, and nobody uses them: the guest is not running, and the watchdog has
        // released the environment. The lock is released before the code is dropped.
        unsafe {
            sys::wasm_runtime_destroy_exec_env(self.env.as_ptr());
            sys::wasm_runtime_deinstantiate(self.inst.as_ptr());
        }
    }
}
