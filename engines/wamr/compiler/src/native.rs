//! The calls into `c/compile.c`, which declares the same structure and functions.

use std::{
    ffi::{CString, c_char, c_void},
    path::Path,
    ptr, slice,
};

use kernelpack_manifest::AOT_RECORD;

use crate::machine::Machine;

/// The memory limit of this process in bytes, code and stacks included.
const MEMORY: u64 = 8 << 30;
/// The limit of processor time in seconds.
const SECONDS: u64 = 600;
const MESSAGE_BYTES: usize = 512;

#[repr(C)]
struct Request {
    arch: *const c_char,
    abi: *const c_char,
    cpu: *const c_char,
    features: *const c_char,
    stack_usage_file: *const c_char,
    section: *const c_char,
    opt_level: u32,
    size_level: u32,
}

unsafe extern "C" {
    fn kernelpack_limit(memory: u64, seconds: u64);
    fn kernelpack_compile(
        request: *const Request,
        wasm: *mut u8,
        wasm_size: u32,
        aot_size: *mut u32,
        message: *mut c_char,
        message_size: u32,
    ) -> *mut u8;
    fn kernelpack_release(aot: *mut c_void);
}

/// Limits the memory and processor time of this process.
pub(crate) fn limit() {
    // SAFETY: it takes only numbers, and sets limits of the process that nothing here relies on.
    unsafe { kernelpack_limit(MEMORY, SECONDS) }
}

/// Compiles a module to an `.aot` file, or returns the reason why that fails. `frames` is written to.
pub(crate) fn compile(machine: &Machine, frames: &Path, mut wasm: Vec<u8>) -> Result<Vec<u8>, String> {
    let text = |text: &[u8]| CString::new(text).map_err(|_| "a name has a zero byte".to_owned());
    let strings = [machine.arch, machine.abi, machine.cpu, machine.features, AOT_RECORD].map(|it| text(it.as_bytes()));
    let [arch, abi, cpu, features, section] = strings;
    let (arch, abi, cpu, features, section) = (arch?, abi?, cpu?, features?, section?);
    let frames = text(frames.as_os_str().as_encoded_bytes())?;
    let wasm_size = u32::try_from(wasm.len()).map_err(|_| "the module is too large".to_owned())?;
    let (opt_level, size_level) = machine.levels();
    let request = Request {
        arch: arch.as_ptr(),
        abi: abi.as_ptr(),
        cpu: cpu.as_ptr(),
        features: features.as_ptr(),
        stack_usage_file: frames.as_ptr(),
        section: section.as_ptr(),
        opt_level,
        size_level,
    };
    let mut aot_size = 0;
    let mut message = vec![0u8; MESSAGE_BYTES];
    // SAFETY: `request` has the layout of the C structure. Its strings, `wasm` and `message` outlive the call, and C
    // uses them only during it; the sizes are right, and the last byte of `message` stays zero.
    let aot = unsafe {
        kernelpack_compile(
            &request,
            wasm.as_mut_ptr(),
            wasm_size,
            &mut aot_size,
            message.as_mut_ptr().cast(),
            MESSAGE_BYTES as u32 - 1,
        )
    };
    if ptr::eq(aot, ptr::null()) {
        let end = message.iter().position(|&byte| byte == 0).unwrap_or(message.len());
        return Err(String::from_utf8_lossy(&message[..end]).trim().to_owned());
    }
    // SAFETY: it is not null, so it is a file of that many bytes, initialized and ours until it is released.
    let made = unsafe { slice::from_raw_parts(aot, aot_size as usize) }.to_vec();
    // SAFETY: it came from `kernelpack_compile`, and is not used any more.
    unsafe { kernelpack_release(aot.cast()) };
    Ok(made)
}
