//! Processes that fork: what a child does must not change what its parent computes.

use kernelpack_abi::TensorBuf;
use kernelpack_host::Tensor;
use kernelpack_kernels::rmsnorm_f32;
use kernelpack_tests::{engine::Engine, pack};

/// Runs something in a child process, and says whether it came to its end without a panic.
fn in_child(work: impl FnOnce()) -> bool {
    // SAFETY: the child runs `work` and ends by `_exit`, so that nothing of the parent's runs twice. This program has one
    // test that forks, and no other thread of it holds a lock of the C library meanwhile.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "the system makes no process");
    if child == 0 {
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_ok();
        // SAFETY: it ends this process.
        unsafe { libc::_exit(if ended { 0 } else { 1 }) }
    }
    let mut status = 0;
    // SAFETY: the status is this function's.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0
}

#[test]
fn a_child_leaves_its_parents_tensors_alone_and_can_use_drop_and_open() {
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
        // The last of them ends the engine, whose thread is the parent's.
        drop(engine.take());
        Engine::Wasmtime.runtime().open(folder).unwrap();
        std::mem::forget(own);
    }));
    let after = Tensor::<f32>::zeros(&[4096]).unwrap();
    assert!(after.as_slice().iter().all(|value| *value == 0.0), "the child's values are in the parent's tensor");
    let before = kept.unwrap();
    assert!(before.as_slice().iter().all(|value| *value == 7.0), "the child took the parent's pages away");
}
