//! WAMR, compiled from its packaged sources, and the functions of it that Kernelpack's hosts use.
//!
//! The declarations are hand-written from `wasm_export.h`, and a few from `thread_manager.h`, `shim.c` and `bulk.c`.
//! `shim.c` also exports the layouts that the C compiler sees, and a test compares them with the ones here. `build.rs`
//! shows WAMR's configuration and gives the reasons.
#![allow(unsafe_code, reason = "declarations of C functions; callers give the reasons")]
#![no_std]

use core::{
    ffi::{c_char, c_uint, c_void},
    marker::{PhantomData, PhantomPinned},
};

/// Declares types whose contents only C knows.
macro_rules! opaque {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[repr(C)]
        #[derive(Debug)]
        pub struct $name {
            _data: [u8; 0],
            _not_send: PhantomData<(*mut u8, PhantomPinned)>,
        }
    )+};
}

opaque! {
    /// A loaded module.
    Module,
    /// An instance of a module.
    ModuleInst,
    /// The environment that runs calls of an instance, with their stack.
    ExecEnv,
    /// A function of an instance.
    Function,
    /// A linear memory.
    Memory,
}

/// The purpose of an allocation.
pub type Usage = c_uint;
/// Everything but linear memory.
pub const FOR_RUNTIME: Usage = 0;
/// Linear memory, which must be zero, including what a reallocation adds.
pub const FOR_LINEAR_MEMORY: Usage = 1;

/// Allocates this many bytes at a multiple of eight; null if that is not possible.
pub type MallocFn = unsafe extern "C" fn(usage: Usage, size: c_uint) -> *mut c_void;
/// Resizes an allocation, which may move; null, with nothing changed, if that is not possible.
pub type ReallocFn =
    unsafe extern "C" fn(usage: Usage, full_size_mmaped: bool, ptr: *mut c_void, size: c_uint) -> *mut c_void;
/// Frees an allocation.
pub type FreeFn = unsafe extern "C" fn(usage: Usage, ptr: *mut c_void);

/// The host's allocator: `MemAllocOption.allocator`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "as in wasm_export.h")]
pub struct Allocator {
    pub malloc: MallocFn,
    pub realloc: ReallocFn,
    pub free: FreeFn,
    pub user_data: *mut c_void,
}

/// `mem_alloc_type_t` for memory from the host's functions.
pub const ALLOC_WITH_ALLOCATOR: c_uint = 1;
/// `RunningMode` for the interpreter.
pub const MODE_INTERP: c_uint = 1;

/// The settings of the runtime.
#[repr(C)]
#[derive(Debug)]
#[allow(missing_docs, reason = "as in wasm_export.h")]
pub struct RuntimeInitArgs {
    pub mem_alloc_type: c_uint,
    pub mem_alloc_option: Allocator,
    pub native_module_name: *const c_char,
    pub native_symbols: *mut c_void,
    pub n_native_symbols: u32,
    pub max_thread_num: u32,
    pub ip_addr: [c_char; 128],
    pub unused: i32,
    pub instance_port: i32,
    pub fast_jit_code_cache_size: u32,
    pub gc_heap_size: u32,
    pub running_mode: c_uint,
    pub llvm_jit_opt_level: u32,
    pub llvm_jit_size_level: u32,
    pub segue_flags: u32,
    pub enable_linux_perf: bool,
}

/// A global of an instance: `wasm_global_inst_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "as in wasm_export.h")]
pub struct Global {
    pub kind: u8,
    pub is_mutable: bool,
    pub data: *mut c_void,
}

/// `WASM_I32`, the kind of a global.
pub const KIND_I32: u8 = 0;

/// The settings of an instance.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "as in wasm_export.h")]
pub struct InstantiationArgs {
    pub default_stack_size: u32,
    pub host_managed_heap_size: u32,
    pub max_memory_pages: u32,
}

