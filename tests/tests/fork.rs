//! Processes that fork: what a child does must not change its parent's results.

use std::{
    io::{Read as _, Write as _},
    num::NonZeroUsize,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
};

use kernelpack_abi::TensorBuf;
use kernelpack_host::{
    Error, Runtime, RuntimeBuilder, Tensor,
    engine::{Interruption, Wasmtime},
    error::{FileError, ResourceError, StartError},
    manager::{KernelManager, UpgradeError},
};
use kernelpack_kernels::rmsnorm_f32;
use kernelpack_tests::{engine::Engine, pack};

/// Serializes tests: a child inherits whatever its parent's threads hold.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs something in a child process, and returns whether it ended without a panic.
fn in_child(work: impl FnOnce()) -> bool {
    ended_well(fork(work))
}

/// Starts something in a child process, which ends immediately if it panics, and after half a minute in any case.
fn fork(work: impl FnOnce()) -> libc::pid_t {
    // SAFETY: the child runs `work` and ends with `_exit`, so that none of the parent's code runs twice. Tests run one
    // at a time, so no other thread of this program holds a lock of the C library meanwhile, unless a test says so.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "the system makes no process");
    if child == 0 {
        // SAFETY: the signal ends this process, as intended.
        unsafe { libc::alarm(30) };
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_ok();
        // SAFETY: `_exit` has no preconditions.
        unsafe { libc::_exit(if ended { 0 } else { 1 }) }
    }
    child
}

/// Waits for a child, and returns whether it ended without a panic.
fn ended_well(child: libc::pid_t) -> bool {
    let mut status = 0;
    // SAFETY: the status is a local variable.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0
}

#[test]
fn a_child_leaves_its_parents_tensors_alone_and_can_use_drop_and_open() {
    let _alone = alone();
    let before = Tensor::from_slice(&[7.0f32; 4096], &[4096]).unwrap();
    let runtime = pack::runtime();
    let folder = pack::some_of_core(&["rmsnorm_f32"]);
    let opened = runtime.open(folder).unwrap();
    assert!(before.is_mappable());
    let kernel = opened.kernel::<rmsnorm_f32::Kernel>().unwrap();
    let (x, weight) = (TensorBuf::<f32>::zeros(&[2, 64]).unwrap(), TensorBuf::<f32>::zeros(&[64]).unwrap());
    let inputs = rmsnorm_f32::Inputs::new(x.view(), weight.view());
    let expected = kernel.run(inputs).unwrap();

    let mut kept = Some(before);
    let mut engine = Some((kernel, opened, runtime));
    assert!(in_child(|| {
        let (kernel, ..) = engine.as_ref().unwrap();
        assert_eq!(kernel.run(inputs).unwrap().y, expected.y);
        drop(kept.take());
        let mut own = Tensor::<f32>::zeros(&[4096]).unwrap();
        own.as_mut_slice().fill(666.0);
        // Dropping the last kernel ends the engine, whose thread exists only in the parent.
        drop(engine.take());
        Engine::Wasmtime.runtime().open(folder).unwrap();
        std::mem::forget(own);
    }));
    let after = Tensor::<f32>::zeros(&[4096]).unwrap();
    assert!(after.as_slice().iter().all(|value| *value == 0.0), "the child's values are in the parent's tensor");
    let before = kept.unwrap();
    assert!(before.as_slice().iter().all(|value| *value == 7.0), "the child took the parent's pages away");
}

/// Puts later children of this process into a namespace of their own, where the first one has the id 1; returns `false`
/// if the system does not allow it.
fn begin_namespace() -> bool {
    // SAFETY: it only changes where children are created; in a program with several threads, calls that require a
    // single one fail.
    unsafe { libc::unshare(libc::CLONE_NEWPID) == 0 || libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWPID) == 0 }
}

