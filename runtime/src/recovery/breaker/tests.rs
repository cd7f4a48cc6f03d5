use super::*;

const OPEN_FOR: Duration = Duration::from_secs(60);

/// Returns a breaker that opens at the third failure, and its time of creation.
fn breaker() -> (Breaker, Instant) {
    let start = Instant::now();
    (Breaker::new(BreakerPolicy::after(3, OPEN_FOR), start), start)
}

fn opened() -> (Breaker, Instant) {
    let (breaker, start) = breaker();
    for _ in 0..2 {
        assert_eq!(breaker.failed(Admission::Closed, start), Change::Nothing);
    }
    assert_eq!(breaker.failed(Admission::Closed, start), Change::Opened);
    (breaker, start)
}

#[test]
fn failures_in_a_row_open_it_and_a_success_between_them_does_not() {
    let (breaker, start) = breaker();
    for _ in 0..10 {
        assert_eq!(breaker.failed(Admission::Closed, start), Change::Nothing);
        assert_eq!(breaker.failed(Admission::Closed, start), Change::Nothing);
        assert_eq!(breaker.succeeded(breaker.admit(|| start)), Change::Nothing);
    }
    let (breaker, start) = opened();
    assert_eq!(breaker.admit(|| start), Admission::Refused { retry_in: OPEN_FOR });
    let later = start + Duration::from_secs(59);
    assert_eq!(breaker.admit(|| later), Admission::Refused { retry_in: Duration::from_secs(1) });
}

#[test]
fn one_probe_is_let_through_and_its_success_closes_it() {
    let (breaker, start) = opened();
    let later = start + OPEN_FOR;
    let probe = breaker.admit(|| later);
    assert!(matches!(probe, Admission::Probe { .. }), "{probe:?}");
    assert_eq!(breaker.admit(|| later), Admission::Refused { retry_in: OPEN_FOR });
    // A call that was admitted before the breaker opened does not close it.
    assert_eq!(breaker.succeeded(Admission::Closed), Change::Nothing);
    assert!(matches!(breaker.admit(|| later), Admission::Refused { .. }));
    assert_eq!(breaker.succeeded(probe), Change::Closed);
    assert_eq!(breaker.admit(|| later), Admission::Closed);
    // As many failures as before are necessary to open the breaker again.
    assert_eq!(breaker.failed(Admission::Closed, later), Change::Nothing);
}

#[test]
fn a_probe_that_fails_keeps_it_open_and_one_that_is_lost_delays_the_next() {
    let (breaker, start) = opened();
    let later = start + OPEN_FOR;
    let probe = breaker.admit(|| later);
    assert_eq!(breaker.failed(probe, later + Duration::from_secs(5)), Change::Nothing);
    assert_eq!(breaker.admit(|| later), Admission::Refused { retry_in: OPEN_FOR + Duration::from_secs(5) });
    let lost = breaker.admit(|| later + 2 * OPEN_FOR);
    assert!(matches!(lost, Admission::Probe { .. }));
    assert!(matches!(breaker.admit(|| later + 2 * OPEN_FOR), Admission::Refused { .. }));
    assert!(matches!(breaker.admit(|| later + 3 * OPEN_FOR), Admission::Probe { .. }));
}

#[test]
fn a_probe_that_says_nothing_makes_way_for_the_next() {
    let (breaker, start) = opened();
    let probe = breaker.admit(|| start + OPEN_FOR);
    breaker.said_nothing(probe);
    let next = breaker.admit(|| start + OPEN_FOR);
    assert!(matches!(next, Admission::Probe { .. }), "{next:?}");
    assert_eq!(breaker.succeeded(next), Change::Closed);
}

#[test]
fn many_threads_that_knock_give_one_probe() {
    let (breaker, start) = opened();
    let probes = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..1000 {
                    if matches!(breaker.admit(|| start + OPEN_FOR), Admission::Probe { .. }) {
                        probes.fetch_add(1, Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(probes.into_inner(), 1);
}

#[test]
fn the_extremes_of_the_policy_mean_what_they_say() {
    let start = Instant::now();
    let never = Breaker::new(BreakerPolicy::Never, start);
    for _ in 0..100 {
        assert_eq!(never.failed(never.admit(|| start), start), Change::Nothing);
    }
    assert_eq!(never.admit(|| start), Admission::Closed);

    let forever = Breaker::new(BreakerPolicy::after(1, Duration::MAX), start);
    assert_eq!(forever.failed(forever.admit(|| start), start), Change::Opened);
    assert!(matches!(forever.admit(|| start + Duration::from_secs(1 << 33)), Admission::Refused { .. }));

    let not_at_all = Breaker::new(BreakerPolicy::after(1, Duration::ZERO), start);
    assert_eq!(not_at_all.failed(not_at_all.admit(|| start), start), Change::Opened);
    let soon = start + Duration::from_nanos(1);
    assert!(matches!(not_at_all.admit(|| soon), Admission::Probe { .. }));
}