unsafe extern "C" {
    /// Starts the runtime of the process.
    pub fn wasm_runtime_full_init(args: *mut RuntimeInitArgs) -> bool;
    /// Ends the runtime.
    pub fn wasm_runtime_destroy();
    /// Writes WAMR's version to the three numbers.
    pub fn wasm_runtime_get_version(major: *mut u32, minor: *mut u32, patch: *mut u32);
    /// Loads a module from a buffer, which is only read, and is not needed afterwards.
    pub fn kernelpack_wamr_load(file: *const u8, size: u32, error_buf: *mut c_char, error_buf_size: u32)
    -> *mut Module;
    /// Moves the machine code of an AOT file, in a buffer at a multiple of four, to pages of its own, and closes the
    /// gap in the file; `size` is set to what is left. Null, with the file unchanged, if there is no machine code or, with
    /// `text_size` set, not enough memory.
    pub fn kernelpack_wamr_lift(file: *mut u8, size: *mut u32, text_size: *mut u32) -> *mut u8;
    /// Loads an AOT file whose machine code was lifted; the buffer is only read, and is not needed afterwards. The
    /// machine code is then owned by the module, or was unmapped. If `kept` is set to a pointer, that is WAMR's memory,
    /// to be freed after the module is unloaded. Two threads must not call this at once.
    pub fn kernelpack_wamr_load_native(
        file: *const u8,
        size: u32,
        text: *mut u8,
        text_size: u32,
        kept: *mut *mut c_void,
        error_buf: *mut c_char,
        error_buf_size: u32,
    ) -> *mut Module;
    /// Unloads a module.
    pub fn wasm_runtime_unload(module: *mut Module);
    /// Makes an instance.
    pub fn wasm_runtime_instantiate_ex(
        module: *const Module,
        args: *const InstantiationArgs,
        error_buf: *mut c_char,
        error_buf_size: u32,
    ) -> *mut ModuleInst;
    /// Frees an instance.
    pub fn wasm_runtime_deinstantiate(inst: *mut ModuleInst);
    /// Makes an execution environment with a stack of this many bytes.
    pub fn wasm_runtime_create_exec_env(inst: *mut ModuleInst, stack_size: u32) -> *mut ExecEnv;
    /// Frees an execution environment.
    pub fn wasm_runtime_destroy_exec_env(env: *mut ExecEnv);
    /// Returns an exported function; null if there is none.
    pub fn wasm_runtime_lookup_function(inst: *mut ModuleInst, name: *const c_char) -> *mut Function;
    /// Returns the number of parameters of a function.
    pub fn wasm_func_get_param_count(function: *mut Function, inst: *mut ModuleInst) -> u32;
    /// Returns the number of results of a function.
    pub fn wasm_func_get_result_count(function: *mut Function, inst: *mut ModuleInst) -> u32;
    /// Calls a function. `boundary` is the end of the native stack, which is only compared with, never read; `argv`
    /// holds the arguments and then the results, in 32-bit cells. A stopped call may leave anything in linear memory
    /// and tables: from then on, bulk instructions do nothing.
    pub fn kernelpack_wamr_call(
        env: *mut ExecEnv,
        boundary: *mut u8,
        function: *mut Function,
        argc: u32,
        argv: *mut u32,
    ) -> bool;
    /// Returns why a call failed; null if it did not.
    pub fn wasm_runtime_get_exception(inst: *mut ModuleInst) -> *const c_char;
    /// Writes an exported global to `global`; returns `false` if there is none.
    pub fn wasm_runtime_get_export_global_inst(inst: *mut ModuleInst, name: *const c_char, global: *mut Global)
    -> bool;
    /// Returns where an instance keeps the only mutable global of its module, whose value has four bytes at any
    /// alignment; null if there is none or several, or if it is not an `i32`.
    pub fn kernelpack_wamr_only_variable(inst: *mut ModuleInst) -> *const u8;
    /// Returns the memory with this index; null if there is none.
    pub fn wasm_runtime_get_memory(inst: *mut ModuleInst, index: u32) -> *mut Memory;
    /// Returns the maximum of a memory in pages of 64 KiB.
    pub fn wasm_memory_get_max_page_count(memory: *mut Memory) -> u64;
    /// Returns the start and size of a memory; the guest may grow it, which may move it.
    pub fn kernelpack_wamr_memory(memory: *mut Memory, size: *mut u64) -> *mut u8;
    /// Sets the address and size of a memory. The address is an allocation for linear memory with the previous
    /// contents; the size is not smaller than before, and not larger than its pages.
    pub fn kernelpack_wamr_place(memory: *mut Memory, data: *mut u8, size: u64);
    /// Makes the calls of an execution environment return soon, at the next branch, call or loop; any thread may call
    /// this while the environment exists. It leaves no exception: a stopped call looks like one that returned.
    pub fn wasm_cluster_cancel_thread(env: *mut ExecEnv) -> i32;
    /// Limits a loaded module before instances of it are made: its tables to this many elements in total, where those
    /// that can grow get equal shares of what is left, and its memory to this many pages, even if the guest cannot grow
    /// it. `false` if the tables' sizes are compiled in and are larger.
    pub fn kernelpack_wamr_bound(module: *mut Module, table_elements: u32, max_pages: u32) -> bool;
}

#[cfg(test)]
mod tests;