/// The first process of a container may start another container.
#[test]
fn a_child_with_the_id_of_its_parent_is_another_process() {
    let _alone = alone();
    if !in_child(|| assert!(begin_namespace())) {
        println!("left out: the system makes no namespaces of processes for this user");
        return;
    }
    let folder = pack::some_of_core(&["rmsnorm_f32"]);
    let first = || {
        // SAFETY: it only sets what happens when the parent ends, since the first process of a namespace is not ended
        // by its own signals.
        assert_eq!(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) }, 0);
        assert_eq!(std::process::id(), 1);
        let tensor = Tensor::from_slice(&[7.0f32; 4096], &[4096]).unwrap();
        let large = Tensor::from_slice(&vec![7.0f32; 1 << 20], &[1 << 20]).unwrap();
        let opened = divided().build().unwrap().open(folder).unwrap();
        let kernel = opened.kernel::<rmsnorm_f32::Kernel>().unwrap();
        let (x, weight) = (Tensor::<f32>::zeros(&[64, 2048]).unwrap(), Tensor::<f32>::zeros(&[2048]).unwrap());
        let mut y = Tensor::<f32>::zeros(&[64, 2048]).unwrap();
        let bound = kernel.bind(rmsnorm_f32::Args::new(x.view(), weight.view(), y.view_mut())).unwrap();
        assert_eq!(bound.threads(), 3);
        let inbox = tempfile::tempdir().unwrap();
        let manager = KernelManager::builder(pack::runtime()).build().unwrap();
        let watch = manager.watch(inbox.path()).start().unwrap();
        assert!(begin_namespace());

        let mut tensors = Some((tensor, large));
        let mut rest = Some((bound, kernel, opened, watch, manager));
        assert!(in_child(|| {
            assert_eq!(std::process::id(), 1);
            let (mut bound, ..) = rest.take().unwrap();
            // The helper threads exist only in the parent.
            bound.call(rmsnorm_f32::Args::new(x.view(), weight.view(), y.view_mut())).unwrap();
            drop((bound, tensors.take()));
            for len in [4096, 1 << 20] {
                let mut own = Tensor::<f32>::zeros(&[len]).unwrap();
                own.as_mut_slice().fill(666.0);
                std::mem::forget(own);
            }
        }));
        let (tensor, large) = tensors.unwrap();
        assert!(
            tensor.as_slice().iter().chain(large.as_slice()).all(|value| *value == 7.0),
            "the child took pages away"
        );
        for len in [4096, 1 << 20] {
            let after = Tensor::<f32>::zeros(&[len]).unwrap();
            assert!(
                after.as_slice().iter().all(|value| *value == 0.0),
                "the child's values are in the parent's tensor"
            );
        }
        drop(rest);
    };
    assert!(in_child(|| {
        assert!(begin_namespace());
        assert!(in_child(first));
    }));
}

/// Memory that a child still has is not reused for another tensor of its parent.
#[test]
fn what_a_child_still_has_is_nobody_elses() {
    let _alone = alone();
    for len in [1000, 1 << 20] {
        let mut kept = Some(Tensor::from_slice(&vec![7.0f32; len], &[len]).unwrap());
        let (mut wait, mut go) = std::io::pipe().unwrap();
        let child = fork(|| {
            // Waits until the parent has dropped its tensor and made others.
            wait.read_exact(&mut [0]).unwrap();
            kept.as_mut().unwrap().as_mut_slice().fill(666.0);
        });
        drop(kept.take());
        let others: Vec<_> = (0..20).map(|_| Tensor::<f32>::zeros(&[len]).unwrap()).collect();
        go.write_all(b".").unwrap();
        assert!(ended_well(child));
        assert!(others.iter().all(|other| other.as_slice().iter().all(|value| *value == 0.0)), "{len} elements");
    }
}

/// Returns a runtime that divides bound calls.
fn divided() -> RuntimeBuilder {
    Runtime::server().threads(NonZeroUsize::new(3).unwrap()).trust(pack::key().public())
}

