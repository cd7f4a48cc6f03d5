//! The code of an export around the author's function: it checks the call, makes it, and translates the result.

use core::cell::UnsafeCell;

use kernelpack_abi::{
    BatchStatus, Error, KernelDescriptor, KernelInfo, KernelSpec, MESSAGE_CAPACITY, Result, Status, layout::Bounds,
};

use crate::{
    frame::{Fault, Frame, LinearMemory, Memo, Scalars, Signed, open_params},
    message, panic,
};

const PAGE: u64 = 65536;

#[cfg(target_feature = "atomics")]
compile_error!("a kernel has one thread: build it without `+atomics`");

/// Returns this module's own linear memory, above its data and stack.
#[inline(always)]
fn memory() -> LinearMemory {
    unsafe extern "C" {
        /// A symbol that the linker places after data and stack; only its address is meaningful.
        static __heap_base: u8;
    }
    let floor = (&raw const __heap_base).addr() as u32;
    let memory_size = core::arch::wasm32::memory_size(0) as u64 * PAGE;
    LinearMemory { base: 0, bounds: Bounds { floor, memory_size } }
}

/// The memo that the passes of this module share.
struct Memos(UnsafeCell<Memo>);

// SAFETY: a kernel is single-threaded.
unsafe impl Sync for Memos {}

static MEMO: Memos = Memos(UnsafeCell::new(Memo::new()));

/// Runs a forward or backward pass.
#[inline(always)]
pub fn pass<S: Signed>(descriptor: u32, run: impl FnOnce(&mut Frame<'_, S>) -> Result<Result<()>, Fault>) -> i32 {
    enter(
        #[inline(always)]
        || {
            // SAFETY: linear memory exists up to its size, offset 0 is aligned to everything, and the host does not
            // touch it during a call. The bounds start above the module's own data and stack. The module's allocator
            // uses only pages that the module itself added with `memory.grow`, and a host of this ABI places tensors
            // only in other pages; a host that breaks this rule could also corrupt the allocator's pages between calls.
            // The memo is used only here, for this memory, which never shrinks, and passes do not nest.
            let mut frame = unsafe { Frame::open(memory(), descriptor, &mut *MEMO.0.get())? };
            match run(&mut frame) {
                Ok(result) => result,
                Err(fault) => Err(fault.into()),
            }
        },
    )
}

/// Runs forward passes for `count` consecutive descriptors, up to the first that fails.
///
/// Each pass checks its own descriptor when its turn comes, whatever earlier passes wrote.
///
/// The pass is a type rather than a function pointer, since a function whose address is taken would be in the table,
/// and therefore in the module of every kernel of the crate.
pub fn batch(descriptors: u32, count: u32, forward: impl Fn(u32) -> i32) -> i64 {
    if !memory().holds(descriptors, count) {
        let code = enter(|| {
            Err(Error::new(
                Status::InvalidParams,
                format_args!(
                    "the {count} descriptors at {descriptors} lie outside the usable memory or are misaligned"
                ),
            ))
        });
        return BatchStatus { code, index: 0 }.to_bits();
    }
    let mut status = BatchStatus::OK;
    for index in 0..count {
        set_turn(Some(index));
        let code = forward(descriptors + index * KernelDescriptor::SIZE);
        if code != Status::Ok.code() {
            status = BatchStatus { code, index };
            break;
        }
    }
    set_turn(None);
    status.to_bits()
}

/// Sets which call of a batch is next.
fn set_turn(turn: Option<u32>) {
    // SAFETY: as in `pass`, which is not running now.
    unsafe { (*MEMO.0.get()).set_turn(turn) };
}

/// Runs an initialization.
pub fn init(params: u32, size: u32, run: impl FnOnce(Scalars<'_>) -> Result<()>) -> i32 {
    // SAFETY: as in `pass`; the block is only read.
    enter(|| run(unsafe { open_params(memory(), params, size)? }))
}

/// Runs a cleanup.
pub fn cleanup(run: impl FnOnce() -> Result<()>) -> i32 {
    enter(run)
}

/// Writes a [`KernelInfo`].
pub fn info(at: u32, spec: &KernelSpec<'_>) -> i32 {
    enter(|| {
        let LinearMemory { bounds, .. } = memory();
        let end = u64::from(at) + u64::from(KernelInfo::SIZE);
        if at < bounds.floor || end > bounds.memory_size || !at.is_multiple_of(4) {
            return Err(Error::new(
                Status::InvalidOutput,
                format_args!("the info structure at {at} lies outside the usable memory or is misaligned"),
            ));
        }
        let info = KernelInfo {
            abi_version: kernelpack_abi::ABI_VERSION,
            tensor_count: spec.forward.tensors.len() as u32,
            param_count: spec.forward.params.len() as u32,
            flags: KernelInfo::HAS_FORWARD_BATCH
                | (u32::from(spec.lifecycle.init) * KernelInfo::HAS_INIT)
                | (u32::from(spec.backward.is_some()) * KernelInfo::HAS_BACKWARD)
                | (u32::from(spec.lifecycle.cleanup) * KernelInfo::HAS_CLEANUP),
            id_offset: spec.id.as_ptr().addr() as u32,
            id_size: spec.id.len() as u32,
            message_offset: message::address(),
            message_capacity: MESSAGE_CAPACITY as u32,
        };
        // SAFETY: the range was just checked to lie inside linear memory, above the module's own data, at a multiple
        // of four.
        unsafe { core::ptr::with_exposed_provenance_mut::<KernelInfo>(at as usize).write(info) };
        Ok(())
    })
}

/// Runs the steps of every export: installs the panic hook, clears the message, calls `run`, and reports its result.
#[inline(always)]
fn enter(run: impl FnOnce() -> Result<()>) -> i32 {
    panic::install();
    message::clear();
    match run() {
        Ok(()) => Status::Ok.code(),
        Err(error) => failed(&error),
    }
}

#[cold]
#[inline(never)]
fn failed(error: &Error) -> i32 {
    message::put(error.as_message());
    error.status().code()
}
