//! Many threads on one kernel.

use std::time::Duration;

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use kernelpack_abi::{ParamValue, ResourceLimits, TensorBuf};
use kernelpack_host::{
    DynKernel, Error, Pack, Runtime, RuntimeBuilder, TypedKernel,
    error::{KernelError, ResourceError},
    measure::Prepared,
    policy::{Occupancy, PoolPolicy, WhenFull},
};
use kernelpack_tests::{apply, engine::Engine, on_both_engines, on_each_engine};

use crate::{
    stub::{Args, Forward, SPIN, TRAP, honest, square},
    wat_kernel::{SPEC, call, trap},
};

fn runtime(engine: Engine, policy: PoolPolicy) -> RuntimeBuilder {
    engine.builder().pool(policy)
}

fn open(engine: Engine, policy: PoolPolicy) -> Pack {
    let limits = ResourceLimits { max_epoch_ticks: 1000, ..SPEC.limits };
    let pack = engine.ready(honest(&square(limits)));
    runtime(engine, policy).build().unwrap().open(pack.path()).unwrap()
}

fn dynamic(engine: Engine, policy: PoolPolicy) -> DynKernel {
    open(engine, policy).kernel_named("wat_kernel").unwrap()
}

fn counts(occupancy: Occupancy) -> (u32, u32) {
    (occupancy.idle, occupancy.busy)
}

const X: [f32; 4] = [1.0, 2.0, 3.0, 4.0];

fn prepare(kernel: &DynKernel, mode: i32) -> Result<Prepared, Error> {
    let x = TensorBuf::new(X.to_vec(), &[4]).unwrap();
    kernel.prepare(&[("x", (&x).into())], &[("mode", ParamValue::I32(mode))])
}

#[test]
fn packs_and_kernels_go_to_any_thread() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Runtime>();
    shared::<Pack>();
    shared::<TypedKernel<Forward>>();
    shared::<DynKernel>();
    shared::<Error>();
    fn sent<T: Send + 'static>() {}
    sent::<Prepared>();
}

/// Eight threads, each with its own data, in sizes that make instances grow; some calls trap in between.
#[apply(on_each_engine)]
fn concurrent_calls_never_mix_their_data(engine: Engine) {
    const THREADS: usize = 8;
    let calls = engine.rounds(1000);
    for (size, when_full) in [
        (1, WhenFull::Wait { timeout: None }),
        (2, WhenFull::Wait { timeout: None }),
        (8, WhenFull::Wait { timeout: None }),
        (2, WhenFull::Grow),
    ] {
        let pack = open(engine, PoolPolicy::new().size(size).when_full(when_full));
        let right = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let kernel = pack.kernel::<Forward>().unwrap();
                let right = &right;
                scope.spawn(move || {
                    for round in 0..calls {
                        let n = 1 + (thread * 997 + round * 31) % 5000;
                        let start = (thread * calls + round) as f32;
                        let x = TensorBuf::new((0..n).map(|i| start + i as f32).collect(), &[n]).unwrap();
                        let mut y = TensorBuf::<f32>::zeros(&[n]).unwrap();
                        let mode = if round % 50 == 49 { TRAP } else { thread as i32 };
                        let called = kernel.call(Args { x: x.view(), y: y.view_mut(), mode });
                        if mode == TRAP {
                            assert!(matches!(called, Err(Error::Kernel(_))), "{called:?}");
                            assert!(y.data().iter().all(|y| *y == 0.0), "a failed call must not write");
                        } else {
                            called.unwrap();
                            let expected = |(x, y): (&f32, &f32)| *y == *x * *x + mode as f32;
                            assert!(x.data().iter().zip(y.data()).all(expected), "thread {thread}, round {round}");
                            right.fetch_add(1, SeqCst);
                        }
                    }
                });
            }
        });
        assert_eq!(right.load(SeqCst) as usize, THREADS * calls * 49 / 50);
        let after = pack.occupancy().next().unwrap().1;
        assert!(after.busy == 0 && after.waiting == 0 && after.idle <= size && after.limit == size, "{after:?}");
    }
}

#[apply(on_each_engine)]
fn a_full_pool_fails_where_the_policy_says_so(engine: Engine) {
    let kernel = dynamic(engine, PoolPolicy::new().size(2).when_full(WhenFull::Fail));
    let held = [prepare(&kernel, 0).unwrap(), prepare(&kernel, 0).unwrap()];
    assert_eq!(counts(kernel.occupancy()), (0, 2));
    let busy = call(&kernel, 0).unwrap_err();
    assert!(
        matches!(&busy, Error::Resources(ResourceError::Busy { limit: 2, waited, .. }) if waited.is_zero()),
        "{busy:?}"
    );
    assert_eq!(
        busy.to_string(),
        "all 2 instances of kernel \"wat_kernel\" are busy; call from fewer threads, drop prepared calls, or let the \
         pool grow (`WhenFull::Grow`, up to the runtime's `max_instances`)"
    );
    drop(held);
    assert_eq!(counts(kernel.occupancy()), (2, 0));
    call(&kernel, 0).unwrap();
}