#[test]
fn divided_calls_go_on_in_a_child_whatever_the_helpers_did_at_the_fork() {
    let _alone = alone();
    let opened = divided().build().unwrap().open(pack::some_of_core(&["rmsnorm_f32"])).unwrap();
    let kernel = opened.kernel::<rmsnorm_f32::Kernel>().unwrap();
    let dims = [64, 2048];
    let (x, weight) = (
        Tensor::from_slice(&[3.0f32; 64 * 2048], &dims).unwrap(),
        Tensor::from_slice(&[2.0f32; 2048], &[2048]).unwrap(),
    );
    let zeros = || Tensor::<f32>::zeros(&dims).unwrap();
    let (mut y, mut theirs) = (zeros(), zeros());
    let mut bound = kernel.bind(rmsnorm_f32::Args::new(x.view(), weight.view(), y.view_mut())).unwrap();
    let mut busy = kernel.bind(rmsnorm_f32::Args::new(x.view(), weight.view(), theirs.view_mut())).unwrap();
    assert_eq!(bound.threads(), 3);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        // The helpers are busy at every fork, and hold their locks at some.
        scope.spawn(|| {
            while !done.load(Relaxed) {
                busy.call(rmsnorm_f32::Args::new(x.view(), weight.view(), theirs.view_mut())).unwrap();
            }
        });
        for turn in 0..100 {
            let ended = in_child(|| {
                bound.call(rmsnorm_f32::Args::new(x.view(), weight.view(), y.view_mut())).unwrap();
                assert!(y.as_slice().iter().all(|y| (y - 2.0).abs() < 1e-3));
                let x = Tensor::from_slice(&[3.0f32; 64 * 2048], &dims).unwrap();
                let weight = Tensor::from_slice(&[2.0f32; 2048], &[2048]).unwrap();
                let (weight, mut y) = (weight.view(), zeros());
                let mut own = kernel.bind(rmsnorm_f32::Args::new(x.view(), weight, y.view_mut())).unwrap();
                assert_eq!((own.threads(), own.copied_bytes()), (1, 0));
                own.call(rmsnorm_f32::Args::new(x.view(), weight, y.view_mut())).unwrap();
                assert!(y.as_slice().iter().all(|y| (y - 2.0).abs() < 1e-3));
            });
            if !ended {
                done.store(true, Relaxed);
            }
            assert!(ended, "child {turn}");
        }
        done.store(true, Relaxed);
    });
}

#[test]
fn a_child_can_drop_a_manager_and_its_watch() {
    let _alone = alone();
    let inbox = tempfile::tempdir().unwrap();
    let manager = KernelManager::builder(pack::runtime()).build().unwrap();
    let watch = manager.watch(inbox.path()).start().unwrap();
    let mut both = Some((watch, manager));
    assert!(in_child(|| drop(both.take())));
    drop(both);
}

/// Makes the system refuse this process any further thread or child, as a limit of processes or an old filter does.
fn refuse_threads() {
    let load = |offset| libc::sock_filter { code: 0x20, jt: 0, jf: 0, k: offset };
    // Returns a jump that skips `jt` instructions if the number matches.
    let is = |number: libc::c_long, jt| libc::sock_filter { code: 0x15, jt, jf: 0, k: number as u32 };
    let answer = |answer| libc::sock_filter { code: 0x06, jt: 0, jf: 0, k: answer };
    let mut program = [
        load(0),
        is(libc::SYS_clone, 2),
        is(libc::SYS_clone3, 1),
        answer(libc::SECCOMP_RET_ALLOW),
        answer(libc::SECCOMP_RET_ERRNO | libc::EPERM as u32),
    ];
    let program = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    // SAFETY: the program is a local variable and is copied; it only changes which calls of this process succeed.
    let set = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) == 0
    };
    assert!(set, "{}", std::io::Error::last_os_error());
    assert!(thread::Builder::new().spawn(|| ()).is_err(), "a thread was started all the same");
}

