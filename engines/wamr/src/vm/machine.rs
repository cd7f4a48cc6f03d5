//! Instances, and calls of their functions.
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

/// The cells that arguments and results of a call share: two of each, of 64 bits at most.
const CELLS: usize = 4;
const MOST_VALUES: u32 = 2;

/// Bytes in which linear memory is grown: fewer than a page has, since a device has few.
pub(crate) const PIECE: u64 = 1 << 10;

/// Bytes of the interpreter's stack for native code, which has the native one alone. WAMR takes zero for its default.
const NO_STACK: u32 = 8;

/// An instance with its stack and the functions that it is asked for.
#[derive(Debug)]
pub(crate) struct Machine {
    inst: NonNull<sys::ModuleInst>,
    env: NonNull<sys::ExecEnv>,
    memory: Option<NonNull<sys::Memory>>,
    /// Where memory is, until something grows it.
    base: NonNull<u8>,
    size: usize,
    functions: Vec<Option<NonNull<sys::Function>>>,
    /// Where the value of the module's only variable is, if that is an `i32`.
    variable: Option<NonNull<u8>>,
    stack_bytes: u32,
    _code: Arc<Code>,
}

// SAFETY: what the pointers lead to belongs to this machine, and WAMR ties nothing of it to a thread: calls enter the
// thread that makes them into the environment.
unsafe impl Send for Machine {}

impl Machine {
    /// Makes an instance with a stack of so many bytes, whose memory can grow to so many pages, and looks up functions;
    /// code runs only if the module has a start function.
    pub(crate) fn new(code: &Arc<Code>, stack_bytes: u32, max_pages: u32, functions: &[&CStr]) -> Result<Self, String> {
        let _guard = locked(&PROCESS);
        let wasm_stack = if code.native { NO_STACK } else { stack_bytes };
        let args = sys::InstantiationArgs {
            default_stack_size: wasm_stack,
            // The host lays calls out itself.
            host_managed_heap_size: 0,
            max_memory_pages: max_pages.clamp(1, MOST_PAGES),
        };
        let mut words = Words::new();
        // SAFETY: the module is loaded while `code` is; the others are as C expects them, and WAMR does not keep them.
        let inst =
            unsafe { sys::wasm_runtime_instantiate_ex(code.module.as_ptr(), &args, words.ptr(), Words::CAPACITY) };
        let inst = NonNull::new(inst).ok_or_else(|| words.text())?;
        // SAFETY: the instance was made just now.
        let env = NonNull::new(unsafe { sys::wasm_runtime_create_exec_env(inst.as_ptr(), wasm_stack) });
        let Some(env) = env else {
            // SAFETY: made above, and nothing points to it.
            unsafe { sys::wasm_runtime_deinstantiate(inst.as_ptr()) };
            return Err(format!("the pool has no room for a stack of {wasm_stack} bytes"));
        };
        // SAFETY: the instance exists, and so do names that end with a zero.
        let memory = NonNull::new(unsafe { sys::wasm_runtime_get_memory(inst.as_ptr(), 0) });
        let functions = functions.iter().map(|name| function(inst, name)).collect();
        // SAFETY: the instance exists.
        let variable = NonNull::new(unsafe { sys::kernelpack_wamr_only_variable(inst.as_ptr()) }.cast_mut());
        let (base, size) = (NonNull::dangling(), 0);
        let mut made = Self { inst, env, memory, base, size, functions, variable, stack_bytes, _code: code.clone() };
        made.look_at_memory();
        Ok(made)
    }

    /// Whether there is the function with this index among those asked for.
    pub(crate) fn has(&self, function: usize) -> bool {
        self.functions.get(function).is_some_and(Option::is_some)
    }

    /// The value of an exported constant of type i32.
    pub(crate) fn constant(&self, name: &CStr) -> Option<u32> {
        let mut global = sys::Global { kind: 0, is_mutable: false, data: ptr::null_mut() };
        // SAFETY: the instance exists, the name ends with a zero, and what is written is `global`.
        let found = unsafe { sys::wasm_runtime_get_export_global_inst(self.inst.as_ptr(), name.as_ptr(), &mut global) };
        if !found || global.kind != sys::KIND_I32 || global.is_mutable || global.data.is_null() {
            return None;
        }
        // SAFETY: it points to the instance's value, which has four bytes; WAMR aligns globals as it likes.
        Some(unsafe { global.data.cast::<u32>().read_unaligned() })
    }

