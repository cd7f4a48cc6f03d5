use super::*;
use std::sync::{Arc, atomic::AtomicU32, atomic::Ordering::SeqCst};

#[test]
fn a_panic_does_not_end_the_ticking() {
    let count = Arc::new(AtomicU32::new(0));
    let seen = count.clone();
    let _ticker = Ticker::start(Duration::from_millis(1), move || {
        assert!(seen.fetch_add(1, SeqCst) > 0, "the first tick panics");
    });
    while count.load(SeqCst) < 3 {
        std::thread::yield_now();
    }
}

#[test]
fn ticks_until_dropped() {
    let count = Arc::new(AtomicU32::new(0));
    let seen = count.clone();
    let ticker = Ticker::start(Duration::from_millis(1), move || {
        seen.fetch_add(1, SeqCst);
    })
    .unwrap();
    while count.load(SeqCst) < 3 {
        std::thread::yield_now();
    }
    drop(ticker);
    // The thread has ended and dropped its reference to the counter.
    assert_eq!(Arc::strong_count(&count), 1);
}
