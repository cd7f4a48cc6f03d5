use super::*;
use std::{
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    thread,
};

/// A pooled item that counts how often it is retired.
#[derive(Default)]
struct Item {
    bytes: u64,
    retired: Option<Arc<AtomicU32>>,
}

impl Pooled for Item {
    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn retire(self) {
        if let Some(retired) = self.retired {
            retired.fetch_add(1, SeqCst);
        }
    }
}

fn occupancy(idle: u32, busy: u32, waiting: u32, limit: u32) -> Occupancy {
    Occupancy { idle, busy, bound: 0, waiting, limit }
}

fn pool(when_full: WhenFull, limit: u32) -> Pool<Item> {
    Pool::new(PoolPolicy::new().when_full(when_full), limit, 1000)
}

const FOREVER: WhenFull = WhenFull::Wait { timeout: None };

fn filled(mut lease: Lease<'_, Item>) -> Lease<'_, Item> {
    if lease.item().is_none() {
        lease.fill(Item::default());
    }
    lease
}

#[test]
fn the_limit_is_the_smallest_of_three() {
    for (manifest, ceiling, size, expected) in [(3, 4, 5, 3), (4, 3, 5, 3), (5, 4, 3, 3), (0, 9, 9, 1)] {
        let policy = PoolPolicy::new().size(size).when_full(WhenFull::Fail);
        let pool = Pool::<Item>::new(policy, manifest, ceiling);
        let leases: Vec<_> = (0..expected).map(|_| pool.lease().unwrap()).collect();
        assert_eq!(pool.lease().err(), Some(Full { limit: expected, waited: Duration::ZERO }));
        assert_eq!(pool.occupancy(), occupancy(0, expected, 0, expected));
        drop(leases);
        assert_eq!(pool.occupancy(), occupancy(0, 0, 0, expected));
    }
}

#[test]
fn what_is_given_back_is_had_again_and_what_is_dropped_is_not() {
    let pool = pool(WhenFull::Fail, 1);
    filled(pool.lease().unwrap()).give_back();
    assert_eq!(pool.occupancy(), occupancy(1, 0, 0, 1));
    let mut lease = pool.lease().unwrap();
    assert!(lease.item().is_some());
    assert_eq!(pool.occupancy(), occupancy(0, 1, 0, 1));
    drop(lease);
    assert_eq!(pool.occupancy(), occupancy(0, 0, 0, 1));
    assert!(pool.lease().unwrap().item().is_none());
}

#[test]
fn a_panic_frees_the_place() {
    let pool = pool(WhenFull::Fail, 1);
    for _ in 0..3 {
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _lease = filled(pool.lease().unwrap());
            std::panic::resume_unwind(Box::new(()));
        }));
        assert!(panicked.is_err());
        assert_eq!(pool.occupancy(), occupancy(0, 0, 0, 1));
    }
}

#[test]
fn a_detached_item_keeps_its_place() {
    let pool = pool(WhenFull::Fail, 1);
    let item = filled(pool.lease().unwrap()).detach().unwrap();
    assert!(pool.lease().is_err());
    pool.reattach(item).give_back();
    assert_eq!(pool.occupancy(), occupancy(1, 0, 0, 1));
    assert!(pool.lease().unwrap().item().is_some());
    assert!(pool.lease().unwrap().detach().is_none());
    assert_eq!(pool.occupancy(), occupancy(0, 0, 0, 1));
}

#[test]
fn only_as_much_is_kept_as_the_policy_says() {
    let retired = Arc::new(AtomicU32::new(0));
    let item = |bytes| Item { bytes, retired: Some(retired.clone()) };
    let give_back_two = |policy, bytes| {
        let pool = Pool::new(policy, 9, 9);
        let mut leases = [pool.lease().unwrap(), pool.lease().unwrap()];
        leases[0].fill(item(bytes));
        leases[1].fill(item(bytes));
        leases.into_iter().for_each(Lease::give_back);
        (pool.occupancy().idle, pool.occupancy().busy, retired.swap(0, SeqCst))
    };
    let policy = PoolPolicy::default();
    assert_eq!(give_back_two(policy, u64::MAX), (2, 0, 0));
    assert_eq!(give_back_two(policy.max_idle(1), 0), (1, 0, 1));
    assert_eq!(give_back_two(policy.max_idle(0), 0), (0, 0, 2));
    assert_eq!(give_back_two(policy.max_idle_bytes(100), 100), (2, 0, 0));
    assert_eq!(give_back_two(policy.max_idle_bytes(100), 101), (0, 0, 2));
}

#[test]
fn a_growing_pool_ends_at_the_ceiling_and_shrinks_again() {
    let policy = PoolPolicy::new().when_full(WhenFull::Grow);
    let pool = Pool::new(policy, 2, 5);
    let leases: Vec<_> = (0..5).map(|_| filled(pool.lease().unwrap())).collect();
    assert_eq!(pool.lease().err(), Some(Full { limit: 5, waited: Duration::ZERO }));
    assert_eq!(pool.occupancy(), occupancy(0, 5, 0, 2));
    leases.into_iter().for_each(Lease::give_back);
    assert_eq!(pool.occupancy(), occupancy(2, 0, 0, 2));
}