    /// The value of the module's only variable, if that is an `i32`.
    pub(crate) fn variable(&self) -> Option<u32> {
        // SAFETY: it points to the instance's value, which has four bytes and stays where it is while the instance exists;
        // the guest does not run.
        self.variable.map(|value| unsafe { value.cast::<u32>().read_unaligned() })
    }

    /// Bytes of linear memory.
    #[inline]
    pub(crate) fn memory_size(&self) -> usize {
        self.size
    }

    /// A range of linear memory, if it is all inside.
    #[inline]
    pub(crate) fn bytes(&mut self, range: Range<usize>) -> Option<&mut [u8]> {
        if range.start > range.end || range.end > self.size {
            return None;
        }
        // SAFETY: the range is inside linear memory, which is where it was when it grew last, or when a call returned
        // last; nothing else moves it. The borrow of `self` keeps the guest from running meanwhile, and this is the
        // only place where references to its memory are made.
        Some(unsafe { slice::from_raw_parts_mut(self.base.as_ptr().add(range.start), range.len()) })
    }

    /// Adds so many times [`PIECE`] to linear memory, if limits and pool allow it.
    pub(crate) fn grow(&mut self, pieces: u64) -> bool {
        let Some(memory) = self.memory else { return false };
        // SAFETY: the memory is the instance's, whose guest does not run.
        let most = unsafe { sys::wasm_memory_get_max_page_count(memory.as_ptr()) } * PAGE;
        let size = pieces.checked_mul(PIECE).and_then(|more| more.checked_add(self.size as u64));
        let Some(size) = size.filter(|size| *size <= most).and_then(|size| u32::try_from(size).ok()) else {
            return false;
        };
        // SAFETY: as above. What there is of the memory is an allocation for linear memory, or null where it is empty; so
        // is what takes its place, with what was there, and with zeros behind it. Nobody has references to either.
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

    /// Calls a function of those asked for, and gives its results in 32-bit cells; the error is WAMR's text.
    #[inline]
    pub(crate) fn call(&mut self, function: usize, arguments: &[u32]) -> Result<[u32; 2], String> {
        let Some(&Some(function)) = self.functions.get(function) else {
            return Err("the module has no such export".to_owned());
        };
        let mut cells = [0; CELLS];
        let here = &raw mut cells;
        // The interpreter's stack is the environment's; native code has as many bytes here.
        let end = here.addr().saturating_sub(self.stack_bytes as usize).max(1);
        cells.iter_mut().zip(arguments).for_each(|(cell, argument)| *cell = *argument);
        // SAFETY: environment and function are this instance's, which nobody else uses. Functions were taken only where
        // they have two parameters and two results at most, each of which is two cells at most, so that `cells` holds
        // either; WAMR refuses calls with fewer cells of arguments than the function has. The end of the stack is
        // compared with and never read.
        let returned = unsafe {
            let (end, count) = (ptr::without_provenance_mut(end), arguments.len().min(CELLS) as u32);
            sys::kernelpack_wamr_call(self.env.as_ptr(), end, function.as_ptr(), count, cells.as_mut_ptr())
        };
        self.look_at_memory();
        if returned { Ok([cells[0], cells[1]]) } else { Err(self.exception()) }
    }

    /// What the watchdog needs to stop a call. The watchdog must have forgotten it before this machine is dropped.
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
        // SAFETY: the text ends with a zero; it is the instance's, whose guest does not run.
        unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
    }

    /// Finds out where memory is and how large.
    #[inline]
    fn look_at_memory(&mut self) {
        let Some(memory) = self.memory else { return };
        let mut size = 0;
        // SAFETY: the memory is the instance's, whose guest does not run.
        let base = unsafe { sys::kernelpack_wamr_memory(memory.as_ptr(), &mut size) };
        (self.base, self.size) = NonNull::new(base).map_or((NonNull::dangling(), 0), |base| (base, size as usize));
    }
}

/// An exported function, if there is one that calls can be made of.
fn function(inst: NonNull<sys::ModuleInst>, name: &CStr) -> Option<NonNull<sys::Function>> {
    // SAFETY: the instance exists, and the name ends with a zero.
    let function = NonNull::new(unsafe { sys::wasm_runtime_lookup_function(inst.as_ptr(), name.as_ptr()) })?;
    // SAFETY: the function is that instance's.
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
        // SAFETY: both were made in `new`; nobody uses them: the guest does not run, and the watchdog has forgotten the
        // environment. The lock is free again when the code is dropped.
        unsafe {
            sys::wasm_runtime_destroy_exec_env(self.env.as_ptr());
            sys::wasm_runtime_deinstantiate(self.inst.as_ptr());
        }
    }
}
