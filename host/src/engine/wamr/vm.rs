//! WAMR behind a safe face; all `unsafe` of the engine is here.
//!
//! WAMR's runtime is the process's, and so is the pool that all its memory comes from. Both are there while a [`Vm`] is,
//! and every module holds one. [`Code`] and [`Machine`] own what C gave out: a machine holds its code, and both are freed
//! under the lock that all making and freeing takes. Calls take no lock of the process's; WAMR keeps what they change in
//! the instance and in its execution environment, which belong to the machine.
//!
//! No thread is announced to WAMR: that is for signal handlers and guard pages, which are configured out.
#![allow(unsafe_code, reason = "calls of C functions; the reasons stand at the blocks")]

use std::{
    alloc::{Layout, alloc_zeroed, dealloc},
    ffi::{CStr, c_char, c_uint, c_void},
    io,
    ops::Range,
    ptr::{self, NonNull},
    slice,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use kernelpack_wamr_sys as sys;

use super::{
    blocks::{Blocks, End, UNIT},
    native::NativeCode,
};
use crate::engine::{PAGE, watchdog::Stoppable};

/// The most pages of a linear memory: WAMR asks for memory in 32 bits, where 65536 pages are none.
pub(super) const MOST_PAGES: u32 = 65_535;

/// The cells that arguments and results of a call share: two of each, of 64 bits at most.
const CELLS: usize = 4;
const MOST_VALUES: u32 = 2;

/// Users of the runtime, and the size of the pool that they share. Who makes or frees anything holds the lock.
static PROCESS: Mutex<Process> = Mutex::new(Process { users: 0, bytes: 0 });
/// Where all memory of WAMR's comes from. Taken under the lock above, and by calls that grow memory, never the other way.
static POOL: Mutex<Option<Pool>> = Mutex::new(None);

struct Process {
    users: usize,
    bytes: usize,
}

struct Pool {
    blocks: Blocks,
    base: NonNull<u8>,
    layout: Layout,
}

// SAFETY: the pointer is to memory that the pool owns.
unsafe impl Send for Pool {}

/// A share in the process's runtime.
#[derive(Debug)]
pub(super) struct Vm {
    version: [u32; 3],
}

/// Why there is no runtime.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    #[error("the process has a pool of {has} bytes for WAMR already, and {asked} are asked for: choose one size")]
    OtherPool { has: usize, asked: usize },
    #[error("a pool of {0} bytes is too small for WAMR to start in, or too large for this machine")]
    Refused(usize),
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that is done under these locks panics half-way.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Vm {
    /// Joins the process's runtime, or starts it with a pool of so many bytes.
    pub(super) fn start(bytes: usize) -> Result<Self, StartError> {
        let mut process = locked(&PROCESS);
        if process.users == 0 {
            *locked(&POOL) = Some(Pool::new(bytes).ok_or(StartError::Refused(bytes))?);
            if !init() {
                *locked(&POOL) = None;
                return Err(StartError::Refused(bytes));
            }
            process.bytes = bytes;
        } else if process.bytes != bytes {
            return Err(StartError::OtherPool { has: process.bytes, asked: bytes });
        }
        process.users += 1;
        let [mut major, mut minor, mut patch] = [0; 3];
        // SAFETY: it writes to these three numbers and nothing else.
        unsafe { sys::wasm_runtime_get_version(&mut major, &mut minor, &mut patch) };
        Ok(Self { version: [major, minor, patch] })
    }

    /// WAMR's version.
    pub(super) fn version(&self) -> semver::Version {
        let [major, minor, patch] = self.version.map(u64::from);
        semver::Version::new(major, minor, patch)
    }

    /// Bytes of the pool in use.
    #[cfg(test)]
    pub(super) fn used(&self) -> usize {
        locked(&POOL).as_ref().map_or(0, |pool| pool.blocks.used() * UNIT)
    }
}

impl Drop for Vm {
    fn drop(&mut self) {
        let mut process = locked(&PROCESS);
        process.users -= 1;
        if process.users == 0 {
            // SAFETY: `start` initialized it, and this was the last user: all modules and instances hold one, so none
            // is left. The lock keeps the next from starting meanwhile.
            unsafe { sys::wasm_runtime_destroy() };
            *locked(&POOL) = None;
        }
    }
}

/// Starts the runtime with the allocator below.
fn init() -> bool {
    let mut args = sys::RuntimeInitArgs {
        mem_alloc_type: sys::ALLOC_WITH_ALLOCATOR,
        mem_alloc_option: sys::Allocator { malloc, realloc, free, user_data: ptr::null_mut() },
        native_module_name: ptr::null(),
        native_symbols: ptr::null_mut(),
        n_native_symbols: 0,
        // With more, an instance's stack would be divided among threads that there never are.
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
    // SAFETY: the arguments are whole, their layout is held against C's by a test of that crate, and WAMR does not keep
    // them. It is not running: `PROCESS` has no users, and is locked.
    unsafe { sys::wasm_runtime_full_init(&mut args) }
}

impl Pool {
    /// A pool of so many bytes, if the machine has them.
    fn new(bytes: usize) -> Option<Self> {
        let units = u32::try_from(bytes / UNIT).ok().filter(|units| *units > 0)?;
        let layout = Layout::from_size_align(units as usize * UNIT, UNIT).ok()?;
        // SAFETY: the size is not zero. Systems that provide memory at first use need not do so now.
        let base = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        Some(Self { blocks: Blocks::new(units), base, layout })
    }

    fn at(&self, start: u32) -> *mut u8 {
        self.base.as_ptr().wrapping_add(start as usize * UNIT)
    }

    /// The place of an allocation of this pool's.
    fn place(&self, ptr: *const c_void) -> u32 {
        (ptr.addr().wrapping_sub(self.base.addr().get()) / UNIT) as u32
    }

    fn allocate(&mut self, usage: c_uint, size: c_uint) -> *mut u8 {
        let linear = usage == sys::FOR_LINEAR_MEMORY;
        let end = if linear { End::Front } else { End::Back };
        let Some(start) = self.blocks.allocate(size.div_ceil(UNIT as u32).max(1), end) else { return ptr::null_mut() };
        let ptr = self.at(start);
        if linear {
            // SAFETY: so many bytes from there on are in the pool and were just given to this allocation alone.
            unsafe { ptr.write_bytes(0, size as usize) };
        }
        ptr
    }

    fn reallocate(&mut self, usage: c_uint, old: *mut u8, size: c_uint) -> *mut u8 {
        let start = self.place(old.cast());
        let Some(had) = self.blocks.size(start) else { return ptr::null_mut() };
        let had = had as usize * UNIT;
        let new = if self.blocks.resize(start, size.div_ceil(UNIT as u32).max(1)) {
            old
        } else {
            let new = self.allocate(usage, size);
            if !new.is_null() {
                // SAFETY: both are allocations of this pool's, of at least so many bytes, and different ones.
                unsafe { ptr::copy_nonoverlapping(old, new, had.min(size as usize)) };
                self.blocks.free(start);
            }
            new
        };
        if usage == sys::FOR_LINEAR_MEMORY && !new.is_null() && size as usize > had {
            // SAFETY: the allocation has `size` bytes now, and nobody has been given those from `had` on.
            unsafe { new.add(had).write_bytes(0, size as usize - had) };
        }
        new
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this layout; WAMR, which had parts of it, has ended or never began.
        unsafe { dealloc(self.base.as_ptr(), self.layout) };
    }
}

unsafe extern "C" fn malloc(usage: c_uint, size: c_uint) -> *mut c_void {
    locked(&POOL).as_mut().map_or(ptr::null_mut(), |pool| pool.allocate(usage, size).cast())
}

unsafe extern "C" fn realloc(usage: c_uint, _: bool, old: *mut c_void, size: c_uint) -> *mut c_void {
    if old.is_null() {
        // SAFETY: it has no conditions.
        return unsafe { malloc(usage, size) };
    }
    locked(&POOL).as_mut().map_or(ptr::null_mut(), |pool| pool.reallocate(usage, old.cast(), size).cast())
}

unsafe extern "C" fn free(_: c_uint, old: *mut c_void) {
    if let Some(pool) = locked(&POOL).as_mut().filter(|_| !old.is_null()) {
        let start = pool.place(old);
        pool.blocks.free(start);
    }
}

/// What WAMR says when something fails.
struct Words([u8; 128]);

impl Words {
    fn new() -> Self {
        Self([0; 128])
    }

    fn ptr(&mut self) -> *mut c_char {
        self.0.as_mut_ptr().cast()
    }

    fn text(&self) -> String {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        String::from_utf8_lossy(&self.0[..end]).into_owned()
    }
}

/// A module that was loaded.
#[derive(Debug)]
pub(super) struct Code {
    module: NonNull<sys::Module>,
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
    pub(super) fn load(vm: &Arc<Vm>, wasm: &[u8], table_elements: u32, max_pages: u32) -> Result<Self, String> {
        if !wasm.starts_with(b"\0asm") {
            return Err("this is no module".to_owned());
        }
        // SAFETY: this is no native code, which alone is run as it is.
        unsafe { Self::load_any(vm, wasm, table_elements, max_pages) }
    }

    /// Loads native code in the stead of a module.
    pub(super) fn load_native(
        vm: &Arc<Vm>,
        native: NativeCode<'_>,
        table_elements: u32,
        max_pages: u32,
    ) -> Result<Self, String> {
        // SAFETY: it must have been compiled from a module by WAMR's compiler, with the checks that keep it inside of its
        // sandbox, and unchanged since. The file's record of that was read in either case.
        // A `VerifiedAot` is made only of bytes whose digest is in a manifest that was signed by a key which the host
        // granted native code, which is the word of the key's owner.
        // An `OwnCode` is made in `own.rs` only: of a `Compiled`, which is what the program that the host's developer
        // named as this compiler wrote just now, into a folder closed to others, when it was given a `VerifiedModule`; or
        // of a `TrustedArtifact`, an entry of the compile cache whose seal was checked with a secret that only this user
        // can read. Entries under such a fingerprint are sealed there only, and of the former only.
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
        let module = unsafe { sys::wasm_runtime_load(bytes.as_ptr().cast(), size, words.ptr(), words.0.len() as u32) };
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

/// An instance with its stack and the functions that it is asked for.
#[derive(Debug)]
pub(super) struct Machine {
    inst: NonNull<sys::ModuleInst>,
    env: NonNull<sys::ExecEnv>,
    memory: Option<NonNull<sys::Memory>>,
    /// Where memory is, until something grows it.
    base: NonNull<u8>,
    size: usize,
    functions: Vec<Option<NonNull<sys::Function>>>,
    stack_bytes: u32,
    _code: Arc<Code>,
}

// SAFETY: what the pointers lead to belongs to this machine, and WAMR ties nothing of it to a thread: calls enter the
// thread that makes them into the environment.
unsafe impl Send for Machine {}

impl Machine {
    /// Makes an instance with a stack of so many bytes, whose memory can grow to so many pages, and looks up functions;
    /// code runs only if the module has a start function.
    pub(super) fn new(code: &Arc<Code>, stack_bytes: u32, max_pages: u32, functions: &[&CStr]) -> Result<Self, String> {
        let _guard = locked(&PROCESS);
        let args = sys::InstantiationArgs {
            default_stack_size: stack_bytes,
            // The host lays calls out itself.
            host_managed_heap_size: 0,
            max_memory_pages: max_pages.clamp(1, MOST_PAGES),
        };
        let mut words = Words::new();
        // SAFETY: the module is loaded while `code` is; the others are as C expects them, and WAMR does not keep them.
        let inst =
            unsafe { sys::wasm_runtime_instantiate_ex(code.module.as_ptr(), &args, words.ptr(), words.0.len() as u32) };
        let inst = NonNull::new(inst).ok_or_else(|| words.text())?;
        // SAFETY: the instance was made just now.
        let env = NonNull::new(unsafe { sys::wasm_runtime_create_exec_env(inst.as_ptr(), stack_bytes) });
        let Some(env) = env else {
            // SAFETY: made above, and nothing points to it.
            unsafe { sys::wasm_runtime_deinstantiate(inst.as_ptr()) };
            return Err(format!("the pool has no room for a stack of {stack_bytes} bytes"));
        };
        // SAFETY: the instance exists, and so do names that end with a zero.
        let memory = NonNull::new(unsafe { sys::wasm_runtime_get_memory(inst.as_ptr(), 0) });
        let functions = functions.iter().map(|name| function(inst, name)).collect();
        let (base, size) = (NonNull::dangling(), 0);
        let mut made = Self { inst, env, memory, base, size, functions, stack_bytes, _code: code.clone() };
        made.look_at_memory();
        Ok(made)
    }

    /// Whether there is the function with this index among those asked for.
    pub(super) fn has(&self, function: usize) -> bool {
        self.functions.get(function).is_some_and(Option::is_some)
    }

    /// The value of an exported constant of type i32.
    pub(super) fn constant(&self, name: &CStr) -> Option<u32> {
        let mut global = sys::Global { kind: 0, is_mutable: false, data: ptr::null_mut() };
        // SAFETY: the instance exists, the name ends with a zero, and what is written is `global`.
        let found = unsafe { sys::wasm_runtime_get_export_global_inst(self.inst.as_ptr(), name.as_ptr(), &mut global) };
        if !found || global.kind != sys::KIND_I32 || global.is_mutable || global.data.is_null() {
            return None;
        }
        // SAFETY: it points to the instance's value, which has four bytes; WAMR aligns globals as it likes.
        Some(unsafe { global.data.cast::<u32>().read_unaligned() })
    }

    /// Bytes of linear memory.
    #[inline]
    pub(super) fn memory_size(&self) -> usize {
        self.size
    }

    /// A range of linear memory, if it is all inside.
    #[inline]
    pub(super) fn bytes(&mut self, range: Range<usize>) -> Option<&mut [u8]> {
        if range.start > range.end || range.end > self.size {
            return None;
        }
        // SAFETY: the range is inside linear memory, which is where it was when it grew last, or when a call returned
        // last; nothing else moves it. The borrow of `self` keeps the guest from running meanwhile, and this is the
        // only place where references to its memory are made.
        Some(unsafe { slice::from_raw_parts_mut(self.base.as_ptr().add(range.start), range.len()) })
    }

    /// Adds pages to linear memory, if limits and pool allow it.
    pub(super) fn grow(&mut self, pages: u64) -> bool {
        // SAFETY: the instance exists, and its guest does not run.
        let grown = self.memory.is_some() && unsafe { sys::wasm_runtime_enlarge_memory(self.inst.as_ptr(), pages) };
        self.look_at_memory();
        grown
    }

    /// Calls a function of those asked for, and gives its results in 32-bit cells; the error is WAMR's text.
    #[inline]
    pub(super) fn call(&mut self, function: usize, arguments: &[u32]) -> Result<[u32; 2], String> {
        let Some(&Some(function)) = self.functions.get(function) else {
            return Err("the module has no such export".to_owned());
        };
        let mut cells = [0; CELLS];
        let here = &raw mut cells;
        // The interpreter's stack is the environment's; code compiled ahead of time has the same number of bytes here.
        let end = here.addr().saturating_sub(self.stack_bytes as usize).max(1);
        cells.iter_mut().zip(arguments).for_each(|(cell, argument)| *cell = *argument);
        // SAFETY: environment and function are this instance's, which nobody else uses. Functions were taken only where
        // they have two parameters and two results at most, each of which is two cells at most, so that `cells` holds
        // either; WAMR refuses calls with fewer cells of arguments than the function has. The end of the stack is
        // compared with and never read.
        let returned = unsafe {
            sys::wasm_runtime_set_native_stack_boundary(self.env.as_ptr(), ptr::without_provenance_mut(end));
            let count = arguments.len().min(CELLS) as u32;
            sys::wasm_runtime_call_wasm(self.env.as_ptr(), function.as_ptr(), count, cells.as_mut_ptr())
        };
        self.look_at_memory();
        if returned { Ok([cells[0], cells[1]]) } else { Err(self.exception()) }
    }

    /// What the watchdog needs to stop a call. The watchdog must have forgotten it before this machine is dropped.
    pub(super) fn brake(&self) -> Brake {
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
        // SAFETY: the memory is the instance's, whose guest does not run.
        let (base, pages, page) = unsafe {
            (
                sys::wasm_memory_get_base_address(memory.as_ptr()),
                sys::wasm_memory_get_cur_page_count(memory.as_ptr()),
                sys::wasm_memory_get_bytes_per_page(memory.as_ptr()),
            )
        };
        // Pages of another size are not what the module declared, and no memory is better than one that is not.
        let size = if page == PAGE { (pages * page) as usize } else { 0 };
        (self.base, self.size) = NonNull::new(base.cast()).map_or((NonNull::dangling(), 0), |base| (base, size));
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

/// Stops the calls of a machine, for good.
#[derive(Debug)]
pub(super) struct Brake(NonNull<sys::ExecEnv>);

// SAFETY: `stop`, the one thing to do with it, may be done by any thread.
unsafe impl Send for Brake {}
// SAFETY: as above.
unsafe impl Sync for Brake {}

impl Stoppable for Brake {
    fn stop(&self) -> io::Result<()> {
        // SAFETY: the environment exists: its machine is dropped only after the watchdog, which calls this, has
        // forgotten it. What is written is an atomic number, under WAMR's own locks.
        unsafe { sys::wasm_cluster_cancel_thread(self.0.as_ptr()) };
        Ok(())
    }
}