#[apply(on_each_engine)]
fn a_wait_that_is_too_long_says_how_long_it_was(engine: Engine) {
    let timeout = Duration::from_millis(20);
    let when_full = WhenFull::Wait { timeout: Some(timeout) };
    let kernel = dynamic(engine, PoolPolicy::new().size(1).when_full(when_full));
    // A thread waits for an instance that it holds itself.
    let held = prepare(&kernel, 0).unwrap();
    let busy = call(&kernel, 0).unwrap_err();
    assert!(busy.to_string().contains(" busy after "), "{busy}");
    assert!(
        matches!(busy, Error::Resources(ResourceError::Busy { limit: 1, waited, .. }) if waited >= timeout),
        "{busy:?}"
    );
    drop(held);
    call(&kernel, 0).unwrap();
}

#[apply(on_each_engine)]
fn a_growing_pool_ends_at_the_ceiling_of_the_runtime(engine: Engine) {
    let limits = ResourceLimits { max_instances: 1, ..SPEC.limits };
    let policy = PoolPolicy::new().when_full(WhenFull::Grow);
    let runtime = runtime(engine, policy).max_instances(3).build().unwrap();
    let kernel =
        runtime.open(engine.ready(honest(&square(limits))).path()).unwrap().kernel_named("wat_kernel").unwrap();
    let held = [(); 3].map(|()| prepare(&kernel, 0).unwrap());
    let busy = call(&kernel, 0).unwrap_err();
    assert!(matches!(busy, Error::Resources(ResourceError::Busy { limit: 3, .. })), "{busy:?}");
    drop(held);
    assert_eq!(counts(kernel.occupancy()), (1, 0));
}

/// Any end of a call frees its place, and wakes a waiting thread.
#[apply(on_each_engine)]
fn a_trap_frees_the_place_and_wakes_who_waits(engine: Engine) {
    let kernel = dynamic(engine, PoolPolicy::new().size(1).when_full(WhenFull::Wait { timeout: None }));
    for _ in 0..3 {
        let mut held = prepare(&kernel, TRAP).unwrap();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| call(&kernel, 0));
            while kernel.occupancy().waiting == 0 {
                std::thread::yield_now();
            }
            // The caller still holds the instance, but an instance that trapped no longer counts.
            assert!(matches!(held.enter(), Err(Error::Kernel(_))));
            waiter.join().unwrap().unwrap();
        });
        assert_eq!(trap(&kernel, TRAP), KernelError::Unreachable);
        assert_eq!(counts(kernel.occupancy()), (0, 0));
        call(&kernel, 0).unwrap();
        assert_eq!(counts(kernel.occupancy()), (1, 0));
    }
    // A call is refused after it got its instance.
    let large = TensorBuf::<f32>::zeros(&[1 << 20]).unwrap();
    assert!(matches!(kernel.run(&[("x", (&large).into())], &[]), Err(Error::BadCall(_))));
    assert_eq!(counts(kernel.occupancy()), (1, 0));
    // A call is stopped at its deadline.
    assert_eq!(trap(&kernel.clone().with_budget(Duration::from_millis(10)), SPIN), KernelError::EpochDeadline);
    assert_eq!(counts(kernel.occupancy()), (0, 0));
}

#[apply(on_each_engine)]
fn idle_instances_can_be_let_go(engine: Engine) {
    let pack = open(engine, PoolPolicy::default());
    let kernel = pack.kernel_named("wat_kernel").unwrap();
    let held = [(); 3].map(|()| prepare(&kernel, 0).unwrap());
    assert_eq!(pack.trim(), 0);
    drop(held);
    assert_eq!(counts(kernel.occupancy()), (3, 0));
    assert_eq!(pack.trim(), 3);
    assert_eq!(counts(kernel.occupancy()), (0, 0));
    call(&kernel, 0).unwrap();

    let kernel = dynamic(engine, PoolPolicy::new().max_idle(0));
    call(&kernel, 0).unwrap();
    assert_eq!(counts(kernel.occupancy()), (0, 0));

    // Two pages of the module and one for a small call are within the limit; those for a large call are not.
    let kernel = dynamic(engine, PoolPolicy::new().max_idle_bytes(4 * 65_536));
    call(&kernel, 0).unwrap();
    assert_eq!(counts(kernel.occupancy()), (1, 0));
    let large = TensorBuf::<f32>::zeros(&[100_000]).unwrap();
    kernel.run(&[("x", (&large).into())], &[]).unwrap();
    assert_eq!(counts(kernel.occupancy()), (0, 0));
}

#[apply(on_both_engines)]
fn calls_cannot_be_without_an_instance(engine: Engine) {
    let refused = runtime(engine, PoolPolicy::new().size(0)).build().unwrap_err();
    assert!(refused.to_string().contains("the size of the pool is 0; choose at least 1"), "{refused}");
}
