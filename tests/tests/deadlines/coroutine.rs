//! Kernels with endless recursion, called from a coroutine, whose stack the system does not know.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::{cell::Cell, mem::MaybeUninit, ptr::null_mut};

use kernelpack_host::{Error, error::KernelError};
use kernelpack_tests::{apply, engine::Engine, on_each_engine};

use crate::{args, fixtures::parts, kernel, stub::Forward, tensors};

/// The size of a coroutine's stack: enough for the host, but too small for a kernel.
const STACK: usize = 256 << 10;

thread_local! {
    static WORK: Cell<*mut Option<Box<dyn FnOnce()>>> = const { Cell::new(null_mut()) };
}

/// The entry point of a coroutine.
extern "C" fn begin() {
    // SAFETY: `on_a_coroutine` on this thread set it, and waits for this function to end.
    let work = unsafe { (*WORK.get()).take() };
    // Nothing may unwind out of this function.
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work.into_iter().for_each(|work| work())));
    if ended.is_err() {
        std::process::abort();
    }
}

/// Runs something on a stack of its own between two inaccessible pages.
fn on_a_coroutine(work: impl FnOnce() + 'static) {
    const PAGE: usize = 4096;
    let mut work: Option<Box<dyn FnOnce()>> = Some(Box::new(work));
    WORK.set(&raw mut work);
    // SAFETY: the mapping is new, and the contexts are local variables. The coroutine's context has a stack of its own
    // and returns here when `begin` ends, which does not unwind; the mapping still exists then.
    unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let mapping = libc::mmap(null_mut(), STACK + 2 * PAGE, libc::PROT_NONE, flags, -1, 0);
        assert_ne!(mapping, libc::MAP_FAILED);
        let stack = mapping.wrapping_byte_add(PAGE);
        assert_eq!(libc::mprotect(stack, STACK, libc::PROT_READ | libc::PROT_WRITE), 0);
        let (mut here, mut there) = (MaybeUninit::<libc::ucontext_t>::uninit(), MaybeUninit::uninit());
        assert_eq!(libc::getcontext(there.as_mut_ptr()), 0);
        let context: *mut libc::ucontext_t = there.as_mut_ptr();
        (*context).uc_stack.ss_sp = stack;
        (*context).uc_stack.ss_size = STACK;
        (*context).uc_link = here.as_mut_ptr();
        libc::makecontext(context, begin, 0);
        assert_eq!(libc::swapcontext(here.as_mut_ptr(), context), 0);
        assert_eq!(libc::munmap(mapping, STACK + 2 * PAGE), 0);
    }
    WORK.set(null_mut());
    assert!(work.is_none(), "the coroutine did not run");
}

/// Makes a kernel that recurses if its `mode` is 1, in a function with the longest name that a module may have.
fn recursing(engine: Engine) -> (kernelpack_host::Pack, kernelpack_host::TypedKernel<Forward>) {
    let mut parts = parts(
        2,
        format!(
            "(func $run (drop (call ${name} (i32.const 0))))
            (func ${name} (param i32) (result i32)
                (i32.add (i32.load (i32.const 8)) (call ${name} (i32.add (local.get 0) (i32.const 1)))))",
            name = "long".repeat(25_000)
        ),
    );
    parts.spec.limits.max_epoch_ticks = 1000;
    parts.spec.limits.max_stack_bytes = 1 << 20;
    kernel(engine, &parts, engine.interruptions()[0])
}

#[apply(on_each_engine)]
fn a_kernel_that_recurses_on_a_coroutines_stack_is_stopped(engine: Engine) {
    // Opening takes more stack than a coroutine has.
    let (_pack, kernel) = recursing(engine);
    for _ in 0..2 {
        let kernel = kernel.clone();
        let run = move || {
            on_a_coroutine(move || {
                let (x, mut y) = tensors();
                for _ in 0..3 {
                    let Err(Error::Kernel(trapped)) = kernel.call(args(&x, &mut y, 1)) else { panic!("it returned") };
                    assert_eq!(trapped.error, KernelError::StackOverflow);
                    let told = trapped.backtrace.to_string();
                    assert_eq!(told.is_empty(), !engine.keeps_backtraces());
                    assert!(told.len() < 8192, "{} bytes of backtrace", told.len());
                    kernel.call(args(&x, &mut y, 0)).unwrap();
                }
            });
        };
        std::thread::spawn(run).join().unwrap();
    }
}
