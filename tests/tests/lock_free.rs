//! Tests that calls take no locks: a thread that is stopped in the middle of a warm call, at any point, does not block
//! other callers.
//!
//! A signal stops a thread that calls in a loop at arbitrary instructions, hundreds of times. Each time, another thread
//! makes calls of the same kernel, copying, bound and in batches, which must return while the first is stopped.
#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "a thread can be stopped anywhere only by a signal")]

use std::{
    os::unix::thread::JoinHandleExt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{
            AtomicBool, AtomicU32,
            Ordering::{Acquire, Relaxed, Release},
        },
        mpsc,
    },
    thread,
    time::Duration,
};

use kernelpack_host::{Bound, Tensor, TypedKernel};
use kernelpack_kernels::rmsnorm_f32::{Args, Kernel};
use kernelpack_tests::{apply, engine::Engine, on_each_engine, pack};

const STOPS: u32 = 500;
/// Far longer than any call takes: a thread that has not returned by then waits for the stopped one.
const PATIENCE: Duration = Duration::from_secs(30);

/// The lock that runs one test at a time, since the signal handler is per process.
static ALONE: Mutex<()> = Mutex::new(());
/// The number of times that the thread was stopped, and the number of times that it may continue.
static STOPPED: AtomicU32 = AtomicU32::new(0);
static RELEASED: AtomicU32 = AtomicU32::new(0);

/// Blocks until it may continue. It only uses atomics and a system call, which is safe in a signal handler.
extern "C" fn stand_still(_: libc::c_int) {
    let stop = STOPPED.fetch_add(1, Release) + 1;
    while RELEASED.load(Acquire) < stop {
        // SAFETY: it takes no arguments, and POSIX lists it as async-signal-safe.
        unsafe { libc::sched_yield() };
    }
}

fn install_handler() {
    // SAFETY: all-zero is a valid `sigaction`, and the handler has the type for one without SA_SIGINFO. Nothing else in
    // this program uses the signal. Interrupted system calls are restarted.
    let installed = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = stand_still as *const () as usize;
        action.sa_flags = libc::SA_RESTART;
        libc::sigaction(libc::SIGUSR1, &action, std::ptr::null_mut())
    };
    assert_eq!(installed, 0);
}

/// A kernel that is called singly, bound and in batches.
struct Caller {
    typed: TypedKernel<Kernel>,
    bound: Bound<Kernel>,
    x: Tensor<f32>,
    weight: Tensor<f32>,
    y: Tensor<f32>,
    rows: [Tensor<f32>; 4],
}

impl Caller {
    fn new(typed: TypedKernel<Kernel>) -> Self {
        let tensor = |dims: &[usize]| Tensor::from_slice(&[1.5; 16], dims).unwrap();
        let (x, weight, mut y) = (tensor(&[1, 16]), tensor(&[16]), tensor(&[1, 16]));
        let bound = typed.bind(Args::new(x.view(), weight.view(), y.view_mut())).unwrap();
        let rows = std::array::from_fn(|_| tensor(&[1, 16]));
        let mut caller = Self { typed, bound, x, weight, y, rows };
        caller.call();
        caller
    }

    fn call(&mut self) {
        let Self { typed, bound, x, weight, y, rows } = self;
        typed.call(Args::new(x.view(), weight.view(), y.view_mut())).unwrap();
        bound.call(Args::new(x.view(), weight.view(), y.view_mut())).unwrap();
        typed.call_batch(rows.iter_mut().map(|y| Args::new(x.view(), weight.view(), y.view_mut()))).unwrap();
    }
}

#[apply(on_each_engine)]
fn a_thread_that_stands_still_in_a_call_holds_up_nobody(engine: Engine) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    STOPPED.store(0, Relaxed);
    RELEASED.store(0, Relaxed);
    install_handler();
    let folder = engine.folder(pack::some_of_core(&["rmsnorm_f32"]));
    let kernel = engine.runtime().open(folder).unwrap().kernel::<Kernel>().unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let (mut first, is_done) = (Caller::new(kernel.clone()), done.clone());
    let first = thread::spawn(move || {
        while !is_done.load(Relaxed) {
            first.call();
        }
    });
    // The second thread calls on request, and reports when it is done.
    let (tell, told) = mpsc::channel::<()>();
    let (through, is_through) = mpsc::channel();
    let mut second = Caller::new(kernel.clone());
    let second = thread::spawn(move || {
        for () in told {
            (0..5).for_each(|_| second.call());
            through.send(()).unwrap();
        }
    });

    let mut held_up = None;
    for stop in 1..=STOPS {
        // SAFETY: the thread has not been joined.
        assert_eq!(unsafe { libc::pthread_kill(first.as_pthread_t(), libc::SIGUSR1) }, 0);
        while STOPPED.load(Acquire) < stop {
            thread::yield_now();
        }
        tell.send(()).unwrap();
        let result = is_through.recv_timeout(PATIENCE);
        RELEASED.store(stop, Release);
        if result.is_err() {
            held_up = Some(stop);
            break;
        }
        // Continues for a while, so that the next stop is at another point.
        (0..stop % 64).for_each(|_| std::hint::spin_loop());
    }
    done.store(true, Relaxed);
    drop(tell);
    first.join().unwrap();
    second.join().unwrap();
    assert_eq!(held_up, None, "at this stop the other thread did not get on");
}