#[test]
fn a_wait_ends_with_its_timeout_and_leaves_nothing_behind() {
    let timeout = Duration::from_millis(20);
    let pool = pool(WhenFull::Wait { timeout: Some(timeout) }, 1);
    let lease = filled(pool.lease().unwrap());
    let full = pool.lease().err().unwrap();
    assert!(full.limit == 1 && full.waited >= timeout, "{full:?}");
    assert_eq!(pool.occupancy(), occupancy(0, 1, 0, 1));
    lease.give_back();
    assert!(pool.lease().unwrap().item().is_some());
}

#[test]
fn a_wait_can_have_an_end_whatever_the_policy_is() {
    let limit = Duration::from_millis(20);
    for policy in [FOREVER, WhenFull::Fail, WhenFull::Grow] {
        let pool = Pool::new(PoolPolicy::new().when_full(policy), 1, 1);
        let lease = filled(pool.lease_within(limit).unwrap());
        let full = pool.lease_within(limit).err().unwrap();
        assert!(full.limit == 1 && full.waited >= limit, "{full:?}");
        lease.give_back();
        let lease = pool.lease_within(Duration::ZERO).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                until_waiting(&pool, 1);
                lease.give_back();
            });
            assert!(pool.lease_within(Duration::from_secs(3600)).unwrap().item().is_some());
        });
        assert_eq!(pool.occupancy(), occupancy(0, 0, 0, 1));
    }
}

/// An item may become free after a caller finds none and before the caller is in the queue.
#[test]
fn what_becomes_free_just_before_a_wait_ends_it_at_once() {
    let pool = pool(FOREVER, 1);
    drop(pool.wait(Some(Duration::ZERO)).unwrap());
    filled(pool.lease().unwrap()).give_back();
    assert!(pool.wait(Some(Duration::ZERO)).unwrap().item().is_some());
    assert_eq!(pool.occupancy(), occupancy(0, 0, 0, 1));
}

/// Waits until this many callers are waiting.
fn until_waiting(pool: &Pool<Item>, count: u32) {
    while pool.occupancy().waiting != count {
        thread::yield_now();
    }
}

#[test]
fn who_waits_gets_what_becomes_free_in_order_and_before_newcomers() {
    let pool = pool(FOREVER, 1);
    let order = Mutex::new(Vec::new());
    thread::scope(|scope| {
        let lease = filled(pool.lease().unwrap());
        for caller in 0..4 {
            let (pool, order) = (&pool, &order);
            scope.spawn(move || {
                let mut lease = pool.lease().unwrap();
                // The first caller gets a vacant place, since the item in it was dropped, and fills it for the others.
                assert_eq!(lease.item().is_none(), caller == 0);
                order.lock().unwrap().push(caller);
                filled(lease).give_back();
            });
            until_waiting(pool, caller + 1);
        }
        drop(lease);
        // A newcomer, which may find no waiting callers any more.
        let lease = filled(pool.lease().unwrap());
        assert_eq!(order.lock().unwrap().len(), 4);
        lease.give_back();
    });
    assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3]);
}

/// With many threads and few places, every caller gets a turn, and no place is lost or used by two callers at once.
#[test]
fn no_wake_up_is_lost() {
    const THREADS: u32 = 16;
    const ROUNDS: u32 = 3000;
    for limit in [1, 2, 5] {
        let pool = pool(FOREVER, limit);
        let (busy, too_many) = (AtomicU32::new(0), AtomicBool::new(false));
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let (pool, busy, too_many) = (&pool, &busy, &too_many);
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let lease = filled(pool.lease().unwrap());
                        if busy.fetch_add(1, SeqCst) >= limit {
                            too_many.store(true, SeqCst);
                        }
                        if (thread + round) % 7 == 0 {
                            thread::yield_now();
                        }
                        busy.fetch_sub(1, SeqCst);
                        match (thread + round) % 5 {
                            // Drops the lease, as happens after a trap.
                            0 => drop(lease),
                            1 => pool.reattach(lease.detach().unwrap()).give_back(),
                            _ => lease.give_back(),
                        }
                    }
                });
            }
        });
        assert!(!too_many.load(SeqCst));
        let after = pool.occupancy();
        assert_eq!((after.busy, after.waiting), (0, 0));
        let leases: Vec<_> = (0..limit).map(|_| pool.lease().unwrap()).collect();
        assert_eq!(pool.occupancy(), occupancy(0, limit, 0, limit));
        drop(leases);
    }
}

/// Timeouts race with handovers: a turn that arrives too late goes to the next caller.
#[test]
fn a_timeout_loses_no_place() {
    let pool = pool(WhenFull::Wait { timeout: Some(Duration::from_micros(50)) }, 1);
    let had = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..2000 {
                    if let Ok(lease) = pool.lease() {
                        had.fetch_add(1, SeqCst);
                        thread::yield_now();
                        filled(lease).give_back();
                    }
                }
            });
        }
    });
    assert!(had.load(SeqCst) > 0);
    assert_eq!((pool.occupancy().busy, pool.occupancy().waiting), (0, 0));
    assert!(pool.lease().is_ok());
}

#[test]
fn a_place_is_free_after_dropping_its_item_panicked() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("it goes off");
        }
    }
    impl Pooled for Bomb {
        fn bytes(&self) -> u64 {
            0
        }

        fn retire(self) {}
    }
    let pool = Pool::new(PoolPolicy::new().when_full(WhenFull::Fail), 1, 1);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| _ = pool.lease().unwrap().fill(Bomb)));
    assert!(panicked.is_err());
    assert_eq!(pool.occupancy(), occupancy(0, 0, 0, 1));
    assert!(pool.lease().is_ok());
}