#[test]
fn where_no_thread_can_be_had_runtimes_say_so_or_do_without() {
    let _alone = alone();
    let folder = pack::some_of_core(&["rmsnorm_f32"]);
    assert!(in_child(|| {
        refuse_threads();
        for builder in [Engine::Wasmtime.builder(), divided(), Engine::Wamr.builder()] {
            let error = builder.build().unwrap_err();
            assert!(matches!(error, Error::Resources(ResourceError::Start(StartError::Ticker(_)))), "{error}");
            assert!(error.to_string().contains("allow the process more threads"), "{error}");
        }
        let opened =
            divided().engine(Wasmtime::new().interruption(Interruption::Never)).build().unwrap().open(folder).unwrap();
        let kernel = opened.kernel::<rmsnorm_f32::Kernel>().unwrap();
        let x = Tensor::from_slice(&[3.0f32; 64 * 2048], &[64, 2048]).unwrap();
        let weight = Tensor::from_slice(&[2.0f32; 2048], &[2048]).unwrap();
        let y = kernel.run(rmsnorm_f32::Inputs::new(x.view(), weight.view())).unwrap().y;
        assert!(y.data().iter().all(|y| (y - 2.0).abs() < 1e-3));
        let mut y = Tensor::<f32>::zeros(&[64, 2048]).unwrap();
        let mut bound = kernel.bind(rmsnorm_f32::Args::new(x.view(), weight.view(), y.view_mut())).unwrap();
        assert_eq!(bound.threads(), 1);
        bound.call(rmsnorm_f32::Args::new(x.view(), weight.view(), y.view_mut())).unwrap();
        assert!(y.as_slice().iter().all(|y| (y - 2.0).abs() < 1e-3));
    }));
}

/// Limits how much of a resource this process may have.
fn allow_no_more_than(amount: u64, what: libc::__rlimit_resource_t) {
    let limit = libc::rlimit { rlim_cur: amount, rlim_max: amount };
    // SAFETY: the limit is this function's; what it changes is which calls of this process succeed.
    assert_eq!(unsafe { libc::setrlimit(what, &raw const limit) }, 0);
}

#[test]
fn where_no_file_can_be_opened_the_process_is_blamed_and_not_the_pack() {
    let _alone = alone();
    let folder = pack::some_of_core(&["rmsnorm_f32"]);
    assert!(in_child(|| {
        let runtime = pack::runtime();
        let manager = KernelManager::builder(runtime.clone()).build().unwrap();
        let missing = runtime.open("/nonexistent/pack").unwrap_err();
        assert!(matches!(missing, Error::File(FileError::Read { .. })), "{missing:?}");
        allow_no_more_than(0, libc::RLIMIT_NOFILE);
        let short = runtime.open(folder).unwrap_err();
        assert!(matches!(short, Error::Resources(ResourceError::Read { .. })), "{short:?}");
        assert!(short.to_string().ends_with("allow the process more open files, or free memory"), "{short}");
        let short = manager.upgrade(folder).unwrap_err();
        assert!(matches!(&short, UpgradeError::Failed(error) if matches!(**error, Error::Resources(_))), "{short:?}");
    }));
}

#[test]
fn where_memory_is_short_the_machine_is_blamed_and_neither_settings_nor_modules() {
    let _alone = alone();
    let folder = pack::some_of_core(&["rmsnorm_f32"]);
    let build = |pool: usize| Engine::Wamr.builder().engine(Engine::Wamr.wamr().pool_bytes(pool)).build();
    assert!(in_child(|| {
        let open = |pool| build(pool).unwrap().open(folder);
        open(4 << 20).unwrap();
        let out = open(12 << 10).unwrap_err();
        assert!(matches!(out, Error::Resources(ResourceError::Compile { .. })), "{out:?}");
    }));
    assert!(in_child(|| {
        allow_no_more_than(8 << 30, libc::RLIMIT_AS);
        let out = build(16 << 30).unwrap_err();
        assert!(matches!(out, Error::Resources(ResourceError::Start(StartError::OutOfMemory(_)))), "{out:?}");
    }));
}
