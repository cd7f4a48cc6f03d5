use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::*;

/// Lets two threads each store a value and then load the other's, and checks that they never both load the old value.
fn one_of_two_sees_the_other(barrier: &Barrier) {
    for _ in 0..2000 {
        let (a, b) = (AtomicBool::new(false), AtomicBool::new(false));
        let (seen_b, seen_a) = std::thread::scope(|scope| {
            let met = scope.spawn(|| {
                a.store(true, Relaxed);
                barrier.meet();
                b.load(Relaxed)
            });
            b.store(true, Relaxed);
            barrier.pass().unwrap();
            let seen_a = a.load(Relaxed);
            (met.join().unwrap(), seen_a)
        });
        assert!(seen_a || seen_b);
    }
}

#[test]
fn one_of_two_threads_sees_the_other() {
    one_of_two_sees_the_other(&Barrier::default());
    one_of_two_sees_the_other(&Barrier { on_all_threads: false });
}
